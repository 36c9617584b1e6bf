"""The language reference: every example in it is a flow that the checker accepts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from agi_bot.flow import load_text
from agi_bot.flow.check import check
from agi_bot.flow.evaluation import _FUNCTIONS
from agi_bot.flow.expression import FUNCTIONS
from agi_bot.flow.parts import HookCall, Slot, Way
from agi_bot.flow.script import Limits, Script, Step
from agi_bot.flow.testcase import Expected, Line, TestCase, read_tests
from agi_bot.flow.tree import parse
from agi_bot.flow.values import KINDS
from agi_bot.nlu.data import NluData

DOCS = Path(__file__).parents[3] / "docs"
ENGLISH = (DOCS / "flows.md").read_text(encoding="utf-8")
CHINESE = (DOCS / "flows.zh-CN.md").read_text(encoding="utf-8")
RULES = (DOCS / "flow-rules.md").read_text(encoding="utf-8")


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.M | re.S)


HEARING = (DOCS / "recognition.md").read_text(encoding="utf-8")
EXAMPLES = [example for text in (ENGLISH, CHINESE, HEARING) for example in blocks(text, "yaml example")]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_accepted(example: str) -> None:
    base: Any = parse(blocks(RULES, "yaml-base")[0], "base").plain()
    own: Any = parse(example, "example").plain()
    merged = {**base, **own, "steps": {**base["steps"], **own["steps"]}}
    text = yaml.safe_dump(merged, allow_unicode=True, sort_keys=False)
    assert [str(problem) for problem in check(load_text(text)) if problem.rule != "unreachable-step"] == []


LANGUAGES = pytest.mark.parametrize("told", [ENGLISH, CHINESE], ids=["en", "zh-CN"])


@LANGUAGES
def test_the_whole_flow_is_accepted(told: str) -> None:
    (text,) = blocks(told, "yaml flow")
    assert check(load_text(text)) == []


@pytest.mark.parametrize("text", [*blocks(ENGLISH, "yaml-file tests"), *blocks(CHINESE, "yaml-file tests")])
def test_the_tests_can_be_read(text: str, tmp_path: Path) -> None:
    path = tmp_path / "appointment_reminder.yaml"
    path.write_text(text, encoding="utf-8")
    assert read_tests(path)


SHARED = DOCS.parent / "flows" / "shared"


@LANGUAGES
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_shared_intent_is_told(told: str, language: str) -> None:
    intents = NluData.load([SHARED / f"nlu.{language}.yml"]).intents
    assert {intent for intent in intents if f"`{intent}`" not in told} == set()
    (own,) = blocks(told, "yaml-nlu")
    assert yaml.safe_load(own)["nlu"][0]["intent"] not in intents


@LANGUAGES
@pytest.mark.parametrize("model", [Script, Step, HookCall, Slot, Way, Limits, TestCase, Line, Expected])
def test_every_key_is_told(told: str, model: type[BaseModel]) -> None:
    keys = {field.alias or name for name, field in model.model_fields.items()}
    assert {key for key in keys if not re.search(rf"(?<![A-Za-z_]){key}(?![A-Za-z_])", told)} == set()


def test_both_languages_have_the_same_examples() -> None:
    kinds = ("yaml example", "yaml-file", "yaml-file tests", "yaml flow", "yaml-nlu", "sh")
    assert [len(blocks(CHINESE, kind)) for kind in kinds] == [len(blocks(ENGLISH, kind)) for kind in kinds]


@LANGUAGES
def test_every_kind_and_function_is_told(told: str) -> None:
    assert {kind for kind in KINDS if f"`{kind}`" not in told} == set()
    assert {name for name in FUNCTIONS if f"{name}(" not in told} == set()
    assert set(FUNCTIONS) == {*_FUNCTIONS, "filled"}
