"""What an author is told who mistyped something: the place, and a cure that mends it."""

from __future__ import annotations

import pytest

from agi_bot.flow import BrokenFlow, Problem, load_text
from agi_bot.flow.check import NluFacts, check
from agi_bot.flow.references import LISTED, nearest

FLOW = """\
flow: f
language: zh-CN
start: a
steps:
  a:
    say: 您好，本次通话会被录音。
    on: {affirm: bye}
  bye: {say: 再见。, end: done}
unclear: [请再说一遍。, {transfer: desk}]
"""
WHEN = "{affirm: [{when: '%s', next: bye}, bye]}"


def broken(text: str) -> tuple[Problem, ...]:
    with pytest.raises(BrokenFlow) as raised:
        load_text(text)
    return raised.value.problems


@pytest.mark.parametrize(
    ("right", "wrong", "line", "column", "cure"),
    [
        ("{say: 再见。, end", "{say: 再见。，end", 8, 17, "half-width comma"),
        ("再说一遍。, {", "再说一遍。，{", 9, 17, "half-width comma"),
        ("    say: 您", "    say:　您", 6, 9, "a colon and a blank"),
        ("    on:", "     on:", 7, 6, "indent both alike"),
        ("on: {", "keys: {1：bye}\n    on: {", 7, 13, "a colon and a blank"),
        ("on: {", "collect: {at: date time}\n    on: {", 7, 19, "did you mean `datetime`?"),
        ("on: {", "collect: {who: phone number}\n    on: {", 7, 20, "did you mean `phone`?"),
        ("on: {affirm: bye}", "on:\n      - affirm: bye", 8, 7, "without `- `"),
        ("on: {", "visits: many\n    on: {", 7, 13, "write for example `visits: 3`"),
        ("on: {", "barge_in: maybe\n    on: {", 7, 15, "write for example `barge_in: true`"),
        ("say: 再见。,", "say: 再见，｛name｝。,", 8, 14, "write half-width { and }"),
        ("say: 再见。,", "say: [],", 8, 14, "write at least one into it"),
        ("on: {", "keys: {１: bye}\n    on: {", 7, 12, "write `1` half-width; keys are 0-9, * and #"),
        ("on: {", "keys: {x: bye}\n    on: {", 7, 12, "keys are 0-9, * and #"),
        ("on: {", "keys: {1: 9bye}\n    on: {", 7, 15, "names have letters"),
        ("{affirm: bye}", WHEN % 'said = "x"', 7, 26, "compare with `==`"),
        ("{affirm: bye}", WHEN % 'said == "a=b" && now', 7, 26, "write `and`"),
        ("{affirm: bye}", WHEN % 'said.upper() == "X"', 7, 26, "write `lower(said)`"),
        ("{affirm: bye}", WHEN % "len(said) > 3", 7, 26, "did you mean `length`?"),
        ("{affirm: bye}", WHEN % "said.foo > 3", 7, 26, "there are the functions contains"),
    ],
)
def test_a_slip_is_named_once_with_its_place_and_cure(
    right: str, wrong: str, line: int, column: int, cure: str
) -> None:
    (problem,) = broken(FLOW.replace(right, wrong))
    assert (problem.line, problem.column) == (line, column)
    assert cure in problem.cure


@pytest.mark.parametrize(
    ("intent", "cure"),
    [
        ("no", "did you mean `deny`?"),
        ("yes", "did you mean `affirm`?"),
        ("afirm", "did you mean `affirm`?"),
        ("不行", "write `deny`: callers who say `不行` mean it"),
        ("pick_up", "flows/bookshop/nlu.zh-CN.yml (docs/nlu.md), or use one of: affirm, deny, otherwise"),
    ],
)
def test_an_unknown_intent(intent: str, cure: str) -> None:
    flow = load_text(FLOW.replace("{affirm: bye}", f"{{{intent}: bye}}"), "flows/bookshop/f.yaml")
    nlu = NluFacts({"affirm": ["好的"], "deny": ["不行"]}, ())
    (problem,) = [found for found in check(flow, nlu=nlu) if found.rule == "unknown-intent"]
    assert cure in problem.cure


def test_a_list_that_is_cut_says_so() -> None:
    many = [f"word{number:02}" for number in range(LISTED + 6)]
    assert nearest("xyz", many).endswith(f"word{LISTED - 1:02}, … (30 in all)")
    assert nearest("xyz", many[:3]) == "known: word00, word01, word02"
