"""The beep of an answering machine: one pure tone of any pitch that stands still.  Pure.

Machines differ in pitch (350 to 2200 Hz) and length, so no table of frequencies fits: a
frame is a tone when nearly all of its energy lies in one narrow peak (Hann window, main
lobe of four bins), where the peak of the frame before was.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from agi_bot.audio import Frame

LOWEST_HZ, HIGHEST_HZ = 350.0, 2200.0
PURITY = 0.92
"""Share of a frame's energy in the peak; voiced speech spreads over its harmonics."""

QUIET_DBFS = -45.0
DRIFT_HZ = 25.0


class BeepDetector:
    """Feed it the frames of the other side, 20 ms or longer each."""

    def __init__(self) -> None:
        self._last_hz = 0.0

    def push(self, frame: Frame) -> bool:
        """Whether the pitch of ``frame`` goes on as a pure tone."""
        found = _pure_hz(frame)
        steady = found > 0 and abs(found - self._last_hz) <= DRIFT_HZ
        self._last_hz = found
        return steady


def _pure_hz(frame: Frame) -> float:
    """The frequency of a pure tone, Hz; 0 for anything else."""
    samples = frame.samples.astype(np.float64) / 32768.0
    if len(samples) < 64 or 10 * np.log10(np.mean(samples**2) + 1e-12) < QUIET_DBFS:
        return 0.0
    power = np.abs(np.fft.rfft(samples * _window(len(samples)))) ** 2
    peak = int(np.argmax(power))
    lobe = power[max(0, peak - 2) : peak + 3]
    hz = float(np.average(np.arange(max(0, peak - 2), peak + 3)[: len(lobe)], weights=lobe)) * frame.rate / len(samples)
    pure = float(lobe.sum()) >= PURITY * float(power.sum())
    return hz if pure and LOWEST_HZ <= hz <= HIGHEST_HZ else 0.0


@lru_cache(maxsize=4)
def _window(size: int) -> npt.NDArray[np.float64]:
    return np.hanning(size)
