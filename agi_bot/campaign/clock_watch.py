"""Whether the wall clock was set.  Pure."""

from __future__ import annotations

SET_S = 20.0
"""A wall clock that is slewed moves by less than 2 s an hour; one that moves so far was set, or the machine slept."""


class ClockWatch:
    """Compares the wall clock with a clock that nobody sets; both in s."""

    def __init__(self) -> None:
        self._between: float | None = None

    def set_by(self, wall: float, steady: float) -> float:
        """How far the wall clock was set since the last question, s; 0 when it was not."""
        between = wall - steady
        moved = 0.0 if self._between is None else between - self._between
        # Slewing adds up over days and is not asked about.
        self._between = between
        return moved if abs(moved) >= SET_S else 0.0
