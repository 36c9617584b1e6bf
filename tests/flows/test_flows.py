"""Every flow of the library: checked, rehearsed with the embedded interpreter, every way taken."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import pytest

from agi_bot.flow import load, load_text
from agi_bot.flow.check import NluFacts, check
from agi_bot.flow.coverage import coverage, name_of
from agi_bot.flow.events import RunHook
from agi_bot.flow.problem import as_text
from agi_bot.flow.rehearsal import Answering, HookAnswer
from agi_bot.flow.testcase import find_tests, orphans, read_tests
from agi_bot.flow.testrun import run_test
from agi_bot.flow.values import read_value
from agi_bot.flow.wording import spans
from agi_bot.nlu import EmbeddedInterpreter, load_embedded
from agi_bot.nlu.knowledge import KnowledgeShelf, aside
from agi_bot.nlu.knowledge_file import read_knowledge
from agi_bot.nlu.normal import is_han

FLOWS = Path(__file__).parents[2] / "flows"
FILES = sorted(path for path in FLOWS.rglob("*.yaml") if "tests" not in path.relative_to(FLOWS).parts)
NOW = datetime.fromisoformat("2026-11-24T09:30:00+08:00")
NAMES = [str(path.relative_to(FLOWS)) for path in FILES]


@lru_cache
def interpreter(industry: str, language: str) -> EmbeddedInterpreter:
    return load_embedded([FLOWS / "shared", FLOWS / industry], language)


def facts(industry: str, language: str) -> NluFacts:
    data = interpreter(industry, language).data
    examples = {intent: [example.text for example in data.examples(intent)] for intent in data.intents}
    return NluFacts(examples, data.entities)


def shelf(path: Path, background: Sequence[str] = (), language: str = "zh-CN") -> KnowledgeShelf:
    return KnowledgeShelf([path.parent / "knowledge", FLOWS / "shared" / "knowledge"], {language: background})


def answering(path: Path, language: str) -> Answering:
    """Real knowledge; every other hook that a test does not give works and returns nothing."""
    answers = shelf(path, aside(interpreter(path.parent.name, language).data), language)

    async def answer(hook: RunHook) -> HookAnswer:
        kind, _, name = hook.name.partition(":")
        return await answers.run(name, hook.arguments) if kind == "knowledge" else {}

    return answer


@pytest.mark.parametrize(
    "name",
    [
        "finance/collection",
        "finance/fraud_check",
        "finance/wealth_line",
        "shop/price_drop",
        "shop/payment_failed",
        "shop/delivery_late",
        "shop/delivery_late_en",
        "shop/stock_line",
        "school/course_advice",
        "school/class_reminder",
        "school/satisfaction",
        "hospital/appointment_reminder",
        "hospital/appointment_reminder_en",
        "hospital/medication_follow_up",
        "hospital/post_operative",
        "hospital/vaccination",
        "hospital/education",
        "retail/member_activation",
        "retail/promotion_001",
    ],
)
def test_the_promised_flows_are_there(name: str) -> None:
    assert f"{name}.yaml" in NAMES


@pytest.mark.parametrize("path", sorted(FLOWS.rglob("knowledge/*.yml")), ids=lambda path: path.stem)
def test_knowledge_keeps_to_the_words_that_flows_may_say(path: Path) -> None:
    industry, language = path.parents[1].name, "en" if path.stem.endswith("_en") else "zh-CN"
    text = f"flow: spoken\nlanguage: {language}\nindustry: {industry}\nstart: s0\nsteps:\n"
    said = [entry for answer in read_knowledge(path) for entry in answer.answers]
    for number, answer in enumerate(said):
        text += f"  s{number}: {{say: {json.dumps(answer, ensure_ascii=False)}, end: done}}\n"
    found = check(load_text(text))
    assert not [one for one in found if one.rule in ("forbidden-word", "sensitive-word", "long-prompt")]


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_test_file_belongs_to_a_flow(path: Path) -> None:
    assert orphans(path) == []


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_flow_has_no_findings(path: Path) -> None:
    flow = load(path)
    found = check(flow, nlu=facts(path.parent.name, flow.language), knowledge=shelf(path).names())
    assert not found, as_text(found)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
async def test_the_rehearsals_of_a_flow_pass_and_take_every_way(path: Path) -> None:
    flow = load(path)
    if flow.script.part:
        return
    understand = interpreter(path.parent.name, flow.language)
    knows = answering(path, flow.language)
    tests = [test for file in find_tests(path) for test in read_tests(file)]
    results = [await run_test(test, flow, understand, answering=knows) for test in tests]
    failed = [line for result in results if not result.passed for line in (result.name, *result.failures, *result.talk)]
    assert not failed, "\n".join(failed)
    missed = coverage(flow, [result.trace for result in results]).missed()
    assert not missed, [f"{spot}: {name_of(point)}" for point, spot in missed]


@pytest.mark.parametrize("name", NAMES)
def test_no_prompt_takes_more_than_ten_seconds_to_say(name: str) -> None:
    """Callers interrupt what is longer; 4.6 characters or 2.8 words a second, with the example values."""
    flow = load(FLOWS / name)
    kinds = {field: spec.type for field, spec in flow.script.task.items()}
    examples = {field: spec.example or spec.default for field, spec in flow.script.task.items()}
    values = {field: read_value(raw, kinds[field]) for field, raw in examples.items() if raw is not None}
    wordings = [wording for step in flow.script.steps.values() for wording in (step.say, step.ask, step.confirm)]
    for text in (text for wording in wordings if wording for text in wording.texts):
        said = "".join(span.text for span in spans(text, (), values, kinds, flow.language, NOW))
        long = len(said.split()) / 2.8 if flow.language == "en" else sum(map(is_han, said)) / 4.6
        assert long <= 10, f"{long:.1f} s: {said}"
