"""Pieces of a spoken date or time, as the grammars find them before they are put together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum


class Period(Enum):
    """A part of the day; what a bare "eight" means depends on it."""

    MORNING = "morning"
    NOON = "noon"
    AFTERNOON = "afternoon"
    NIGHT = "night"


@dataclass(frozen=True, slots=True)
class Piece:
    """What one stretch ``start``..``end`` of a text says.

    ``clock`` is hour and minute as they were said, before morning or afternoon is settled;
    ``exact`` tells that they need no settling.  ``moment`` is a time counted from now
    ("in half an hour").  A ``weak`` piece ("ten") counts only where nothing clearer stands.
    """

    start: int
    end: int
    day: date | None = None
    period: Period | None = None
    clock: tuple[int, int] | None = None
    exact: bool = False
    moment: datetime | None = None
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What a pattern's words mean, without their place."""

    day: date | None = None
    period: Period | None = None
    clock: tuple[int, int] | None = None
    exact: bool = False
    moment: datetime | None = None
    weak: bool = False


Meaning = Callable[[re.Match[str], datetime], Said | None]
Rule = tuple[re.Pattern[str], Meaning]


def scan(text: str, rules: Sequence[Rule], now: datetime) -> list[Piece]:
    """Pieces of ``text`` from left to right; of those that overlap, the first and longest."""
    found = sorted(_all(text, rules, now), key=lambda piece: (piece.start, piece.weak, -piece.end))
    kept: list[Piece] = []
    for piece in found:
        if not kept or piece.start >= kept[-1].end:
            kept.append(piece)
    return kept


def _all(text: str, rules: Sequence[Rule], now: datetime) -> Iterator[Piece]:
    for pattern, meaning in rules:
        for match in pattern.finditer(text):
            try:
                said = meaning(match, now)
            except (ValueError, OverflowError):  # the thirty-first of November
                continue
            if said and match.end() > match.start():
                yield Piece(match.start(), match.end(), said.day, said.period, said.clock, said.exact,
                            said.moment, said.weak)  # fmt: skip
