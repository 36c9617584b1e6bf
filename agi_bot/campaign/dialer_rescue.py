"""What a dead dialer left: claims that nobody works on any more.

A claim without an attempt goes back to the queue.  Where an attempt was written down, a
call may have been out: when its conversation was kept, that is how it ended; when one is
going on (the person answered after the bot had come back), its end is waited for; else the
task is set aside with the reason, and never dialled again by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from agi_bot.campaign.model import AttemptEnd, Campaign, Task
from agi_bot.campaign.queue import Claim, Queue
from agi_bot.campaign.retry import Done
from agi_bot.campaign.store.tasks import TaskStore
from agi_bot.contracts import Status

log = logging.getLogger(__name__)

DIED = "the dialer died while the call may have been out"
LOOK_IT_UP = f"{DIED}: look it up in the exchange's own records"

TALKING_S = 1.0
"""How often a conversation that goes on is looked at, s."""

RINGS_ON_S = 15.0
"""So long after the ringing time the person may still be on the way to the bot, s."""


class Records(Protocol):
    """What is known of conversations."""

    def talking(self, attempt_id: str) -> bool:
        """Whether its conversation goes on now, in this process."""

    async def found(self, task: Task, campaign: Campaign, attempt_id: str) -> AttemptEnd | None:
        """How it ended, when its conversation was kept."""


class Dials(Protocol):
    """What the rescue needs of :class:`agi_bot.campaign.dialer.Dialer`."""

    owner: str
    counters: Counter[str]

    async def ended(self, task: Task, campaign: Campaign, attempt_id: str, end: AttemptEnd) -> None:
        """See there."""


class Rescue:
    """Resolves claims that ``dialer`` holds and nobody works on."""

    def __init__(
        self,
        dialer: Dials,
        store: TaskStore,
        queue: Queue,
        clock: Callable[[], float],
        records: Records | None,
        silent_s: float,
    ) -> None:
        self._dialer = dialer
        self._store = store
        self._queue = queue
        self._clock = clock
        self._records = records
        self._silent_s = silent_s

    async def resolve(self, claim: Claim, again: float = 0.0) -> None:
        """Give the task back (not before ``again``), end it as its call ended, or set it aside."""
        task = await self._store.task(claim.due.task_id)
        attempt_id = await self._store.open_attempt(claim.due.task_id)
        if task is None or attempt_id is None:
            await self._give_back(claim, max(again, task.due_at if task else 0.0))
            return
        campaign = await self._store.campaign(task.campaign_id)
        end = await self._kept(task, campaign, attempt_id)
        if campaign is not None and end is not None:
            log.warning("dialer.orphan_was_kept", extra={"task_id": task.task_id, "attempt_id": attempt_id})
            await self._dialer.ended(task, campaign, attempt_id, end)
        else:
            await self._set_aside(task, attempt_id)

    async def _give_back(self, claim: Claim, again: float) -> None:
        await self._queue.give_back(self._dialer.owner, claim.due.task_id, max(again, self._clock()))
        log.warning("dialer.orphan_given_back", extra={"task_id": claim.due.task_id, "owner": claim.owner})

    async def _kept(self, task: Task, campaign: Campaign | None, attempt_id: str) -> AttemptEnd | None:
        if self._records is None or campaign is None:
            return None
        # Its owner has been silent for a while; the rest of the time to ring is waited for here.
        await asyncio.sleep(max(0.0, campaign.ring_s + RINGS_ON_S - self._silent_s))
        while self._records.talking(attempt_id):  # noqa: ASYNC110 - a conversation has no end to wait for from here
            await asyncio.sleep(TALKING_S)
        return await self._records.found(task, campaign, attempt_id)

    async def _set_aside(self, task: Task, attempt_id: str) -> None:
        self._dialer.counters["orphaned"] += 1
        end = AttemptEnd(Status.UNKNOWN, self._clock(), detail=DIED)
        await self._store.end(task, attempt_id, end, Done(LOOK_IT_UP))
        await self._queue.finish(self._dialer.owner, task.task_id)
        log.error("dialer.orphan_set_aside", extra={"task_id": task.task_id, "attempt_id": attempt_id})
