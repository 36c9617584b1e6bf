"""What is wrong with training data: where, what, and the cure.

Lines and columns count from 1, columns in characters, as editors show them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from agi_bot.errors import NluError
from agi_bot.findings import Spot as Spot
from agi_bot.written import indent_slips, syntax_slip


@dataclass(frozen=True, slots=True)
class Fault:
    """One finding in a data file."""

    spot: Spot
    message: str
    cure: str

    def __str__(self) -> str:
        return f"{self.spot}: {self.message}\n    cure: {self.cure}"


def yaml_fault(error: yaml.YAMLError | RecursionError, text: str, file: str) -> Fault:
    """Why the YAML reader gave up on ``text``."""
    if isinstance(error, RecursionError):
        return Fault(Spot(file), "this is not YAML: nested too deeply", "indent with spaces, two a level")
    slip = next(indent_slips(text), None) or syntax_slip(error, text)
    return Fault(Spot(file, slip.line, slip.column), slip.message, slip.cure)


class BrokenData(NluError):
    """Training data cannot be used; :attr:`faults` says why, one entry for each fault found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))
