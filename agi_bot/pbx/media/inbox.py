"""What the caller sends, until the bot takes it: a bounded queue that drops the oldest sound."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from agi_bot.audio import Frame
from agi_bot.contracts import Digit


class Inbox:
    """Frames and digits in order; when full the oldest frame goes, never a digit.

    ``size`` is counted in items (of 20 ms each on a telephone line).  One at a time reads :meth:`items`.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: deque[Frame | Digit] = deque()
        self._news: asyncio.Future[None] | None = None
        """What the reader waits for: an event would be set fifty times a second, and looked after each time."""
        self._closed = False
        self.dropped = 0

    @property
    def full(self) -> bool:
        """Whether the next :meth:`put` drops something."""
        return len(self._items) >= self._size

    def put(self, item: Frame | Digit) -> None:
        """Add ``item``; it is ignored after :meth:`close`."""
        if self._closed:
            return
        if self.full:
            self._drop()
        self._items.append(item)
        self._tell()

    def close(self, *, discard: bool = False) -> None:
        """No more will come; ``discard`` also throws away what was not taken yet."""
        self._closed = True
        if discard:
            self._items.clear()
        self._tell()

    async def items(self) -> AsyncIterator[Frame | Digit]:
        """Everything in order, until :meth:`close`."""
        while True:
            while self._items:
                yield self._items.popleft()
            if self._closed:
                return
            self._news = asyncio.get_running_loop().create_future()
            await self._news

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _drop(self) -> None:
        for place, item in enumerate(self._items):
            if isinstance(item, Frame):
                del self._items[place]
                self.dropped += 1
                return
        self._items.popleft()
