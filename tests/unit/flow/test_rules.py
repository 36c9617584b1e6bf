"""``docs/flow-rules.md``: each bad example breaks its rule, each good one breaks none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from agi_bot.flow import BrokenFlow, Problem, load_text
from agi_bot.flow.check import LOADING_RULES, RULES, NluFacts, check
from agi_bot.flow.encoding import decode
from agi_bot.flow.tree import parse

DOCUMENT = Path(__file__).parents[3] / "docs" / "flow-rules.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
SECTIONS = re.findall(r"^### `([\w-]+)` · (error|warning)\n(.*?)(?=^### |^## |\Z)", TEXT, re.M | re.S)
EXAMPLE = re.compile(r"^```(yaml|yaml-file) (bad|good)\n(.*?)^```", re.M | re.S)
EXAMPLES = [
    (rule, severity, how, form, example)
    for rule, severity, body in SECTIONS
    for form, how, example in EXAMPLE.findall(body)
]
WITHOUT_EXAMPLE = {
    "duplicate-flow", "encoding", "too-large", "unreadable", "flow-in-itself", "part-argument", "unknown-outcome",
}  # fmt: skip
"""Tested with files of their own."""

BASE = re.search(r"^```yaml-base\n(.*?)^```", TEXT, re.M | re.S)
NLU = NluFacts(
    {
        "affirm": ["好的", "可以"], "deny": ["不行"], "busy": ["我没空。", "在开会"], "question": ["要带什么"],
        "reschedule": ["我没空啊", "能改时间吗"], "stop_calling": ["别打了"], "repeat": ["再说一遍"],
    },
    {"product"},
)  # fmt: skip


def findings(form: str, example: str) -> list[Problem]:
    try:
        text = decode(example.encode(), "example.yaml") if form == "yaml-file" else merged(example)
        flow = load_text(text, "flows/example/example.yaml")
    except BrokenFlow as broken:
        return list(broken.problems)
    if form == "yaml-file":
        return []
    return check(
        flow,
        nlu=NLU,
        voices={"calm_female"},
        transfers={"desk", "nurses"},
        knowledge={"hospital"},
        beside={"hospital"},
        hooks={"crm.reschedule"},
        flows={"example_en": load_text(merged("flow: example_en\nlanguage: en")), "gone": None},
        speak={"yue": {"calm_female"}, "de": ()},
    )


def merged(example: str) -> str:
    """The base flow with the example's keys in place of its own, steps by name."""
    assert BASE is not None
    base: Any = parse(BASE.group(1), "base").plain()
    own: Any = parse(example, "example").plain()
    steps = {**base["steps"], **own.pop("steps", {})}
    return yaml.safe_dump({**base, **own, "steps": steps}, allow_unicode=True, sort_keys=False)


@pytest.mark.parametrize(("rule", "severity", "how", "form", "example"), EXAMPLES)
def test_an_example(rule: str, severity: str, how: str, form: str, example: str) -> None:
    found = findings(form, example)
    if how == "bad":
        assert [problem.severity.value for problem in found if problem.rule == rule][:1] == [severity], found
        assert all(problem.cure and problem.line > 0 for problem in found)
    else:
        assert found == []


def test_every_rule_is_documented_with_a_bad_and_a_good_example() -> None:
    assert {rule for rule, _, _ in SECTIONS} == RULES | LOADING_RULES
    assert len(SECTIONS) == len(RULES | LOADING_RULES)
    for how in ("bad", "good"):
        assert {example[0] for example in EXAMPLES if example[2] == how} == (RULES | LOADING_RULES) - WITHOUT_EXAMPLE


def test_every_rule_in_the_code_is_known() -> None:
    """Rule names are found in the sources by their form, so that none is forgotten."""
    folder = DOCUMENT.parents[1] / "agi_bot" / "flow"
    sources = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    used = set(re.findall(r'"([a-z]+(?:-[a-z]+)*)"', sources)) | {"missing-silence", "missing-unclear"}
    assert used >= RULES | LOADING_RULES


