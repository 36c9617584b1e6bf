"""What goes wrong on the way of a line's sound, seeded.

Its delay jumps by a frame or two and grows with a clock that is 50 ppm off; frames come late
and all at once, are lost, or come twice.
"""

from __future__ import annotations

import random

from agi_bot.audio import LINE_RATE, Frame

JUMP_S = 4.0
"""Mean time between jumps of the echo's delay, s."""

TROUBLE_S = 3.0
"""Mean time between troubles of frames, s."""

FRAME = LINE_RATE // 50
DRIFT = 20_000
"""After so many samples the echo comes one sample later: 50 ppm."""


class Slips:
    """One line's; told of every 20 ms in either direction."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._held: list[Frame] = []
        self._hold = 0
        self._samples = self._strayed = 0

    def later(self) -> int:
        """Samples by which the echo comes later from now on (negative: earlier)."""
        self._samples += FRAME
        drift = self._samples // DRIFT
        self._samples -= drift * DRIFT
        return drift + (self._jump() if self._rng.random() < 0.02 / JUMP_S else 0)

    def _jump(self) -> int:
        """Never further than two frames from where it was at first."""
        by = self._rng.choice([-2, -1, 1, 2])
        by = by if abs(self._strayed + by) <= 2 else -by
        self._strayed += by
        return by * FRAME

    def frames(self, frame: Frame) -> list[Frame]:
        """What arrives now that ``frame`` is due."""
        if not self._hold and self._rng.random() < 0.02 / TROUBLE_S:
            self._hold = self._rng.choice([-1, 0, 3, 6])
            if self._hold <= 0:
                twice, self._hold = self._hold == 0, 0
                return [frame, frame] if twice else []
        self._held.append(frame)
        self._hold = max(0, self._hold - 1)
        if self._hold:
            return []
        held, self._held = self._held, []
        return held
