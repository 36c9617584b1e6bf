"""Events for one listener: a bounded queue that drops the oldest and counts what it dropped."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from esl.messages import Event

DEFAULT_SIZE = 10_000
"""Events that a stream holds for a slow listener (50 MB at 5 kB an event)."""


class EventStream:
    """An async iterator over events, until it is closed.

    A flood cannot fill the memory: when ``size`` events wait, the oldest is dropped and
    :attr:`dropped` counts it.
    """

    def __init__(
        self, names: tuple[str, ...], *, size: int = DEFAULT_SIZE, on_close: Callable[[EventStream], None]
    ) -> None:
        self.names = names
        self.dropped = 0
        self._wanted = _wanted(names)
        self._queue: deque[Event] = deque()
        self._size = size
        self._ready = asyncio.Event()
        self._closed = False
        self._on_close = on_close

    def offer(self, event: Event) -> None:
        """Queue ``event`` when the stream wants it."""
        if self._closed or not self._wants(event):
            return
        if len(self._queue) >= self._size:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append(event)
        self._ready.set()

    def finish(self) -> None:
        """No more events will come; what is queued can still be read."""
        self._closed = True
        self._ready.set()

    def close(self) -> None:
        """Stop listening and forget what is queued."""
        self._queue.clear()
        self.finish()
        self._on_close(self)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        while not self._queue:
            if self._closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._queue.popleft()

    def next_now(self) -> Event | None:
        """The next event when one waits, else None."""
        return self._queue.popleft() if self._queue else None

    def __enter__(self) -> EventStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wants(self, event: Event) -> bool:
        if self._wanted is None:
            return True
        return (event.subclass if event.name == "CUSTOM" else event.name) in self._wanted


def _wanted(names: tuple[str, ...]) -> frozenset[str] | None:
    """None: every event.  Behind ``CUSTOM`` stand subclasses."""
    if "ALL" in names:
        return None
    return frozenset(names) - {"CUSTOM"}
