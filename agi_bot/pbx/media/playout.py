"""The bot's sound on its way to the line: cut into chunks of 20 ms, taken out by the clock."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator

from agi_bot.audio import FRAME_MS, Frame, frame_bytes
from agi_bot.errors import CallGone, PbxError

AHEAD = 3
"""Chunks taken from the source before they are due: 60 ms against hiccups of the source."""


class Playout:
    """A few chunks between :meth:`play` and the clock, which calls :meth:`next`.

    Nothing lies between here and the caller's ear but the network, so emptying the queue
    (what cancelling :meth:`play` does) is silence at once.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._size = frame_bytes(rate)
        self._chunks: deque[bytes] = deque()
        self._room = asyncio.Event()
        self._playing = False
        self._gone: CallGone | None = None

    @property
    def ahead_ms(self) -> int:
        """What waits to be taken, ms."""
        return len(self._chunks) * FRAME_MS

    def next(self) -> bytes | None:
        """The 20 ms that are due now; ``None`` when nothing plays."""
        if not self._chunks:
            return None
        chunk = self._chunks.popleft()
        if len(self._chunks) <= 1:
            self._room.set()
        return chunk

    def close(self, error: CallGone) -> None:
        """The line is gone: a running :meth:`play`, and every later one, raises ``error``."""
        self._gone = self._gone or error
        self._chunks.clear()
        self._room.set()

    async def play(self, frames: AsyncIterable[Frame]) -> None:
        """Hand ``frames`` to the clock; returns when the last chunk has been taken.

        Raises :class:`CallGone`, :class:`PbxError` while another play is running, and
        :class:`ValueError` for a frame at another rate.
        """
        self._check_gone()
        if self._playing:
            raise PbxError("this call is playing already", cure="await or cancel the other play() first")
        self._playing = True
        source = aiter(frames)
        try:
            await self._feed(source)
        finally:
            self._chunks.clear()
            self._playing = False
            await _close(source)

    async def _feed(self, source: AsyncIterator[Frame]) -> None:
        rest = b""
        async for frame in source:
            if frame.rate != self.rate:
                raise ValueError(f"the line carries {self.rate} Hz, not {frame.rate} Hz")
            rest = await self._put(rest + frame.pcm)
        if rest:
            await self._put(rest.ljust(self._size, b"\0"))
        while self._chunks:
            await self._wait()
        self._check_gone()

    async def _put(self, pcm: bytes) -> bytes:
        start = 0
        while len(pcm) - start >= self._size:
            while len(self._chunks) >= AHEAD:
                await self._wait()
            self._check_gone()
            self._chunks.append(pcm[start : start + self._size])
            start += self._size
        return pcm[start:]

    async def _wait(self) -> None:
        self._room.clear()
        await self._room.wait()
        self._check_gone()

    def _check_gone(self) -> None:
        if self._gone is not None:
            raise self._gone


async def _close(source: AsyncIterator[Frame]) -> None:
    close = getattr(source, "aclose", None)
    if close is not None:
        await close()
