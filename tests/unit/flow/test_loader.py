# ruff: noqa: E501, PT017 - flows and conditions are easier to read in one line
"""Broken files: a clear error with file:line:column and the cure, in bounded time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agi_bot.errors import FlowError
from agi_bot.flow import BrokenFlow, Problem, load, load_text
from agi_bot.flow.encoding import LARGEST, decode
from agi_bot.flow.tree import MOST_VALUES

from .talking import MINIMAL


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(BrokenFlow) as caught:
        load_text(text)
    return caught.value.problems


def only(text: str) -> Problem:
    (problem,) = problems(text)
    return problem


def broken(path: Path) -> Problem:
    with pytest.raises(BrokenFlow) as caught:
        load(path)
    assert isinstance(caught.value, FlowError)
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("text", "rule", "line", "column", "cure"),
    [
        ("flow: f\nsteps: [1\n", "yaml-syntax", 2, 8, "close the list"),
        (MINIMAL.replace("say: 您", "say：您"), "yaml-syntax", 5, 8, "a colon and a blank"),
        (MINIMAL + "title:复诊\nvoice: a\n", "yaml-syntax", 8, 6, "a colon and a blank"),
        (MINIMAL.replace("say: 您好", "say: {name}您好"), "yaml-syntax", 5, 10, "whole text in quotes"),
        (MINIMAL + "unclear: 【请再说, {end: x}】\n", "yaml-syntax", 8, 10, "write [ or {"),
        (MINIMAL.replace("{say: 再见, end", "{say: 再见，end"), "yaml-syntax", 7, 14, "write `, `"),
        (MINIMAL.replace("{affirm: b}", "{affirm：b, deny: b: c}"), "yaml-syntax", 6, 16, "a colon and a blank"),
        (MINIMAL.replace("您好", "您好｛name｝"), "bad-text", 5, 10, "half-width"),
        (MINIMAL.replace("{affirm: b}", "{affirm: {when: 1 ＞ 2, next: b}}"), "bad-condition", 6, 25, "`＞` half-width"),
        ("flow: f\n steps: 1\n", "yaml-syntax", 2, 2, "alike"),
        (MINIMAL + "title: a: b\n", "yaml-syntax", 8, 9, "quotes"),
        (MINIMAL + "title: @b\n", "yaml-syntax", 8, 8, "quotes"),
        (MINIMAL + 'title: "b\n', "yaml-syntax", 8, 8, "close the quotes"),
        (MINIMAL + "title: x\ntitle: y\n", "duplicate-key", 9, 1, "rename"),
        (MINIMAL.replace("  b:", "  a: {say: x, end: y}\n  b:"), "duplicate-key", 7, 3, "rename"),
        (MINIMAL + "title: &x y\n", "alias", 8, 8, "remove"),
        (MINIMAL + "title: !!python/object:os.system x\n", "yaml-tag", 8, 8, "remove"),
        (MINIMAL + "---\nflow: g\n", "yaml-syntax", 8, 1, "one flow"),
        (MINIMAL + "tilte: x\n", "unknown-key", 8, 1, "`title`"),
        (MINIMAL.replace("say: 再见", "sya: 再见"), "unknown-key", 7, 7, "`say`"),
        (MINIMAL.replace("affirm: b", "affirm: {sai: 好, next: b}"), "unknown-key", 6, 19, "`say`"),
        (MINIMAL.replace("start: a\n", ""), "missing-key", 1, 1, "start"),
        (MINIMAL.replace("start: a", "start: c"), "unknown-step", 2, 8, "known: a, b"),
        (MINIMAL.replace("affirm: b", "affirm: bb"), "unknown-step", 6, 18, "`b`"),
        (MINIMAL.replace("affirm: b", "affirm: {say: x, next: bb}"), "unknown-step", 6, 33, "`b`"),
        (MINIMAL.replace("end: done", "end: done, next: a"), "contradiction", 7, 6, "keep one"),
        (MINIMAL.replace("affirm: b", "affirm: {next: b, end: x}"), "contradiction", 6, 18, "keep one"),
        (MINIMAL.replace("您好", "'您好{'"), "bad-text", 5, 10, "{{"),
        (MINIMAL.replace("您好", "['您好', '{a b}']"), "bad-text", 5, 17, "{name}"),
        (MINIMAL.replace("affirm: b", "affirm: {when: a >, next: b}"), "bad-condition", 6, 25, "write for example"),
        (MINIMAL.replace("affirm: b", "affirm: {when: a.b, next: b}"), "bad-condition", 6, 25, "without the dot"),
        (MINIMAL.replace("您好", "true"), "bad-text", 5, 10, "quotes"),
        (MINIMAL.replace("b: {", "1b: {"), "bad-value", 7, 3, "letter"),
        (MINIMAL + "silence_after: soon\n", "bad-value", 8, 16, "800ms"),
        (MINIMAL + "language: de\n", "bad-value", 8, 11, "`zh-CN` or `en`"),
        (MINIMAL + "task: {n: {type: integer, example: drei}}\n", "type-mismatch", 8, 36, "write it like 3"),
        (MINIMAL + "task: {n: intger}\n", "bad-value", 8, 11, "`integer`"),
        (MINIMAL.replace("say: 您好", "say:"), "bad-value", 5, 5, "behind the colon"),
        (MINIMAL.replace("affirm: b", "affirm: "), "bad-value", 6, 10, "behind the colon"),
        ("", "not-a-flow", 1, 1, "begin with"),
        ("- a\n", "not-a-flow", 1, 1, "begin with"),
        ("flow: f\nstart: a\nsteps: [a]\n", "bad-value", 3, 8, "indent"),
        (MINIMAL.replace("    say: 您好", "    say: 您好\n    flow: nowhere").replace("    on: {affirm: b}\n", "    next: b\n"),
         "unknown-flow", 6, 11, "create nowhere.yaml"),
        ("flow: " + "[" * 100, "too-deep", 1, 31, "steps"),
        ("\x07flow: f", "yaml-syntax", 1, 1, "control character"),
    ],
)  # fmt: skip
def test_a_fault_has_its_place_and_its_cure(text: str, rule: str, line: int, column: int, cure: str) -> None:
    problem = problems(text)[0]
    assert (problem.rule, problem.line, problem.column) == (rule, line, column), problem
    assert cure in problem.cure


def test_all_faults_are_told_at_once() -> None:
    found = problems(MINIMAL.replace("affirm: b", "affirm: x, deny: y").replace("start: a", "start: z"))
    assert [problem.text for problem in found] == ["z", "x", "y"]


def test_yes_no_on_and_off_are_text() -> None:
    flow = load_text(MINIMAL.replace("say: 再见", "say: no"))
    assert flow.script.steps["b"].say is not None
    assert flow.script.steps["b"].say.texts == ("no",)
    assert "affirm" in flow.script.steps["a"].on


@pytest.mark.parametrize(("blank", "name"), [("\t", "tab"), ("\u3000", "full-width"), ("\u00a0  ", "non-breaking")])
def test_other_blanks_than_spaces(tmp_path: Path, blank: str, name: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(MINIMAL.replace("    say: 您好", f"{blank}say: 您好"), encoding="utf-8")
    problem = broken(path)
    assert (problem.rule, problem.line, problem.column) == ("tabs", 5, 1)
    assert name in problem.message


def test_a_full_width_blank_inside_a_text_is_text() -> None:
    assert decode("say: |\n  　　您好，请问\n".encode(), "f.yaml")


def test_gbk_is_named(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(MINIMAL.encode("gbk"))
    problem = broken(path)
    assert (problem.rule, problem.line, problem.column) == ("encoding", 5, 10)
    assert "GBK" in problem.message


@pytest.mark.parametrize("raw", [MINIMAL.encode("utf-16"), b"\xff\xff\xff", b"flow: \x80"])
def test_other_encodings(raw: bytes) -> None:
    with pytest.raises(BrokenFlow, match="UTF-8"):
        decode(raw, "f.yaml")


def test_a_byte_order_mark_is_fine() -> None:
    assert load_text(decode(b"\xef\xbb\xbf" + MINIMAL.encode(), "f.yaml")).name == "f"


def test_ten_megabytes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"# " + b"x" * 10_000_000)
    problem = broken(path)
    assert problem.rule == "too-large"
    assert f"{LARGEST:,}" in problem.message


def test_nearly_ten_megabytes_of_text_are_read(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    steps = "".join(f"  s{number}: {{say: {'好' * 300}, next: a}}\n" for number in range(10_000))
    path.write_text(f"{MINIMAL}{steps}", encoding="utf-8")
    assert 9_000_000 < path.stat().st_size < LARGEST
    assert len(load(path).script.steps) == 10_002


@pytest.mark.parametrize("text", ["k{}: 1\n", "? [1, {}]\n: 1\n"])
def test_more_values_than_a_flow_can_have_end_the_reading(text: str) -> None:
    endless = "".join(text.format(number) for number in range(MOST_VALUES))
    (problem,) = [problem for problem in problems(endless) if problem.rule == "too-large"]
    assert problem.line <= MOST_VALUES
    assert "150,000" in problem.message


def test_an_alias_bomb_is_refused() -> None:
    bomb = "a: &a [x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)},*{chr(97 + n)}]\n" for n in range(20)
    )
    assert {problem.rule for problem in problems(bomb)} == {"alias"}


def test_a_missing_file(tmp_path: Path) -> None:
    assert "no such file" in broken(tmp_path / "none.yaml").message
    assert broken(tmp_path).rule == "unreadable"


class TestParts:
    PART = "flow: verify\npart: true\ntask: {who: text}\nstart: a\nsteps: {a: {ask: '{who}?', on: {affirm: b}}, b: {end: ok}}\n"
    MAIN = (
        "flow: f\nstart: a\nsteps: {a: {flow: verify, with: {who: '张'}, outcomes: {ok: b}, next: b}, b: {end: done}}\n"
    )

    @pytest.mark.parametrize("place", ["f/verify.yaml", "f/parts/verify.yaml", "shared/verify.yaml"])
    def test_where_a_part_may_lie(self, tmp_path: Path, place: str) -> None:
        for name, text in (("f/main.yaml", self.MAIN), (place, self.PART)):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        flow = load(tmp_path / "f/main.yaml")
        assert flow.parts["verify"].name == "verify"
        assert flow.step("verify/a").ask is not None
        before = flow.version
        (tmp_path / place).write_text(self.PART + "title: x\n", encoding="utf-8")
        assert load(tmp_path / "f/main.yaml").version != before

    def test_a_part_in_itself(self, tmp_path: Path) -> None:
        (tmp_path / "verify.yaml").write_text(self.MAIN, encoding="utf-8")
        assert broken(tmp_path / "verify.yaml").rule == "flow-in-itself"

    def test_the_faults_of_a_part_name_its_file(self, tmp_path: Path) -> None:
        (tmp_path / "main.yaml").write_text(self.MAIN, encoding="utf-8")
        (tmp_path / "verify.yaml").write_text(self.PART + "x: 1\n", encoding="utf-8")
        assert broken(tmp_path / "main.yaml").file.endswith("verify.yaml")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="abflowsteprn:{}[]-'\"\n #|>&*!%@\t\\是，0", max_size=80))
def test_no_text_gives_another_error(text: str) -> None:
    try:
        load_text(text)
    except BrokenFlow as broken:
        assert broken.problems


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_damage_to_a_flow_gives_another_error(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(MINIMAL) - 1))
    length = data.draw(st.integers(0, 12))
    text = MINIMAL[:start] + data.draw(st.text(max_size=6)) + MINIMAL[start + length :]
    try:
        load_text(text)
    except BrokenFlow as broken:
        assert all(problem.line >= 1 and problem.cure for problem in broken.problems)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_give_another_error(raw: bytes) -> None:
    try:
        load_text(decode(raw, "f.yaml"))
    except BrokenFlow as broken:
        assert broken.problems
