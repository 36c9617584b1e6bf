"""How many at once: steps up until it no longer holds, then halves the last step.  Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

GROWTH = 1.5
FINE = 0.05
"""The answer is good to this share of itself."""


@dataclass(frozen=True)
class Most:
    """``good`` held (0: nothing did), ``bad`` did not (None: everything up to the limit held)."""

    good: int
    bad: int | None

    @property
    def upto(self) -> int:
        """The largest number that may hold."""
        return self.good if self.bad is None else self.bad - 1


def most(holds: Callable[[int], bool], first: int, limit: int) -> Most:
    """The largest number, up to ``limit``, for which ``holds`` was seen to be true, and the least above that was not.

    ``holds`` is assumed to be true below some number and false from there on.
    """
    good, bad, step = 0, limit + 1, min(first, limit)
    while good < limit and bad > limit:
        if holds(step):
            good, step = step, min(limit, max(step + 1, round(step * GROWTH)))
        else:
            bad = step
    while bad <= limit and bad - good > max(1, round(FINE * good)):
        middle = (good + bad) // 2
        if holds(middle):
            good = middle
        else:
            bad = middle
    return Most(good, bad if bad <= limit else None)
