"""The call's own clock."""

from __future__ import annotations

import asyncio


class Clock:
    """Milliseconds since :meth:`start`, by the event loop's clock, which never goes back."""

    def __init__(self) -> None:
        self._zero = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """The bot has the call now."""
        self._loop = asyncio.get_running_loop()
        self._zero = self._loop.time()

    def at(self, loop_s: float) -> float:
        """The moment that was ``loop_s`` by the event loop's clock, ms since the start."""
        return (loop_s - self._zero) * 1000

    @property
    def ms(self) -> float:
        """Time since the start, ms."""
        loop = self._loop or asyncio.get_running_loop()
        return (loop.time() - self._zero) * 1000
