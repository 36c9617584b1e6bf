"""What is heard behind the caller's voice: noise of the line, echo of the bot."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from agi_bot.audio import LINE_RATE, Samples
from agi_bot.demo.phone.line import Line
from tests.bench.lab.slips import Slips

SPEECH_LEVEL = 1600.0
"""Level (rms, 16-bit) of the callers' speech: -26 dBFS."""

_SLACK = LINE_RATE * 60 // 1000
"""How much more than the delay's samples may wait: what jitter brings at once."""


@dataclass(frozen=True)
class Condition:
    """A line.  ``noise_db``: white noise so far below speech; ``echo_db``: the bot comes back so much softer.

    ``slips``: the delay of the echo moves, and frames come late, twice or not at all.
    """

    name: str
    noise_db: float | None = None
    echo_db: float | None = None
    echo_delay_ms: int = 160
    slips: bool = False


CONDITIONS = (
    Condition("clean"),
    Condition("20db", noise_db=20.0),
    Condition("10db", noise_db=10.0),
    Condition("echo-20db", echo_db=-20.0),
    Condition("echo-10db", echo_db=-10.0, echo_delay_ms=60),
)


class Behind:
    """The background of one line: call it for the next samples."""

    def __init__(self, condition: Condition, line: Line, seed: int) -> None:
        self._condition = condition
        self._line = line
        self._seen = len(line.heard)
        self._rng = np.random.default_rng(seed)
        self._delay = condition.echo_delay_ms * LINE_RATE // 1000
        self._echo: deque[int] = deque([0] * self._delay)
        self.slips = Slips(seed) if condition.slips else None

    def __call__(self, size: int) -> Samples:
        mixed = self._noise(size) + self._echoed(size)
        return np.asarray(np.clip(np.rint(mixed), -32768, 32767).astype(np.int16), dtype=np.int16)

    def _noise(self, size: int) -> np.ndarray:
        level = 4.0
        if self._condition.noise_db is not None:
            level = SPEECH_LEVEL * 10 ** (-self._condition.noise_db / 20)
        return self._rng.normal(0, level, size)

    def _echoed(self, size: int) -> np.ndarray:
        if self._condition.echo_db is None:
            return np.zeros(size)
        if not self._echo and self._seen < len(self._line.heard):
            # Nothing came for longer than the echo takes, as before the call's first packet.
            self._echo.extend([0] * self._delay)
        for heard in self._line.heard[self._seen :]:
            self._echo.extend(int(sample) for sample in heard.samples)
        self._seen = len(self._line.heard)
        if self.slips is not None:
            self._slip(self.slips.later())
        # A machine that stalls must not make the line longer for good.
        while len(self._echo) > self._delay + _SLACK:
            self._echo.popleft()
        taken = [self._echo.popleft() if self._echo else 0 for _ in range(size)]
        return np.array(taken) * 10 ** (self._condition.echo_db / 20)

    def _slip(self, by: int) -> None:
        self._delay += by
        self._echo.extendleft([0] * by)
        for _ in range(min(-by, len(self._echo))):
            self._echo.popleft()
