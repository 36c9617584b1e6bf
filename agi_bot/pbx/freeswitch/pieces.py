"""A play cut into files: pieces that end where the voice pauses.  Asyncio, but without any I/O."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable

import numpy as np

from agi_bot.audio import Frame, frame_bytes

FIRST_S = 0.2
"""The first piece is short, so that the voice begins early, s."""

LONGEST_S = 1.2
"""A longer piece would be that much more that nobody hears when the caller interrupts, s."""

LOOK_BACK_S = 0.5
"""In the last part of a piece the quietest place is looked for, s: between two files lie 20 ms of silence."""


class Pieces:
    """Reads ahead of the caller's ear by :data:`LONGEST_S` at most; :meth:`read` runs beside :meth:`next`.

    Raises :class:`ValueError` from :meth:`next` for a frame at another rate, and whatever the source raised.
    """

    def __init__(self, frames: AsyncIterable[Frame], rate: int) -> None:
        self._frames = frames
        self._rate = rate
        self._held = bytearray()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._error: BaseException | None = None
        self._over = False

    async def read(self) -> None:
        """Take the source's frames until it ends."""
        try:
            async for frame in self._frames:
                if frame.rate != self._rate:
                    raise ValueError(f"the line carries {self._rate} Hz, not {frame.rate} Hz")
                self._held += frame.pcm
                self._news.set()
                while self.held_s >= LONGEST_S:
                    self._room.clear()
                    await self._room.wait()
        except Exception as error:
            self._error = error
        finally:
            self._over = True
            self._news.set()

    async def next(self, at_least_s: float) -> bytes:
        """PCM of at least that length, less at the end; empty when nothing is left."""
        while self.held_s < at_least_s and not self._over:
            self._news.clear()
            await self._news.wait()
        if self._error is not None:
            raise self._error
        end = len(self._held) if self._over and self.held_s <= LONGEST_S else self._quietest()
        piece = bytes(self._held[:end])
        del self._held[:end]
        self._room.set()
        return piece

    @property
    def held_s(self) -> float:
        """What was taken from the source and not given out, s."""
        return len(self._held) / 2 / self._rate

    def _quietest(self) -> int:
        """Where to cut, in bytes: behind the quietest 20 ms of the last part."""
        size = frame_bytes(self._rate)
        held = np.frombuffer(bytes(self._held), dtype="<i2")[: int(LONGEST_S * self._rate)]
        count = len(held) * 2 // size
        if count < 2:
            return len(self._held)
        power = np.square(held[: count * size // 2].astype(np.float32)).reshape(count, -1).mean(axis=1)
        first = max(1, count - round(LOOK_BACK_S / 0.02))
        return (first + int(np.argmin(power[first:])) + 1) * size
