"""What of a person a role may see: a viewer sees numbers of seven and more digits masked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from agi_bot.privacy.masking import mask_text
from agi_bot.web.keys import Caller, Role
from agi_bot.web.times import TIMES

T = TypeVar("T")

KEPT = 4
"""Last digits of a telephone number that stay."""

_NUMBERS = frozenset({"number", "caller", "called", "to"})
_OURS = frozenset(
    {"task_id", "attempt_id", "call_id", "campaign_id", "script_id", "flow", "flow_version", "unique_id"}
    | {"recording", "owner", "trunk", "zone", "event_time", "call_time"}
    | TIMES
)
"""Fields of our own making: times and ids with long runs of digits, never those of a person."""

_THEIRS = frozenset({"data", "slots", "entities"})
"""Fields of others' making: a long number in them is as likely a person's as a long text."""


def for_eyes_of(caller: Caller, found: T) -> T:
    """``found`` (JSON-ready) as ``caller`` may see it."""
    return found if caller.role > Role.VIEWER else masked("", found)


def masked(name: str, value: Any, *, theirs: bool = False) -> Any:
    """``value`` of the field ``name`` without the numbers of people; texts, lists and objects go through.

    ``theirs``: the field is inside of one that others fill.
    """
    if name in _OURS and not theirs:
        return value
    if isinstance(value, Mapping):
        return {key: masked(str(key), one, theirs=theirs or name in _THEIRS) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [masked(name, one, theirs=theirs or name in _THEIRS) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool) and theirs:
        text = mask_text(str(value) if isinstance(value, int) else f"{value:.15g}")
        return text if "*" in text else value
    if not isinstance(value, str):
        return value
    return hide_number(value) if name in _NUMBERS else mask_text(value)


def hide_number(number: str) -> str:
    """``138****0001``; short numbers belong to nobody and stay."""
    if len(number) < 7:
        return number
    begin = number[: len(number) - KEPT - 4] if len(number) > 8 else ""
    return f"{begin}{'*' * (len(number) - len(begin) - KEPT)}{number[-KEPT:]}"
