"""What is wrong with a flow: where, which rule, and the cure.

Positions are 1-based lines and columns, columns counted in characters, as editors show them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from agi_bot.errors import FlowError
from agi_bot.findings import Spot as Spot


class Severity(StrEnum):
    """An error forbids the flow to be called; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding of the loader or of the checker; ``text`` is the offending text."""

    file: str
    line: int
    column: int
    rule: str
    severity: Severity
    message: str
    cure: str
    text: str = ""

    @classmethod
    def at(
        cls,
        spot: Spot,
        rule: str,
        message: str,
        cure: str,
        *,
        text: str = "",
        severity: Severity = Severity.ERROR,
    ) -> Problem:
        """A problem at ``spot``."""
        return cls(spot.file, spot.line, spot.column, rule, severity, message, cure, text)

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.severity.value}: {self.message} [{self.rule}]\n    cure: {self.cure}"


class BrokenFlow(FlowError):
    """A flow cannot be used; :attr:`problems` says why, one entry for each fault found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sorted by place, each distinct problem once."""
    unique = dict.fromkeys(problems)
    return sorted(unique, key=lambda p: (p.file, p.line, p.column, p.rule))


def as_json(problems: Iterable[Problem]) -> str:
    """A JSON array of objects with the fields of :class:`Problem`."""
    return json.dumps([asdict(problem) for problem in problems], ensure_ascii=False, indent=2)


def as_text(problems: Iterable[Problem]) -> str:
    """Compiler-style lines, each followed by its cure."""
    return "\n".join(_with_text(problem) for problem in problems)


def as_github(problems: Iterable[Problem]) -> str:
    """Workflow commands that GitHub shows beside the changed line."""
    return "\n".join(_annotation(problem) for problem in problems)


def _with_text(problem: Problem) -> str:
    head, cure = str(problem).split("\n", 1)
    quoted = f"\n    | {_one_line(problem.text)}" if problem.text else ""
    return f"{head}{quoted}\n{cure}"


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 100 else f"{flat[:99]}…"


def _annotation(problem: Problem) -> str:
    place = f"file={_property(problem.file)},line={problem.line},col={problem.column}"
    message = _escaped(f"{problem.message} Cure: {problem.cure}")
    return f"::{problem.severity.value} {place},title={_property(problem.rule)}::{message}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
