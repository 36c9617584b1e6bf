"""A value found in a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from agi_bot.contracts import Value


@dataclass(frozen=True, slots=True)
class Found:
    """``value`` of ``kind`` at ``start``..``end`` of a tidied text."""

    kind: str
    value: Value
    start: int
    end: int


def plain(value: Decimal) -> Value:
    """A whole number as :class:`int`, any other as a :class:`~decimal.Decimal` without trailing zeros."""
    if value == value.to_integral_value():
        return int(value)
    return value.normalize()


def kept(
    text: str, found: Sequence[Found], denied_before: re.Pattern[str], denied_after: re.Pattern[str]
) -> list[Found]:
    """Without the values that ``text`` denies ("not thirty but fifty")."""
    return [
        one for one in found if not denied_before.search(text[: one.start]) and not denied_after.match(text[one.end :])
    ]
