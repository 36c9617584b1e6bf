"""A time limit for work that is done again and again."""

from __future__ import annotations

import asyncio
from types import TracebackType


class Patience:
    """``with`` it, work may take ``seconds``; then :class:`TimeoutError` is raised in its place.

    As ``asyncio.timeout``, but the timer stays from one piece of work to the next: a frame comes
    every 20 ms, and a timer for each costs more than most frames.  For the work of one task.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._working = False
        self._cancelling = 0
        self._until = 0.0
        self._over = False

    def __enter__(self) -> None:
        if self._loop is None:
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._working = True
        self._cancelling = self._task.cancelling() if self._task is not None else 0
        self._until = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_at(self._until, self._look)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._working = False
        if self._over and self._task is not None:
            self._over = False
            if self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def close(self) -> None:
        """No work will follow."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """The timer is due; of the work that goes on now, or of none."""
        self._timer = None
        if not self._working or self._task is None or self._loop is None:
            return
        if self._loop.time() < self._until:
            self._timer = self._loop.call_at(self._until, self._look)
        else:
            self._over = True
            self._task.cancel()
