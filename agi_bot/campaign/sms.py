"""Text messages after a call: which rule of the campaign applies, and what it says.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LONGEST = 500
"""Characters of a message."""

_HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")

OF_THE_CALL = ("customer_id", "outcome", "result_class")
"""What a text may name beside the script's task fields and slots."""


@dataclass(frozen=True, slots=True)
class SmsRule:
    """After an attempt that ended as one of ``outcomes`` (``*``: any), send ``text`` with its ``{holes}`` filled."""

    outcomes: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Sms:
    """A message of the rule ``number``; ``missing`` names a hole that nothing fills: it must not be sent."""

    number: int
    text: str
    missing: str = ""


def messages(rules: Sequence[SmsRule], how: str, values: Mapping[str, Any]) -> list[Sms]:
    """What is to be sent after an attempt that ended as ``how``."""
    found = enumerate(rules)
    return [_fill(at, rule.text, values) for at, rule in found if how in rule.outcomes or "*" in rule.outcomes]


def _fill(number: int, text: str, values: Mapping[str, Any]) -> Sms:
    missing = next((name for name in holes(text) if values.get(name) in (None, "")), "")
    return Sms(number, _HOLE.sub(lambda hole: _shown(values.get(hole[1], "")), text), missing)


def holes(text: str) -> list[str]:
    """The names in ``text`` that are to be filled."""
    return _HOLE.findall(text)


def _shown(value: Any) -> str:
    """A time as people write it: 2026-12-03 15:00."""
    text = str(value)
    if not _MOMENT.fullmatch(text):
        return text
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"
    except ValueError:
        return text


def wrong(rule: SmsRule, known: Iterable[str]) -> str:
    """What is wrong with ``rule`` in a script that fills ``known``; empty: nothing."""
    if not rule.outcomes or not rule.text.strip():
        return "needs outcomes and a text"
    if len(rule.text) > LONGEST:
        return f"{len(rule.text)} characters, at most {LONGEST}"
    names = sorted({*known, *OF_THE_CALL})
    unknown = next((name for name in holes(rule.text) if name not in names), "")
    if not unknown:
        return ""
    return f"{{{unknown}}} is neither a task field nor a slot of the script; known: {', '.join(names)}"
