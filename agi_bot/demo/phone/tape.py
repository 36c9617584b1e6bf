"""Sound with the times at which it was heard, and the stereo file made of two of them.  Pure but for :func:`save`."""

from __future__ import annotations

import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agi_bot.audio import LINE_RATE, Samples

NO_STAMP = -1


@dataclass(frozen=True, slots=True)
class Piece:
    """Sound at 8000 Hz, heard at ``at`` (s); ``stamp`` counts samples where the sender counted them."""

    at: float
    samples: Samples
    stamp: int = NO_STAMP


class Tape:
    """Pieces of sound, each put where it belongs.  Times are seconds of one clock.

    A piece without a stamp belongs where it was heard.  Pieces whose stamps follow one
    another belong together without a seam, at the delay of the quickest of them: what came
    late, came late on the way.
    """

    def __init__(self) -> None:
        self._pieces: list[Piece] = []

    def add(self, at: float, samples: Samples, stamp: int = NO_STAMP) -> None:
        """Put ``samples`` down, heard at ``at``."""
        self._pieces.append(Piece(at, samples, stamp))

    @property
    def start(self) -> float | None:
        """When the sound begins; ``None`` for an empty tape."""
        return min((at for at, _ in self.placed()), default=None)

    @property
    def end(self) -> float:
        """When the sound ends; 0 for an empty tape."""
        return max((at + len(samples) / LINE_RATE for at, samples in self.placed()), default=0.0)

    def placed(self) -> Iterator[tuple[float, Samples]]:
        """Where each piece begins, and its sound."""
        for run in _runs(self._pieces):
            quickest = min(piece.at - piece.stamp / LINE_RATE for piece in run)
            for piece in run:
                yield quickest + piece.stamp / LINE_RATE, piece.samples

    def samples(self, since: float, until: float) -> Samples:
        """The sound between two times, silence where there was none."""
        line = np.zeros(max(0, round((until - since) * LINE_RATE)), dtype=np.int16)
        for at, piece in self.placed():
            _lay(line, round((at - since) * LINE_RATE), piece)
        return line


def _runs(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Pieces whose stamps follow one another, together."""
    run: list[Piece] = []
    for piece in pieces:
        last = run[-1] if run else None
        if last and (piece.stamp == NO_STAMP or piece.stamp != last.stamp + len(last.samples)):
            yield run
            run = []
        run.append(piece)
    if run:
        yield run


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
