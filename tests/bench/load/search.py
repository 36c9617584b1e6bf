"""How many at once: steps up until it no longer holds, then halves the last step.  Pure."""

from __future__ import annotations

from collections.abc import Callable

GROWTH = 1.5
FINE = 0.08
"""The answer is good to this share of itself."""


def most(holds: Callable[[int], bool], first: int, limit: int) -> int:
    """The largest number, up to ``limit``, for which ``holds`` was seen to be true (0: none was).

    ``holds`` is assumed to be true below some number and false from there on.
    """
    good, bad, step = 0, limit + 1, first
    while good < limit and bad > limit:
        step = min(step, limit)
        if holds(step):
            good, step = step, max(step + 1, round(step * GROWTH))
        else:
            bad = step
    while bad <= limit and bad - good > max(1, round(FINE * good)):
        middle = (good + bad) // 2
        if holds(middle):
            good = middle
        else:
            bad = middle
    return good
