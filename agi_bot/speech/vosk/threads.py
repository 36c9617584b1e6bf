"""Threads that work for calls, of which one that hangs is replaced.

A library that hangs cannot be interrupted.  So a thread that is at one job for too long is given
up: another takes its place and the jobs that wait.  If it ever comes back, it works on where a place
is free, and ends where none is.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from typing import Any, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

LONG_S = 2.0
"""A job that runs for so long hangs, s; a call waits 3 s for its recogniser."""


def _nothing() -> None:
    """Prepares nothing."""


class _Thread:
    """One thread, what it works at and since when, s of the steady clock (``None``: it waits)."""

    def __init__(self) -> None:
        self.since: float | None = None
        self.limit_s = 0.0
        self.given_up = False

    def late_s(self, now: float) -> float:
        """How much longer than it may it has been at its job, s."""
        since = self.since
        return 0.0 if since is None else now - since - self.limit_s


_Job = Callable[[_Thread], None]


class _Jobs:
    """What waits for a thread; what is urgent overtakes.  ``None`` ends a thread."""

    def __init__(self) -> None:
        self._told: queue.SimpleQueue[None] = queue.SimpleQueue()
        """One for each job."""
        self._urgent: deque[_Job] = deque()
        self._others: deque[_Job | None] = deque()

    def put(self, job: _Job | None, *, urgent: bool = False) -> None:
        if urgent and job is not None:
            self._urgent.append(job)
        else:
            self._others.append(job)
        self._told.put(None)

    def get(self, *, block: bool = True) -> _Job | None:
        """The next one.  Raises :class:`queue.Empty` where none is and ``block`` is false."""
        self._told.get(block)
        try:
            return self._urgent.popleft()
        except IndexError:
            return self._others.popleft()

    def empty(self) -> bool:
        return self._told.empty()


class _Within(Executor):
    def __init__(self, threads: Threads, limit_s: float, urgent: bool) -> None:
        self._threads = threads
        self._limit_s = limit_s
        self._urgent = urgent

    def submit(self, fn: Callable[..., T], /, *args: Any, **_: Any) -> Future[T]:
        return self._threads.submit(fn, *args, limit_s=self._limit_s, urgent=self._urgent)


class Threads:
    """``count`` threads; ``prepare`` runs first in each.

    Have :meth:`look` called now and then.  ``most_lost`` is how many are given up before
    :attr:`hangs` says that there is no use in more.
    """

    def __init__(self, count: int, name: str, prepare: Callable[[], None] = _nothing, most_lost: int = 0) -> None:
        self._count = count
        self._name = name
        self._prepare = prepare
        self._most_lost = most_lost or 4 * count
        self._jobs = _Jobs()
        self._lock = threading.Lock()
        self._at_work: list[_Thread] = []
        self._lost: set[_Thread] = set()
        self._stopped = False
        self.replaced = 0
        """Threads that were given up and replaced."""
        for _ in range(count):
            self._start()

    @property
    def stuck(self) -> int:
        """Threads that were given up and have not come back."""
        return len(self._lost)

    @property
    def hangs(self) -> bool:
        """Whether every thread hangs and none is put in its place any more."""
        return not self._at_work and not self._stopped

    def submit(
        self, function: Callable[..., T], *arguments: Any, limit_s: float = LONG_S, urgent: bool = False
    ) -> Future[T]:
        """Have ``function`` called in a thread, which may take ``limit_s``; before all others where it is ``urgent``.

        Raises :class:`RuntimeError` after :meth:`stop`.
        """
        if self._stopped:
            raise RuntimeError("the threads have been stopped")
        future: Future[T] = Future()

        def job(thread: _Thread) -> None:
            if self._stopped:
                future.cancel()
            if not future.set_running_or_notify_cancel():
                return
            thread.limit_s, thread.since = limit_s, time.monotonic()
            try:
                result = function(*arguments)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
            finally:
                thread.since = None

        self._jobs.put(job, urgent=urgent)
        return future

    def within(self, limit_s: float, *, urgent: bool = False) -> Executor:
        """These threads as an event loop takes them, for jobs that may take ``limit_s``."""
        return _Within(self, limit_s, urgent)

    def look(self) -> None:
        """Replace the threads that hang."""
        now = time.monotonic()
        with self._lock:
            for thread in [each for each in self._at_work if each.late_s(now) > 0]:
                self._give_up(thread, thread.late_s(now) + thread.limit_s)

    def stop(self) -> None:
        """Start nothing any more: what waits is cancelled, what runs is not waited for."""
        self._stopped = True
        with self._lock:
            while not self._jobs.empty():
                self._drop()
            for _ in self._at_work:
                self._jobs.put(None)

    def _drop(self) -> None:
        with suppress(queue.Empty):
            if (job := self._jobs.get(block=False)) is not None:
                job(_Thread())

    def _start(self) -> None:
        thread = _Thread()
        self._at_work.append(thread)
        # A daemon: one that hangs must not keep the process from ending.
        threading.Thread(target=self._run, args=(thread,), name=self._name, daemon=True).start()

    def _run(self, thread: _Thread) -> None:
        self._prepare()
        while not (thread.given_up and not self._back(thread)) and (job := self._jobs.get()) is not None:
            job(thread)

    def _back(self, thread: _Thread) -> bool:
        """A thread that was given up can work again; whether its place is free."""
        with self._lock:
            self._lost.discard(thread)
            log.warning("hearing.thread_is_back", extra={"stuck": self.stuck})
            thread.given_up = len(self._at_work) >= self._count
            if not thread.given_up:
                self._at_work.append(thread)
            return not thread.given_up

    def _give_up(self, thread: _Thread, after_s: float) -> None:
        thread.given_up = True
        self._at_work.remove(thread)
        self._lost.add(thread)
        told = {"after_s": round(after_s, 1), "stuck": self.stuck}
        if len(self._lost) > self._most_lost:
            log.critical("hearing.hangs", extra={**told, "left": len(self._at_work)})
            return
        self.replaced += 1
        log.error("hearing.thread_replaced", extra=told)
        self._start()
