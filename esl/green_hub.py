"""The one thread in which gevent and greenswitch run, and the way into it from asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import gevent
import gevent.event


class Hub:
    """The one thread in which greenswitch and gevent run."""

    def __init__(self) -> None:
        self._work: deque[Callable[[], None]] = deque()
        self._started = threading.Event()
        self._wake: Any = None
        threading.Thread(target=self._run, name="greenswitch", daemon=True).start()
        self._started.wait()

    def start(self, work: Callable[[], None]) -> None:
        """Run ``work`` in a greenlet of its own.  Safe from any thread."""
        self._work.append(work)
        self._wake.send()

    async def call(self, work: Callable[[], Any]) -> Any:
        """Run ``work`` there and wait for what it returns or raises."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()

        def run() -> None:
            try:
                result = work()
            except BaseException as error:
                post(loop, _fail, done, error)
            else:
                post(loop, _finish, done, result)

        self.start(run)
        return await done

    def _run(self) -> None:
        self._wake = gevent.get_hub().loop.async_()
        self._wake.start(self._drain)
        self._started.set()
        gevent.event.Event().wait()

    def _drain(self) -> None:
        while self._work:
            gevent.spawn(self._work.popleft())


_hub: Hub | None = None


def hub() -> Hub:
    """The thread, started when it is first needed."""
    global _hub
    if _hub is None:
        _hub = Hub()
    return _hub


def post(loop: asyncio.AbstractEventLoop, work: Callable[..., None], *arguments: Any) -> None:
    """Run ``work`` in the loop; nothing happens when the loop has ended meanwhile."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(work, *arguments)


def _finish(done: asyncio.Future[Any], result: Any) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: asyncio.Future[Any], error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)
