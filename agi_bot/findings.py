"""What a check found: a place in a file; of an installation, a level, what was seen and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a file; line and column count from 1, columns in characters, as editors show them."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``agi-bot check``: ``what`` was seen and, unless all is well, the ``cure``."""

    level: Level
    what: str
    cure: str = ""


def ok(what: str) -> Finding:
    """All is well with ``what``."""
    return Finding(Level.OK, what)


def warning(what: str, cure: str) -> Finding:
    """It works, but something is missing or will hurt later."""
    return Finding(Level.WARNING, what, cure)


def error(what: str, cure: str) -> Finding:
    """It cannot work like this."""
    return Finding(Level.ERROR, what, cure)


def worst(findings: list[Finding]) -> Level:
    """The worst level among ``findings``; ``ok`` when there are none."""
    order = list(Level)
    return max((finding.level for finding in findings), key=order.index, default=Level.OK)
