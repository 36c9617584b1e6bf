"""A store, a queue, a clock that is moved by hand and a person who answers: what tests of the dialer stand on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from time import monotonic

from agi_bot.campaign.dialer import Dialer, DialerSettings, due
from agi_bot.campaign.model import AttemptEnd, Campaign, Task, TaskState
from agi_bot.campaign.permission import Rules, Window
from agi_bot.campaign.queue import SqliteQueue
from agi_bot.campaign.store import Database
from agi_bot.campaign.store.tasks import TaskStore

NOON = datetime(2026, 11, 24, 4, tzinfo=UTC).timestamp()
"""12:00 in Shanghai."""
FAST = DialerSettings(tick_s=0.005, beat_s=0.02, silent_s=45.0)
ALWAYS = Rules(windows=(Window(time(0), time(23, 59, 59)),), caps=(), min_interval=timedelta(0))
CAMPAIGN = Campaign("spring", "promotion", lines=5, per_second=1000.0, rules=ALWAYS)


@dataclass
class Person:
    """Answers every call as it is told to; ``placed`` has each attempt."""

    ends: dict[str, list[AttemptEnd | Exception]] = field(default_factory=dict)
    placed: list[tuple[str, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    takes_s: float = 0.0

    async def place(self, task: Task, campaign: Campaign, attempt_id: str) -> AttemptEnd:
        self.placed.append((task.task_id, attempt_id))
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await asyncio.sleep(self.takes_s)
        self.at_once -= 1
        planned = self.ends.get(task.task_id, [])
        end = planned.pop(0) if planned else AttemptEnd("confirmed", 0, answered=True)
        if isinstance(end, Exception):
            raise end
        return end


@dataclass
class Kept:
    """Conversations that were kept, and those that go on."""

    ends: dict[str, AttemptEnd] = field(default_factory=dict)
    going_on: set[str] = field(default_factory=set)

    def talking(self, attempt_id: str) -> bool:
        return attempt_id in self.going_on

    async def found(self, task: Task, campaign: Campaign, attempt_id: str) -> AttemptEnd | None:
        return self.ends.get(attempt_id)


class Office:
    """A store, a queue, a clock that is moved by hand, and a person who answers."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = TaskStore(database)
        self.queue = SqliteQueue(database)
        self.person = Person()
        self.records = Kept()
        self.now = NOON
        self.steady = 0.0
        self.obstacle = ""
        self._began = monotonic()

    def clock(self) -> float:
        return self.now + monotonic() - self._began

    def dialer(self, owner: str = "") -> Dialer:
        return Dialer(
            self.store,
            self.queue,
            self.person,
            self.clock,
            FAST,
            owner,
            steady=lambda: self.steady,
            obstacle=lambda: self.obstacle,
            records=self.records,
        )

    async def add(self, *tasks: Task, campaign: Campaign = CAMPAIGN) -> None:
        await self.store.save_campaign(campaign)
        new = await self.store.add(tasks, self.now)
        await self.queue.put([due(task, campaign.trunk) for task in new])

    async def after_silence(self) -> Dialer:
        """A dialer that has heard nothing of the others for 46 s, and has looked after what they left."""
        dialer = self.dialer()
        await dialer.adopt_orphans()
        self.steady += 46
        await dialer.adopt_orphans()
        async with asyncio.timeout(30):
            await poll(lambda: not dialer.live)
        return dialer

    async def dial_until(self, done: Callable[[], bool]) -> Dialer:
        dialer = self.dialer()
        running = asyncio.create_task(dialer.run())
        async with asyncio.timeout(30):
            await poll(done)
        dialer.stop()
        await running
        return dialer

    async def dial_for(self, rounds: int = 10) -> Dialer:
        """Dial all there is, and look for more so many times."""
        dialer = self.dialer()
        idle, a_round = 0, dialer._round

        async def counted() -> None:
            nonlocal idle
            await a_round()
            idle += not dialer.live

        dialer._round = counted  # type: ignore[method-assign]
        running = asyncio.create_task(dialer.run())
        async with asyncio.timeout(60):
            await poll(lambda: idle >= rounds)
        dialer.stop()
        await running
        return dialer

    async def state(self, task_id: str = "t") -> TaskState:
        found = await self.store.task(task_id)
        assert found is not None
        return found.state

    async def outbox(self) -> list[dict[str, object]]:
        rows = await self.database.run(lambda db: list(db.table("outbox").rows))
        return [json.loads(row["payload"]) for row in rows]


async def poll(done: Callable[[], bool]) -> None:
    while not done():  # noqa: ASYNC110 - what is waited for is a plain list of the test
        await asyncio.sleep(0.005)


def a_task(task_id: str = "t", number: str = "13800000001", due_at: float = NOON) -> Task:
    return Task(task_id, "spring", number, "promotion", due_at)