def test_a_rule_that_is_switched_off_is_silent() -> None:
    flow = load_text(merged("anywhere: {}\nrules: {missing-opt-out: inbound only, unused-knowledge: none needed}\n"))
    assert check(flow) == []


MAIN = """\
flow: main
start: a
steps:
  a: {say: 您好，本次通话会被录音。, protect: all, flow: part, WITH, save: {who: name}, outcomes: OUTCOMES, next: b}
  b: {say: 再见, end: done}
anywhere: {stop_calling: {mark: do_not_call, end: refused}}
silence: {end: no_response}
unclear: {end: unclear}
"""
PART = """\
flow: part
part: true
task: {number: {type: text}}
start: p
steps:
  p: {ask: '{number}，您贵姓？', collect: {name: text}, next: q}
  q: {say: 谢谢, end: ok}
"""


@pytest.mark.parametrize(
    ("with_", "outcomes", "rules"),
    [
        ("with: {number: '1'}", "{ok: b}", []),
        ("barge_in: true", "{ok: b}", ["part-argument"]),
        ("with: {number: '1', nmber: '2'}", "{ok: b}", ["part-argument"]),
        ("with: {number: '1'}", "{okay: b}", ["unknown-outcome"]),
    ],
)
def test_sub_flows(tmp_path: Path, with_: str, outcomes: str, rules: list[str]) -> None:
    (tmp_path / "part.yaml").write_text(PART, encoding="utf-8")
    flow = load_text(MAIN.replace("WITH", with_).replace("OUTCOMES", outcomes), str(tmp_path / "main.yaml"))
    assert [problem.rule for problem in check(flow)] == rules


def test_the_place_of_a_forbidden_word_is_the_word() -> None:
    text = merged("steps: {bye: {say: 我们保证您满意。, end: done}}")
    problem = next(problem for problem in check(load_text(text)) if problem.rule == "forbidden-word")
    line = text.split("\n")[problem.line - 1]
    assert line[problem.column - 1 :].startswith("保证")


@pytest.mark.parametrize(
    ("industry", "text", "forbidden"),
    [
        ("finance", "本产品保本。", True), ("hospital", "本产品保本。", False), ("shop", "请交保证金。", False),
        ("shop", "您最好明天来。", False), ("shop", "这是最好的。", True), ("shop", "满意度100%。", True),
    ],
)  # fmt: skip
def test_words_go_by_industry_and_context(industry: str, text: str, forbidden: bool) -> None:
    flow = load_text(merged(f"industry: {industry}\nsteps: {{bye: {{say: {text}, end: done}}}}"))
    assert ("forbidden-word" in {problem.rule for problem in check(flow)}) == forbidden


def test_english_words_are_whole_words() -> None:
    base = "language: en\nindustry: shop\nsteps: {bye: {say: %s, end: done}}\n"
    found = {p.rule for p in check(load_text(merged(base % "We guarantee it")))}
    assert "forbidden-word" in found
    assert "sensitive-word" not in {p.rule for p in check(load_text(merged(base % "Take your freedom")))}


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ("languages: {en: exmple_en}", "no flow `exmple_en` to speak en"),
        ("languages: {en: gone}", "no flow `gone`"),
        ("languages: {zh-TW: example_en}", "speaks en, not zh-TW"),
        ("languages: {de: example}", "no voice for de"),
        (
            "languages: {yue: example}\nsteps: {bye: {say: 再见。, voice: pro_male, end: done}}",
            "`pro_male` does not speak yue",
        ),
    ],
)
def test_a_language_that_cannot_be_spoken(own: str, message: str) -> None:
    (problem,) = [problem for problem in findings("yaml", own) if problem.rule == "unknown-language"]
    assert message in problem.message
    assert problem.cure
    assert problem.line > 0


def test_a_flow_that_stands_in_must_not_want_other_data() -> None:
    other = load_text(merged("flow: example_en\nlanguage: en\ntask: {item: {type: text, example: x}}"))
    flow = load_text(merged("languages: {en: example_en}"))
    found = [problem for problem in check(flow, flows={"example_en": other}) if problem.rule == "unknown-language"]
    assert "wants `item`" in found[0].message
