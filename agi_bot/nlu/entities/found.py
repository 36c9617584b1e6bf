"""A value found in a text."""

from __future__ import annotations

from dataclasses import dataclass

from agi_bot.contracts import Value


@dataclass(frozen=True, slots=True)
class Found:
    """``value`` of ``kind`` at ``start``..``end`` of a tidied text."""

    kind: str
    value: Value
    start: int
    end: int
