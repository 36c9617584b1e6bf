"""Where in the recording a sound stands that was heard.  Pure.

What is heard has no gaps of its own; the recording has silence where the line brought nothing.
"""

from __future__ import annotations


class Shift:
    """How much later a sound stands in the recording than in what was heard, ms of the caller's sound.

    It grows with each gap, for what comes after it.  When what was held up arrives after all, the
    recording takes the gap's silence out again: for everything behind the gap.
    """

    def __init__(self) -> None:
        self._steps = [(0, 0)]
        """From which ms of what was heard on it is how much, in order; both grow."""

    def note(self, heard_ms: int, later_ms: int) -> None:
        """The sound that was heard at ``heard_ms``, the latest, stands ``later_ms`` later in the recording."""
        steps = self._steps
        if later_ms > steps[-1][1]:
            steps.append((heard_ms, later_ms))
            return
        while len(steps) > 1 and steps[-2][1] >= later_ms:
            steps.pop()
        steps[-1] = (steps[-1][0], later_ms)

    def at(self, heard_ms: int) -> int:
        """How much later the sound stands that was heard at ``heard_ms``."""
        return next((later for begin, later in reversed(self._steps) if begin <= heard_ms), self._steps[0][1])
