"""Where a PBX's calls and attempts are kept while they live, and the tasks that look after them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from typing import Any, Generic, TypeVar

from agi_bot.contracts import Call
from agi_bot.errors import PbxError
from agi_bot.pbx.attempt import Attempt
from agi_bot.pbx.call import PbxCall

log = logging.getLogger(__name__)

ARRIVAL_S = 30.0
"""How long an answered leg may take to come from the dialplan to us, s."""

A = TypeVar("A", bound=Attempt)


class Desk(Generic[A]):
    """Hands arriving calls to whoever iterates over :meth:`calls`.

    A call that no bot takes within ``take_wait_s`` seconds goes back to its dialplan.
    """

    def __init__(self, take_wait_s: float) -> None:
        self._take_wait_s = take_wait_s
        self._arriving: asyncio.Queue[PbxCall | None] = asyncio.Queue()
        self._calls: dict[str, PbxCall] = {}
        self._attempts: dict[str, A] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.stopped = False

    @property
    def running(self) -> int:
        """Calls that are with the bot now."""
        return len(self._calls)

    @property
    def busy(self) -> bool:
        """Whether any task of ours still runs."""
        return bool(self._tasks)

    def __iter__(self) -> Iterator[PbxCall]:
        return iter(self._calls.values())

    def stop(self) -> None:
        """:meth:`calls` ends after those that have arrived; idempotent."""
        if not self.stopped:
            self.stopped = True
            self._arriving.put_nowait(None)

    async def release(self) -> None:
        """Give every call back to its dialplan."""
        await asyncio.gather(*(call.release() for call in list(self)))

    async def close(self) -> None:
        """End all tasks; attempts that ring get an outcome."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- calls ---

    async def calls(self) -> AsyncIterator[Call]:
        """See :meth:`agi_bot.contracts.Pbx.calls`."""
        while (call := await self._arriving.get()) is not None:
            if not call.over.is_set():
                call.taken.set()
                yield call
        self._arriving.put_nowait(None)  # for whoever else is waiting

    def deliver(self, call: PbxCall) -> None:
        """``call`` has arrived; it stays here until its leg has finished it."""
        self._calls[call.id] = call
        self.spawn(self._look_after(call))
        self._arriving.put_nowait(call)

    async def _look_after(self, call: PbxCall) -> None:
        try:
            await asyncio.wait_for(call.taken.wait(), self._take_wait_s)
        except TimeoutError:
            log.error("call.not_taken", extra={**call.identity.extra, "waited_s": self._take_wait_s})
            await call.release()
        await call.finished.wait()
        if self._calls.get(call.id) is call:
            del self._calls[call.id]

    # --- attempts ---

    def place(self, attempt: A) -> A:
        """Run ``attempt``.  Raises :class:`PbxError` when one of its id is on its way or has arrived."""
        if attempt.call_id in self._attempts or attempt.call_id in self._calls:
            raise PbxError(f"call {attempt.call_id} is placed already")
        self._attempts[attempt.call_id] = attempt
        self.spawn(self._watch(attempt))
        return attempt

    def attempt(self, call_id: str) -> A | None:
        """The attempt that is on its way under ``call_id``."""
        return self._attempts.get(call_id)

    def known(self, call_id: str) -> Mapping[str, str] | None:
        """The answered leg of an attempt has come: its variables; ``None`` when it is none of ours."""
        attempt = self._attempts.pop(call_id, None)
        if attempt is None:
            return None
        attempt.arrived()
        return attempt.order.variables

    async def _watch(self, attempt: A) -> None:
        try:
            await attempt.run()
        finally:
            verdict = await attempt.outcome()
            told = {"cause": verdict.cause, "sip": verdict.sip, "detail": verdict.detail}
            log.info("attempt.ended", extra={"call_id": attempt.call_id, "status": verdict.status.value, **told})
            if verdict.answered:
                await asyncio.sleep(ARRIVAL_S)
            self._attempts.pop(attempt.call_id, None)

    # --- tasks ---

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` beside everything else; what it raises is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("call.task_failed", exc_info=error)
