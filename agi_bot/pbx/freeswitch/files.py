"""Files that a channel plays one after another, and how much of them is still to be heard."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from esl import Event


class Files:
    """The end is reckoned from the files' lengths, and put right whenever one is reported as played."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lengths: dict[asyncio.Future[Event], float] = {}
        self._written_s = 0.0
        self.ends = 0.0
        """When the last will have been heard, s of the loop's clock."""

    @property
    def left_s(self) -> float:
        """What is being written or played and was not heard, s."""
        return self._written_s + max(0.0, self.ends - self._loop.time())

    @property
    def playing(self) -> list[asyncio.Future[Event]]:
        """Those that play or wait for their turn."""
        return list(self._lengths)

    @contextmanager
    def writing(self, seconds: float) -> Iterator[None]:
        """A file of that length is being made."""
        self._written_s = seconds
        try:
            yield
        finally:
            self._written_s = 0.0

    def play(self, done: asyncio.Future[Event], seconds: float) -> None:
        """A file was given to the channel; ``done`` tells its end."""
        self.ends = max(self.ends, self._loop.time()) + seconds
        self._lengths[done] = seconds
        done.add_done_callback(self._over)

    def forget(self) -> None:
        """The channel was told to break off."""
        self.ends = 0.0

    def _over(self, done: asyncio.Future[Event]) -> None:
        del self._lengths[done]
        if done.cancelled():
            return
        done.exception()  # looked at: a file whose turn never came
        if self.ends:
            self.ends = self._loop.time() + sum(self._lengths.values())
