"""The language reference: every example in it is a flow that the checker accepts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from agi_bot.flow import load_text
from agi_bot.flow.check import check
from agi_bot.flow.evaluation import _FUNCTIONS
from agi_bot.flow.expression import FUNCTIONS
from agi_bot.flow.script import Script, Step
from agi_bot.flow.testcase import read_tests
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


def test_the_whole_flow_is_accepted() -> None:
    (text,) = blocks(ENGLISH, "yaml flow")
    assert check(load_text(text)) == []


@pytest.mark.parametrize("text", [*blocks(ENGLISH, "yaml-file tests"), *blocks(CHINESE, "yaml-file tests")])
def test_the_tests_can_be_read(text: str, tmp_path: Path) -> None:
    path = tmp_path / "appointment_reminder.yaml"
    path.write_text(text, encoding="utf-8")
    assert read_tests(path)


SHARED = DOCS.parent / "flows" / "shared"


@pytest.mark.parametrize("text", [ENGLISH], ids=["en"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_shared_intent_is_told(text: str, language: str) -> None:
    intents = NluData.load([SHARED / f"nlu.{language}.yml"]).intents
    assert {intent for intent in intents if f"`{intent}`" not in text} == set()
    (own,) = blocks(text, "yaml-nlu")
    assert yaml.safe_load(own)["nlu"][0]["intent"] not in intents


@pytest.mark.parametrize("model", [Script, Step])
def test_every_key_is_told(model: type[Script] | type[Step]) -> None:
    keys = {field.alias or name for name, field in model.model_fields.items()}
    assert {key for key in keys if not re.search(rf"\b{key}\b", ENGLISH)} == set()


def test_every_kind_and_function_is_told() -> None:
    assert {kind for kind in KINDS if f"`{kind}`" not in ENGLISH} == set()
    assert {name for name in FUNCTIONS if f"{name}(" not in ENGLISH} == set()
    assert set(FUNCTIONS) == {*_FUNCTIONS, "filled"}
