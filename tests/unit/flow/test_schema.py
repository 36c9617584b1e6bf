"""The JSON schema for editors: all our flows and tests fit it, broken ones do not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from agi_bot.flow.loader import document
from agi_bot.flow.schema import dialogue_test_schema, flow_schema
from agi_bot.flow.tree import parse

from .talking import MINIMAL

ROOT = Path(__file__).parents[3]
FLOWS = [path for path in sorted((ROOT / "flows").rglob("*.yaml")) if path.parent.name != "tests"]
TESTS = [path for path in sorted((ROOT / "flows").rglob("*.yaml")) if path.parent.name == "tests"]


def faults(schema: dict[str, Any], document: Any) -> list[str]:
    Draft202012Validator.check_schema(schema)
    return [error.message for error in Draft202012Validator(schema).iter_errors(document)]


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_our_flows_fit(path: Path) -> None:
    assert faults(flow_schema(), document(path).plain()) == []


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_our_dialogue_tests_fit(path: Path) -> None:
    assert faults(dialogue_test_schema(), document(path).plain()) == []


@pytest.mark.parametrize(
    "text",
    [
        MINIMAL.replace("say: 您好", "sya: 您好"),
        MINIMAL.replace("start: a\n", ""),
        MINIMAL + "language: de\n",
        MINIMAL + "silence: true\n",
        MINIMAL.replace("affirm: b", "affirm: {sai: x, next: b}"),
        MINIMAL.replace("b: {", "1b: {"),
        MINIMAL.replace("say: 您好", "say: []"),
        MINIMAL.replace("say: 您好", "say: true"),
        MINIMAL + "limits: {visits: 0}\n",
        MINIMAL + "task: {n: {type: []}}\n",
        "- a\n",
    ],
)
def test_broken_flows_do_not_fit(text: str) -> None:
    assert faults(flow_schema(), parse(text, "f.yaml").plain())


def test_the_examples_of_the_rules_that_a_schema_can_see() -> None:
    text = (ROOT / "docs" / "flow-rules.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### `([\w-]+)`.*?\n(.*?)(?=^### |^## |\Z)", text, re.M | re.S)
    seen = 0
    for rule, body in sections:
        for example in re.findall(r"^```yaml bad\n(.*?)^```", body, re.M | re.S):
            if rule in ("unknown-key", "missing-key"):
                seen += 1
                base: dict[str, Any] = {"flow": "f", "start": "greet", "steps": {}}
                own: Any = parse(example, "x").plain()
                assert faults(flow_schema(), {**base, **own}), rule
    assert seen == 2


def test_every_key_is_explained() -> None:
    schema = flow_schema()
    for name in ("Step", "Way"):
        properties = schema["$defs"][name]["properties"]
        silent = [key for key, value in properties.items() if "description" not in str(value)]
        assert not set(silent) - {"barge_in", "voice", "hang_up", "limits"}, silent
