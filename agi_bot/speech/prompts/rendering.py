"""One prompt being rendered, for everybody who wants it at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from agi_bot.audio import Frame


class Rendering:
    """Frames as they come, from the first one on, to any number of followers.

    It stops when the last follower has left.  ``done`` is told the whole sound.
    """

    def __init__(self, frames: AsyncIterator[Frame], done: Callable[[bytes], None], gone: Callable[[], None]) -> None:
        self._frames: list[Frame] = []
        self._news = asyncio.Event()
        self._followers = 0
        self._gone = gone
        self._task = asyncio.create_task(self._render(frames, done))
        self._task.add_done_callback(self._finish)

    def join(self) -> None:
        """Count one more follower; each calls :meth:`leave` once."""
        self._followers += 1

    def leave(self) -> None:
        """One follower less; the last one stops the work."""
        self._followers -= 1
        if self._followers == 0:
            self._task.cancel()
            self._gone()

    async def follow(self) -> AsyncIterator[Frame]:
        """All frames, the past ones at once.  Raises what the voice raised."""
        index = 0
        while True:
            while index < len(self._frames):
                yield self._frames[index]
                index += 1
            if self._task.done():
                break
            self._news.clear()
            await self._news.wait()
        self._task.result()

    async def _render(self, frames: AsyncIterator[Frame], done: Callable[[bytes], None]) -> None:
        async with aclosing(frames) as open_frames:  # type: ignore[type-var]
            async for frame in open_frames:
                self._frames.append(frame)
                self._news.set()
        done(b"".join(frame.pcm for frame in self._frames))

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._gone()
        self._news.set()
        if not task.cancelled():
            task.exception()  # a follower that left early does not ask for it
