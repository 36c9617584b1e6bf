"""Every flow of the library: checked, rehearsed with the embedded interpreter, every way taken."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest

from agi_bot.flow import load
from agi_bot.flow.check import NluFacts, check
from agi_bot.flow.coverage import coverage, name_of
from agi_bot.flow.problem import as_text
from agi_bot.flow.testcase import find_tests, orphans, read_tests
from agi_bot.flow.testrun import run_test
from agi_bot.nlu import EmbeddedInterpreter, load_embedded
from agi_bot.nlu.knowledge import KnowledgeShelf

FLOWS = Path(__file__).parents[2] / "flows"
FILES = sorted(path for path in FLOWS.rglob("*.yaml") if "tests" not in path.relative_to(FLOWS).parts)
NAMES = [str(path.relative_to(FLOWS)) for path in FILES]


@lru_cache
def interpreter(industry: str, language: str) -> EmbeddedInterpreter:
    return load_embedded([FLOWS / "shared", FLOWS / industry], language)


def facts(industry: str, language: str) -> NluFacts:
    data = interpreter(industry, language).data
    examples = {intent: [example.text for example in data.examples(intent)] for intent in data.intents}
    return NluFacts(examples, data.entities)


def test_there_are_flows() -> None:
    assert "hospital/appointment_reminder.yaml" in NAMES


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_test_file_belongs_to_a_flow(path: Path) -> None:
    assert orphans(path) == []


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_flow_has_no_findings(path: Path) -> None:
    flow = load(path)
    shelf = KnowledgeShelf([path.parent / "knowledge", FLOWS / "shared" / "knowledge"])
    found = check(flow, nlu=facts(path.parent.name, flow.language), knowledge=shelf.names())
    assert not found, as_text(found)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
async def test_the_rehearsals_of_a_flow_pass_and_take_every_way(path: Path) -> None:
    flow = load(path)
    if flow.script.part:
        return
    understand = interpreter(path.parent.name, flow.language)
    tests = [test for file in find_tests(path) for test in read_tests(file)]
    results = [await run_test(test, flow, understand) for test in tests]
    failed = [line for result in results if not result.passed for line in (result.name, *result.failures, *result.talk)]
    assert not failed, "\n".join(failed)
    missed = coverage(flow, [result.trace for result in results]).missed()
    assert not missed, [f"{spot}: {name_of(point)}" for point, spot in missed]
