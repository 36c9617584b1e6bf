"""The dialer: takes what is due from the queue, asks for permission, places calls, keeps what became of them.

An attempt is written down before anything goes out; where it cannot be written (a full
disk), nothing goes out.  What became of a call is written as soon as it can be.  While the
exchange is away nothing is claimed.  What a dead dialer leaves is
:mod:`agi_bot.campaign.dialer_rescue`'s matter.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar
from uuid import uuid4

from agi_bot.campaign.clock_watch import ClockWatch
from agi_bot.campaign.dialer_rescue import Records, Rescue
from agi_bot.campaign.model import AttemptEnd, Campaign, Task, TaskState
from agi_bot.campaign.pacing import Breaker
from agi_bot.campaign.permission import Permission, State, may_call
from agi_bot.campaign.queue import Claim, Due, Queue
from agi_bot.campaign.retry import Again, Done, Ended, after
from agi_bot.campaign.store.tasks import TaskStore
from agi_bot.campaign.trunks import by_trunk, gate
from agi_bot.contracts import Status
from agi_bot.errors import AgiBotError, PbxDown, StoreError

T = TypeVar("T")

log = logging.getLogger(__name__)

PAGE = 5000


class Placer(Protocol):
    """Places one call and has the conversation (:class:`agi_bot.app.bot.Bot` does, on a real exchange)."""

    async def place(self, task: Task, campaign: Campaign, attempt_id: str) -> AttemptEnd:
        """Raises :class:`~agi_bot.errors.AgiBotError` only when surely nothing went out.

        With :class:`~agi_bot.errors.PbxDown` it costs the task none of its attempts.
        """


@dataclass(frozen=True, slots=True)
class DialerSettings:
    """``tick_s``: how often the queue is asked.  ``silent_s``: without a heartbeat a dialer counts as dead.

    ``failed_again_s``: when a task is tried again whose call could not be placed;
    ``write_again_s``: how often what cannot be written is tried again.
    """

    tick_s: float = 0.25
    beat_s: float = 5.0
    silent_s: float = 30.0
    failed_again_s: float = 30.0
    write_again_s: float = 1.0


@dataclass(slots=True)
class _Trunk:
    """What a dialer knows of a trunk."""

    live: int = 0
    breaker: Breaker = field(default_factory=Breaker)


def _no_obstacle() -> str:
    return ""


class Dialer:
    """Dials the tasks of all running campaigns.

    ``clock`` answers seconds since the epoch; ``steady`` seconds of a clock that nobody
    sets.  ``obstacle`` tells why no call can be placed now, e.g. that the exchange is away
    (empty: one can).  ``records`` knows the conversations that were kept.
    """

    def __init__(
        self,
        store: TaskStore,
        queue: Queue,
        placer: Placer,
        clock: Callable[[], float],
        settings: DialerSettings | None = None,
        owner: str = "",
        *,
        steady: Callable[[], float] = time.monotonic,
        obstacle: Callable[[], str] = _no_obstacle,
        records: Records | None = None,
    ) -> None:
        self.owner = owner or uuid4().hex
        self.counters: Counter[str] = Counter()
        self.trouble = ""
        """Why nothing can be dialled now; empty while all is well."""
        self._store = store
        self._queue = queue
        self._placer = placer
        self._clock = clock
        self._settings = settings or DialerSettings()
        self._trunks: defaultdict[str, _Trunk] = defaultdict(_Trunk)
        self._calls: set[asyncio.Task[None]] = set()
        self._unwritten: set[object] = set()
        self._stopping = asyncio.Event()
        self._steady = steady
        self._watch = ClockWatch()
        self._obstacle = obstacle
        self._rescue = Rescue(self, store, queue, clock, records, self._settings.silent_s)

    @property
    def live(self) -> int:
        """Calls that are being placed or had."""
        return len(self._calls)

    async def run(self) -> None:
        """Dial until :meth:`stop`; then wait for the calls that are up."""
        self._watch.set_by(self._clock(), self._steady())
        await self.adopt_orphans()
        await self.requeue()
        beating = asyncio.create_task(self._beat())
        try:
            while not self._stopping.is_set():
                await self._round()
                await self._pause(self._settings.tick_s)
            await asyncio.gather(*self._calls, return_exceptions=True)
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    def stop(self) -> None:
        """Place no further call."""
        self._stopping.set()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._settings.beat_s)
            if trouble := await self._tried(self._live_on()):
                self._note_trouble(trouble)

    async def _live_on(self) -> None:
        await self._queue.heartbeat(self.owner, self._clock())
        await self.adopt_orphans()
        await self._look_at_the_clock()

    async def _look_at_the_clock(self) -> None:
        """What was put off by a clock that was wrong is asked about again by the one that is right."""
        if set_by := self._watch.set_by(self._clock(), self._steady()):
            log.warning("dialer.clock_was_set", extra={"by_s": round(set_by)})
            await self.requeue(anew=True)

    # --- what is due -----------------------------------------------------------------

    async def _round(self) -> None:
        trouble = self._obstacle() or await self._tried(self._dial_all())
        # A round that had nothing to write says nothing of the disk.
        if trouble or not self._unwritten:
            self._note_trouble(trouble)

    async def _dial_all(self) -> None:
        """Every trunk has its turn before what went wrong with one of them is told."""
        campaigns = [one for one in await self._store.campaigns() if one.rules.state is State.RUNNING]
        wrong: list[Exception] = []
        for trunk, lines in by_trunk(campaigns).items():
            try:
                await self._dial_trunk(trunk, lines)
            except Exception as error:
                wrong.append(error)
        if wrong:
            raise wrong[0]

    async def _tried(self, work: Coroutine[Any, Any, None]) -> str:
        """Do ``work``; why it could not be done, empty when it was.  Nothing makes the dialer stop."""
        try:
            await work
        except AgiBotError as error:
            return str(error)
        except Exception as error:
            trouble = f"{type(error).__name__}: {error}"
            if trouble != self.trouble:
                log.exception("dialer.crashed")
            return trouble
        return ""

    def _note_trouble(self, trouble: str) -> None:
        """Said once when it begins and once when it is over, not every round."""
        if trouble and trouble != self.trouble:
            log.error("dialer.waits", extra={"reason": trouble})
        elif self.trouble and not trouble:
            log.info("dialer.goes_on")
        self.trouble = trouble

    async def _dial_trunk(self, name: str, campaigns: list[Campaign]) -> None:
        trunk, now = self._trunks[name], self._clock()
        limits = gate(campaigns, self._settings.tick_s)
        wanted = trunk.breaker.room(self._steady(), max(0, limits.lines - trunk.live))
        if not wanted:
            return
        claims = await self._queue.claim(self.owner, name, wanted, now, limits)
        known = {one.campaign_id: one for one in campaigns}
        for claim in claims:
            trunk.live += 1
            self._spawn(self._dial(claim, known, trunk))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        call = asyncio.create_task(work)
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _dial(self, claim: Claim, known: Mapping[str, Campaign], trunk: _Trunk) -> None:
        try:
            await self._handle(claim, known, trunk)
        except AgiBotError as error:
            log.error("dialer.task_failed", extra={"task_id": claim.due.task_id, "reason": str(error)})
            await self.insist(lambda: self._rescue.resolve(claim))
        except Exception:
            log.exception("dialer.task_crashed", extra={"task_id": claim.due.task_id})
            again = self._clock() + self._settings.failed_again_s
            await self.insist(lambda: self._rescue.resolve(claim, again))
        finally:
            trunk.live -= 1

    async def insist(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do ``work`` until the store takes it, however long its disk is full.

        ``work`` is one transaction, so that trying it again does nothing twice.
        """
        waiting = object()
        try:
            while True:
                try:
                    return await work()
                except StoreError as error:
                    self._unwritten.add(waiting)
                    self._note_trouble(str(error))
                    await asyncio.sleep(self._settings.write_again_s)
        finally:
            self._unwritten.discard(waiting)

    async def _handle(self, claim: Claim, known: Mapping[str, Campaign], trunk: _Trunk) -> None:
        task = await self._store.task(claim.due.task_id)
        if task is None or task.state is not TaskState.WAITING:
            await self._drop(claim.due.task_id)
            return
        if task.due_at > self._clock():
            await self._queue.give_back(self.owner, task.task_id, task.due_at)
            return
        campaign = known.get(task.campaign_id) or await self._store.campaign(task.campaign_id)
        permission = await self._ask(task, campaign)
        if campaign is None or not permission.allowed:
            await self._store.decide(task, "due", permission, self._clock())
            await self._refused(task, permission)
            return
        await self._place(task, campaign, trunk, permission)

    async def _ask(self, task: Task, campaign: Campaign | None) -> Permission:
        if campaign is None:
            return Permission(False, "campaign", "the campaign does not exist")
        now = self._clock()
        history = await self._store.history(task, campaign.zone, now)
        return may_call(campaign.rules, history, datetime.fromtimestamp(now, UTC))

    async def _refused(self, task: Task, permission: Permission) -> None:
        now = self._clock()
        self.counters[f"refused.{permission.rule}"] += 1
        if permission.until is None:
            await self._store.close_task(task, TaskState.DONE, f"{permission.rule}: {permission.reason}", now)
            await self._queue.finish(self.owner, task.task_id)
            return
        if permission.rule == "campaign":
            await self._drop(task.task_id)
        else:
            await self._queue.give_back(self.owner, task.task_id, max(permission.until.timestamp(), now + 1.0))

    async def _drop(self, task_id: str) -> None:
        """Let go of a task that is not to be dialled; whoever resumes it, or its campaign, queues it again."""
        await self._queue.finish(self.owner, task_id)
        # Resumed while we held it, it could not be queued: a claimed task is left as it is.
        task = await self._store.task(task_id)
        campaign = await self._store.campaign(task.campaign_id) if task else None
        if task and task.state is TaskState.WAITING and campaign and campaign.rules.state is State.RUNNING:
            await self._queue.put([due(task, campaign.trunk)])

    # --- a call ----------------------------------------------------------------------

    async def _place(self, task: Task, campaign: Campaign, trunk: _Trunk, due: Permission) -> None:
        attempt_id = str(uuid4())
        permission = await self._store.begin(task, campaign, attempt_id, self.owner, self._clock(), due)
        if permission is None:
            await self._drop(task.task_id)
            return
        if not permission.allowed:
            await self._refused(task, permission)
            return
        self.counters["placed"] += 1
        try:
            end = await self._placer.place(task, campaign, attempt_id)
        except PbxDown as error:
            await self._not_placed(task, attempt_id, str(error))
            return
        except AgiBotError as error:
            end = AttemptEnd(Status.FAILED, self._clock(), detail=str(error))
        self._note(trunk, end)
        await self.ended(task, campaign, attempt_id, replace(end, at=self._clock()))

    async def _not_placed(self, task: Task, attempt_id: str, why: str) -> None:
        """The exchange went away in this very moment: nobody was called, and it costs the task nothing."""
        self.counters["not_placed"] += 1
        now = self._clock()
        again = now + self._settings.failed_again_s
        if await self.insist(lambda: self._store.not_placed(task, attempt_id, why, now, again)):
            await self.insist(lambda: self._queue.give_back(self.owner, task.task_id, again))
        else:
            await self.insist(lambda: self._queue.finish(self.owner, task.task_id))

    def _note(self, trunk: _Trunk, end: AttemptEnd) -> None:
        self.counters[f"ended.{end.how}"] += 1
        self.counters[f"answered_by.{end.answered_by or 'unknown'}"] += 1
        self.counters["answered"] += end.answered
        if end.how in (Status.CONGESTION, Status.FAILED) and not end.person:
            trunk.breaker.failed(self._steady())
        else:
            trunk.breaker.worked()

    async def ended(self, task: Task, campaign: Campaign, attempt_id: str, end: AttemptEnd) -> None:
        """Keep the end of an attempt and what follows from it."""
        before = await self.insist(lambda: self._store.ends(task.task_id, attempt_id))
        wanted = after(_ended(end), before, campaign.retries)
        follows = await self.insist(lambda: self._store.end(task, attempt_id, end, wanted))
        await self.insist(lambda: self._let_go(task, campaign, follows))

    async def _let_go(self, task: Task, campaign: Campaign, follows: Again | Done) -> None:
        if isinstance(follows, Done):
            await self._queue.finish(self.owner, task.task_id)
        elif not await self._queue.give_back(self.owner, task.task_id, follows.at.timestamp()):
            # Another dialer took us for dead and put the task away.
            await self._queue.put([due(replace(task, due_at=follows.at.timestamp()), campaign.trunk)])

    # --- what a dead dialer left -----------------------------------------------------

    async def requeue(self, *, anew: bool = False) -> None:
        """Put every waiting task into the queue that is not there: its process died in between.

        ``anew``: also those that wait there, to be due when the task itself is.
        """
        last = ""
        while page := await self._store.waiting(last, PAGE):
            campaigns = {one.campaign_id: one.trunk for one in await self._store.campaigns()}
            if anew:
                await self._queue.withdraw([task.task_id for task in page])
            await self._queue.put(due(task, campaigns.get(task.campaign_id, "default")) for task in page)
            last = page[-1].task_id

    async def adopt_orphans(self) -> None:
        """Look after the claims of dialers that are not heard of any more."""
        for orphan in await self._queue.orphans(self._steady(), self._settings.silent_s):
            # What is our own is looked after by whoever dials it.
            if orphan.owner != self.owner and await self._queue.adopt(self.owner, orphan, self._clock()):
                self._spawn(self.insist(lambda claim=orphan: self._rescue.resolve(claim)))  # type: ignore[misc]


def due(task: Task, trunk: str) -> Due:
    """What the queue carries of ``task``."""
    return Due(task.task_id, task.due_at, trunk, task.priority)


def _ended(end: AttemptEnd) -> Ended:
    back = end.call_back_at
    return Ended(
        how=end.how,
        at=datetime.fromtimestamp(end.at, UTC),
        answered=end.answered,
        person=end.person,
        refused=end.refused,
        call_back_at=None if back is None else datetime.fromtimestamp(back, UTC),
    )
