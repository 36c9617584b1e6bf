"""Slips of the keyboard behind a YAML error: full-width signs, a blank forgotten, a text that begins with ``{``.

A YAML reader gives up lines later, and for reasons that help no author.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_LOOKED_BACK = 3
"""Lines before the place where the reader gave up; it is there or in the line above, comments aside."""

_NAME = r"^\s*(?:-\s+)?[^\W\d]\w*"
_SLIPS: Sequence[tuple[re.Pattern[str], str, str]] = (
    (re.compile(rf"{_NAME}(?P<slip>：)"), "a full-width colon ends this name", "write `: `, a colon and a blank"),
    (
        re.compile(rf"{_NAME}(?P<slip>:)(?=[^\s:/])"),
        "no blank follows the colon of this name",
        "write `: `, a colon and a blank",
    ),
    (
        re.compile(rf"{_NAME}:(?P<slip>[\u3000\u00a0])"),
        "a full-width or non-breaking blank follows this name",
        "write `: `, a colon and a blank",
    ),
    (
        re.compile(r"(?::\s+|^\s*-\s+)(?P<slip>\{\w+(?:\|\w+)?\})(?=[^\s,}\]])"),
        "a text that begins with { is taken for a mapping",
        "put the whole text in quotes",
    ),
    (
        re.compile(r"(?::\s+|^\s*-\s+)(?P<slip>[【［｛])"),
        "a full-width bracket opens this",
        "write [ or {; put it in quotes if it is meant as text",
    ),
    (
        re.compile(r"[{\[].*?\w\s*(?P<slip>，)\s*\w+\s*[:：]"),
        "a full-width comma stands between two names",
        "write `, `, a comma and a blank",
    ),
    (
        re.compile(r"[{\[].*?(?P<slip>，)\s*[A-Za-z_]+\s*[:：](?=\s)"),
        "a full-width comma stands before a name",
        "write a half-width comma and a blank: `, `",
    ),
    (
        re.compile(r"(?:\[.*?|[}\]]\s*)(?P<slip>，)\s*(?=[{\[]\s*\w)"),
        "a full-width comma stands between two of a list",
        "write a half-width comma and a blank: `, `",
    ),
    (
        re.compile(r"[{,]\s*\w+(?P<slip>：)"),
        "a full-width colon ends this name",
        "write `: `, a colon and a blank",
    ),
)


@dataclass(frozen=True, slots=True)
class Slip:
    """What was mistyped; line and column count from 1."""

    line: int
    column: int
    message: str
    cure: str


def slip_near(lines: Sequence[str], line: int) -> Slip | None:
    """The slip nearest before the end of ``line`` (from 1), ``None`` where nothing looks like one."""
    numbers = range(min(line, len(lines)), max(0, line - 1 - _LOOKED_BACK), -1)
    return next((slip for number in numbers if (slip := _slip(lines[number - 1], number))), None)


def all_slips(lines: Sequence[str]) -> list[Slip]:
    """The first slip of each line that has one; a text that is meant as one may look like it."""
    return [slip for number, line in enumerate(lines, 1) if (slip := _slip(line, number))]


def _slip(line: str, number: int) -> Slip | None:
    for pattern, message, cure in _SLIPS:
        if found := pattern.search(line):
            return Slip(number, found.start("slip") + 1, message, cure)
    return None
