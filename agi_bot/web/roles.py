"""What of a person a role may see: a viewer sees numbers of seven and more digits masked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from agi_bot.privacy.masking import mask_text
from agi_bot.web.keys import Caller, Role

T = TypeVar("T")

KEPT = 4
"""Last digits of a telephone number that stay."""

_NUMBERS = frozenset({"number", "caller", "called", "to"})
_OURS = frozenset(
    {"task_id", "attempt_id", "call_id", "campaign_id", "script_id", "flow", "flow_version", "unique_id", "channel"}
    | {"appointment_id", "recording", "owner", "trunk", "zone", "started_at", "ended_at", "created_at", "event_time"}
    | {"call_time", "at", "next_at"}
)
"""Fields of our own making: times and ids with long runs of digits, never those of a person."""


def for_eyes_of(caller: Caller, found: T) -> T:
    """``found`` (JSON-ready) as ``caller`` may see it."""
    return found if caller.role > Role.VIEWER else masked("", found)


def masked(name: str, value: Any) -> Any:
    """``value`` of the field ``name`` without the numbers of people; texts, lists and objects go through."""
    if name in _OURS:
        return value
    if isinstance(value, Mapping):
        return {key: masked(str(key), one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [masked(name, one) for one in value]
    if not isinstance(value, str):
        return value
    return hide_number(value) if name in _NUMBERS else mask_text(value)


def hide_number(number: str) -> str:
    """``138****0001``; short numbers belong to nobody and stay."""
    if len(number) < 7:
        return number
    begin = number[: len(number) - KEPT - 4] if len(number) > 8 else ""
    return f"{begin}{'*' * (len(number) - len(begin) - KEPT)}{number[-KEPT:]}"
