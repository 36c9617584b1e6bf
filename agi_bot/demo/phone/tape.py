"""Sound with the times at which it was heard, and the stereo file made of two of them.  Pure but for :func:`save`."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from agi_bot.audio import LINE_RATE, Samples

JITTER_S = 0.05
"""A packet that comes this close to where it belongs is put where it belongs."""


class Tape:
    """Pieces of sound at 8000 Hz, each put where it was heard.

    Times are seconds of one clock.  Pieces that follow one another but for jitter are
    joined without a seam; after a gap the arrival time counts.
    """

    def __init__(self) -> None:
        self._pieces: list[tuple[float, Samples]] = []
        self._end = -1e9

    def add(self, at: float, samples: Samples) -> float:
        """Put ``samples`` down, heard at ``at``; where they were put, in seconds."""
        start = self._end if abs(at - self._end) < JITTER_S else max(at, self._end)
        self._pieces.append((start, samples))
        self._end = start + len(samples) / LINE_RATE
        return start

    @property
    def start(self) -> float | None:
        """When the first piece begins; ``None`` for an empty tape."""
        return self._pieces[0][0] if self._pieces else None

    @property
    def end(self) -> float:
        """When the last piece ends."""
        return self._end

    def samples(self, since: float, until: float) -> Samples:
        """The sound between two times, silence where there was none."""
        line = np.zeros(max(0, round((until - since) * LINE_RATE)), dtype=np.int16)
        for at, piece in self._pieces:
            _lay(line, round((at - since) * LINE_RATE), piece)
        return line


def _lay(line: Samples, start: int, piece: Samples) -> None:
    skip = max(0, -start)
    room = len(line) - (start + skip)
    part = piece[skip : skip + max(0, room)]
    line[start + skip : start + skip + len(part)] = part


def stereo(left: Tape, right: Tape) -> tuple[Samples, float]:
    """Both tapes side by side, shape (n, 2), and the time of the first sample."""
    starts = [tape.start for tape in (left, right) if tape.start is not None]
    since = min(starts, default=0.0)
    until = max(left.end, right.end, since)
    return np.stack([left.samples(since, until), right.samples(since, until)], axis=1), since


def save(path: Path, samples: Samples, rate: int = LINE_RATE) -> None:
    """Write ``samples``, shape (n,) or (n, 2), as a 16-bit WAV file."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.ascontiguousarray(samples, dtype="<i2").tobytes())
