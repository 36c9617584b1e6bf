"""The sound that a recogniser was given, against the sound of the call.  Pure."""

from __future__ import annotations

import numpy as np

from agi_bot.contracts import Word


class SoundClock:
    """Turns times of the sound that was fed into times of the call's sound, ms."""

    def __init__(self) -> None:
        self._fed = 0.0
        self._jumps: list[tuple[float, float]] = [(0.0, 0.0)]

    def hear(self, ms: float) -> None:
        """``ms`` were fed."""
        self._fed += ms

    def skip(self, ms: float) -> None:
        """``ms`` of the call passed unfed; negative: so much was fed that the call never had."""
        fed, skipped = self._jumps[-1]
        if fed == self._fed:
            self._jumps[-1] = (fed, skipped + ms)
        else:
            self._jumps.append((self._fed, skipped + ms))
        del self._jumps[:-64]

    def place(self, word: Word, origin_ms: float) -> Word:
        """``word`` with the call's times; ``origin_ms``: where libvosk began to count."""
        shift = round(origin_ms + self._skipped(word.start_ms + origin_ms))
        return Word(word.text, word.start_ms + shift, word.end_ms + shift, word.confidence)

    def _skipped(self, fed_ms: float) -> float:
        before = [skipped for fed, skipped in self._jumps if fed <= fed_ms + 1]
        return before[-1] if before else self._jumps[0][1]


class Quietest:
    """The quietest 60 ms of an utterance so far: what silence sounds like on this line."""

    def __init__(self, rate: int) -> None:
        self._size = rate * 60 // 1000
        self._piece = b""
        self._power = float("inf")

    def push(self, pcm: bytes) -> None:
        """A piece of 16-bit sound, of any length."""
        size = min(self._size, len(pcm) // 2)
        if not size:
            return
        pieces = np.frombuffer(pcm, dtype="<i2", count=len(pcm) // 2 // size * size).reshape(-1, size)
        floats = pieces.astype(np.float32)
        powers = np.einsum("ij,ij->i", floats, floats) / size
        best = int(powers.argmin())
        if powers[best] < self._power:
            self._piece, self._power = pieces[best].tobytes(), float(powers[best])

    def tile(self, size: int) -> bytes:
        """``size`` bytes of it, digital silence when nothing was heard."""
        piece = self._piece or b"\0\0"
        return (piece * (size // len(piece) + 1))[:size]
