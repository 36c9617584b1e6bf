"""A few worker processes that are kept alive: restarted with back-off, replaced when they grow."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from agi_bot.errors import EngineDown, ModelError, SpeechError
from agi_bot.speech.worker.memory import rss_mb
from agi_bot.speech.worker.process import WorkerDied, WorkerProcess

_SOUND_LIFE_S = 10.0
"""A worker that lived this long, or served somebody, is restarted at once; else back-off grows."""


_GREEDY = 1.5
"""A worker so many times beyond its limit is not waited for: it is killed in mid-sentence."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait for what, and how big a worker may grow, MB (0: any size).

    One that is beyond ``max_mb`` is replaced between two requests, one that goes on growing is
    killed in the midst of them; ``look_s`` is how often its size is looked at.
    """

    ready_s: float = 20.0
    silent_s: float = 3.0
    patience_s: float = 5.0
    backoff_s: float = 0.1
    backoff_max_s: float = 5.0
    max_mb: int = 0
    look_s: float = 0.5


class WorkerPool:
    """``size`` processes of ``command``; a request goes to the least busy one.

    Everything happens in the event loop in which :meth:`start` was called.
    """

    def __init__(self, command: Sequence[str], *, name: str, size: int = 1, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._name = name
        self._limits = limits
        self._slots = [_Slot(command, name, limits) for _ in range(size)]
        self._running = False

    @property
    def info(self) -> Mapping[str, Any]:
        """What the engine told when it was ready; empty before."""
        return next((slot.info for slot in self._slots if slot.info), {})

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that are up."""
        return [slot.worker.pid for slot in self._slots if slot.worker]

    @property
    def restarts(self) -> int:
        """How often a worker had to be started again."""
        return sum(slot.restarts for slot in self._slots)

    async def start(self) -> None:
        """Start the workers and wait for the first; does nothing when they run.

        Who waits no longer (is cancelled) leaves them to come up for those who ask later.
        Raises :class:`ModelError` when the engine refuses its model, :class:`EngineDown`
        when it does not come up.
        """
        if self._running:
            return
        self._running = True
        for slot in self._slots:
            slot.open()
        try:
            await self._slots[0].first()
        except SpeechError:
            await self.close()
            raise

    async def close(self) -> None:
        """End all workers; idempotent."""
        self._running = False
        await asyncio.gather(*(slot.close() for slot in self._slots))

    async def run(self, request: Mapping[str, Any]) -> AsyncIterator[bytes]:
        """The sound of ``request``; closing the iterator stops the work.

        A request that was being worked on when its worker died is tried once more, and goes
        on after the bytes already given out (an engine that answers in pieces repeats itself).
        Raises :class:`SpeechError` when it is refused, :class:`EngineDown` else.
        """
        await self.start()
        given, deaths = 0, 0
        for _ in range(6):
            slot = await self._free()
            try:
                async for piece in self._rest(slot, request, given):
                    given += len(piece)
                    yield piece
                return
            except WorkerDied as death:
                deaths += death.started
                if deaths > 1:
                    raise EngineDown(f"{death.message}, twice on the same text") from death
        raise EngineDown(f"the {self._name} worker keeps dying")

    async def _rest(self, slot: _Slot, request: Mapping[str, Any], given: int) -> AsyncIterator[bytes]:
        async with aclosing(slot.run(request)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                fresh = piece[given:]
                given = max(0, given - len(piece))
                if fresh:
                    yield fresh

    async def _free(self) -> _Slot:
        if not self._running:
            raise EngineDown(f"the {self._name} worker was closed")
        up = [slot for slot in self._slots if slot.worker]
        if not up:
            await self._wait_for_one()
            up = [slot for slot in self._slots if slot.worker]
        if not up:
            raise EngineDown(self._slots[0].complaint(), cure="the log tells why it stopped")
        return min(up, key=lambda slot: slot.busy)

    async def _wait_for_one(self) -> None:
        waits = [asyncio.create_task(slot.up.wait()) for slot in self._slots]
        try:
            await asyncio.wait(waits, timeout=self._limits.patience_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


class _Slot:
    """A place for one worker: who is in it and how often it had to be replaced."""

    def __init__(self, command: Sequence[str], name: str, limits: Limits) -> None:
        self._command = command
        self._name = name
        self._limits = limits
        self._keeper: asyncio.Task[None] | None = None
        self._failures = 0
        self._error: SpeechError | None = None
        self.worker: WorkerProcess | None = None
        self.up = asyncio.Event()
        self.tried = asyncio.Event()
        self.info: Mapping[str, Any] = {}
        self.restarts = 0

    @property
    def busy(self) -> int:
        return self.worker.busy if self.worker else 0

    def open(self) -> None:
        self.tried.clear()
        self._error = None
        self._keeper = asyncio.create_task(self._keep(), name=f"{self._name}-worker")

    async def close(self) -> None:
        if self._keeper:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None

    async def first(self) -> None:
        """Wait for the end of the first try; raises what it raised."""
        await self.tried.wait()
        if self._error:
            raise self._error

    def complaint(self) -> str:
        if self._error:
            return self._error.message
        return f"the {self._name} worker is down"

    async def run(self, request: Mapping[str, Any]) -> AsyncIterator[bytes]:
        worker = self.worker
        if worker is None:
            raise WorkerDied(self.complaint())
        async with aclosing(worker.run(request, timeout_s=self._limits.silent_s)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                yield piece
        if 0 < self._limits.max_mb < worker.rss_mb:
            self._retire(worker)

    def _retire(self, worker: WorkerProcess) -> None:
        """Take a worker that grew too big out of service once nobody uses it."""
        if self.worker is worker and worker.busy == 0:
            self._leave()
            worker.kill()

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            born = loop.time()
            served = await self._live()
            sound = served > 0 or loop.time() - born > _SOUND_LIFE_S
            self._failures = 0 if sound else self._failures + 1
            pause = self._limits.backoff_s * 2 ** min(self._failures - 1, 10) if self._failures > 1 else 0.0
            await asyncio.sleep(min(pause, self._limits.backoff_max_s))
            self.restarts += 1

    async def _live(self) -> int:
        """One life of a worker, from its start to its death; how many requests it served."""
        try:
            worker = await WorkerProcess.start(self._command, name=self._name, timeout_s=self._limits.ready_s)
        except (ModelError, EngineDown) as error:
            self._error = error
            self.tried.set()
            return 0
        self._enter(worker)
        watching = asyncio.create_task(self._watch(worker)) if self._limits.max_mb else None
        try:
            await worker.died.wait()
        finally:
            if watching:
                watching.cancel()
            self._leave()
            await worker.close()
        return worker.served

    async def _watch(self, worker: WorkerProcess) -> None:
        while True:
            await asyncio.sleep(self._limits.look_s)
            size = rss_mb(worker.pid)
            if size > self._limits.max_mb:
                self._retire(worker)
            if size > self._limits.max_mb * _GREEDY:
                self._leave()
                worker.kill(f"it grew to {size} MB")
                return

    def _enter(self, worker: WorkerProcess) -> None:
        self.worker, self.info, self._error = worker, worker.info, None
        self.up.set()
        self.tried.set()

    def _leave(self) -> None:
        self.worker = None
        self.up.clear()
