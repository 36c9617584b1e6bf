"""The JSON schema of flows and of dialogue tests, for YAML editors."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from agi_bot.flow.script import Script
from agi_bot.flow.testcase import TestCase

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def flow_schema() -> dict[str, Any]:
    """The schema of a flow; accepts the short forms (``affirm: confirmed``) as well."""
    return _named(Script.model_json_schema(by_alias=True), "agi-bot flow")


def dialogue_test_schema() -> dict[str, Any]:
    """The schema of a file of dialogue tests."""
    return _named(TypeAdapter(list[TestCase]).json_schema(by_alias=True), "agi-bot dialogue tests")


def _named(schema: dict[str, Any], title: str) -> dict[str, Any]:
    return {"$schema": DIALECT, **_tidied(schema), "title": title}


def _tidied(part: Any) -> Any:
    """Without the titles that pydantic makes up; numbers are allowed where text is expected."""
    if isinstance(part, list):
        return [_tidied(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _tidied(value) for key, value in part.items() if not (key == "title" and isinstance(value, str))}
    if kept.get("type") == "string":
        kept["type"] = ["string", "number"]
    if "patternProperties" in kept:
        kept["patternProperties"] = {_portable(key): value for key, value in kept["patternProperties"].items()}
        kept["additionalProperties"] = False
    if "pattern" in kept:
        kept["pattern"] = _portable(kept["pattern"])
    return kept


def _portable(pattern: str) -> str:
    """A Python pattern for the engines of editors, whose ``\\w`` knows no Chinese."""
    return pattern.replace(r"[^\W\d]", r"[^\x00-@\[-^`{-\x7f]").replace(r"\w", r"0-9A-Za-z_\u0080-\uffff")
