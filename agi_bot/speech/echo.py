"""Is this sound the caller, or the bot's own voice coming back?  Pure.

On a line without echo cancellation the bot hears itself, some 20-500 ms later and 10-40 dB
down.  :class:`EchoGuard` follows the level of what goes out and of what comes in, 20 ms by
20 ms: for each delay it keeps the running regression of incoming on outgoing amplitude.
Where one delay explains the incoming level, sound that is not louder than the echo
foretold there cannot be the caller.  An echo that was found once is kept while the caller
speaks into it, until loud outgoing sound comes back without one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from agi_bot.audio import Frame

Floats = npt.NDArray[np.float64]

_AUDIBLE = 1e-3
"""Amplitude (full scale 1) of sound that is no noise of the line: -60 dBFS."""

_SILENT = 1e-4

_AHEAD_FRAMES = 10
"""No line is handed more frames than this ahead of their time."""


@dataclass(frozen=True, slots=True)
class EchoSettings:
    """Limits of the guard.

    ``max_delay_frames``: longest echo, frames of 20 ms.  ``margin_db``: the caller must be
    this much louder than the echo.  ``correlation``: from here on a delay counts as found.
    ``learn_frames``: frames of outgoing speech before anything counts as known.
    ``assume_db``: echo taken for granted until then.  ``memory``: forgetting per frame.
    ``spread_frames``: how far an echo may stray from its delay (buffers on the way breathe).
    ``absent_frames``: loud frames without echo after which it is gone.
    """

    max_delay_frames: int = 30
    margin_db: float = 4.0
    spread_frames: int = 8
    correlation: float = 0.55
    learn_frames: int = 20
    assume_db: float = -12.0
    memory: float = 0.985
    absent_frames: int = 25


class EchoGuard:
    """One call's guard.  Feed the outgoing frames of 20 ms as they are sent, and every incoming one."""

    def __init__(self, settings: EchoSettings | None = None) -> None:
        self._settings = settings or EchoSettings()
        size = self._settings.max_delay_frames + 2
        self._out = np.zeros(size)
        self._sounding = 0
        """Frames until nothing of what went out can come back."""
        self._terms = np.zeros((3, size))
        self._sums = np.zeros((3, size))
        """For each delay the sums of outgoing, its square, and its product with incoming amplitude."""
        self._sum_in = self._sum_in_square = self._weight = 0.0
        self._pending: deque[float] = deque(maxlen=_AHEAD_FRAMES)
        self._loud = self._absent = 0
        self._found: tuple[int, float] | None = None

    def outgoing(self, frame: Frame) -> None:
        """``frame`` was handed to the line, which may take several at once and plays one every 20 ms."""
        self._pending.append(_amplitude(frame))

    def incoming(self, frame: Frame) -> bool:
        """True when ``frame`` is no louder than the bot's own echo would be."""
        self._shift(self._pending.popleft() if self._pending else 0.0)
        if not self._sounding:
            return False
        heard = _amplitude(frame)
        self._learn(self._bounded(heard))
        self._find()
        expected = self.expected()
        self._miss(heard, expected)
        return heard <= expected * 10 ** (self._settings.margin_db / 20)

    def expected(self) -> float:
        """Amplitude (rms, full scale 1) of the echo foretold for the last incoming frame."""
        delay, gain = self._echo()
        spread = self._settings.spread_frames
        near = self._out[max(0, delay - spread) : delay + spread + 1] if delay >= 0 else self._out[:12]
        return float(near.max()) * gain

    @property
    def return_loss_db(self) -> float | None:
        """Level of the echo against the outgoing sound, dB; None while unknown or absent."""
        delay, gain = self._echo()
        return 20 * float(np.log10(gain)) if delay >= 0 and gain > 0 else None

    def _shift(self, sent: float) -> None:
        self._out[1:] = self._out[:-1]
        self._out[0] = sent
        self._sounding = len(self._out) if sent else max(0, self._sounding - 1)

    def _learn(self, heard: float) -> None:
        keep = self._settings.memory
        out, squares, products = self._terms
        out[:] = self._out
        np.multiply(out, out, squares)
        np.multiply(out, heard, products)
        self._sums *= keep
        self._sums += self._terms
        self._sum_in = keep * self._sum_in + heard
        self._sum_in_square = keep * self._sum_in_square + heard * heard
        self._weight = keep * self._weight + 1
        self._loud += bool(self._out[0] > _AUDIBLE)

    def _bounded(self, heard: float) -> float:
        """No echo is louder than this: the caller's own voice must not spoil what is known."""
        if self._found is None:
            return heard
        return min(heard, 2 * self._found[1] * float(self._out.max()))

    def _find(self) -> None:
        if self._loud < self._settings.learn_frames:
            return
        correlation, common, variance = self._regression()
        best = int(correlation.argmax())
        if correlation[best] >= self._settings.correlation:
            self._found = best, max(0.0, float(common[best]) / max(float(variance[best]), 1e-12))

    def _miss(self, heard: float, expected: float) -> None:
        """Count loud frames that came back without their echo."""
        if self._found is None or expected < _AUDIBLE:
            return
        self._absent = self._absent + 1 if heard < expected / 4 else 0
        if self._absent >= self._settings.absent_frames:
            self._found, self._absent = None, 0

    def _echo(self) -> tuple[int, float]:
        """Delay in frames (-1: none known) and gain of the echo."""
        if self._found is not None:
            return self._found
        known = self._loud >= self._settings.learn_frames
        return -1, 0.0 if known else 10 ** (self._settings.assume_db / 20)

    def _regression(self) -> tuple[Floats, Floats, Floats]:
        """For each delay: correlation, common variance, variance of what went out."""
        out, squares, products = self._sums
        variance = squares - out * out / self._weight
        common = products - out * (self._sum_in / self._weight)
        variance_in = self._sum_in_square - self._sum_in**2 / self._weight
        return common / np.sqrt(np.maximum(variance * variance_in, 1e-18)), common, variance


def _amplitude(frame: Frame) -> float:
    """Rms, full scale 1; 0 for what is softer than -80 dBFS."""
    values = frame.samples.astype(np.float64)
    amplitude = sqrt(float(values @ values) / max(1, len(values))) / 32768.0
    return amplitude if amplitude > _SILENT else 0.0
