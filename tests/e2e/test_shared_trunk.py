"""Two dialers, two processes, one store: the lines and the pace of a trunk are those of both together."""

from __future__ import annotations

import asyncio
import multiprocessing
import sqlite3
import time
from datetime import time as day_time
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

from agi_bot.campaign.dialer import Dialer, DialerSettings, due
from agi_bot.campaign.model import AttemptEnd, Campaign, Task
from agi_bot.campaign.permission import Rules, Window
from agi_bot.campaign.queue import SqliteQueue
from agi_bot.campaign.store import Database
from agi_bot.campaign.store.tasks import TaskStore

TASKS = 40
LINES = 3
PER_SECOND = 10.0
TALK_S = 0.2
ALWAYS = Rules(windows=(Window(day_time(0), day_time(23, 59, 59, 999999)),), caps=(), min_interval=timedelta(0))
CAMPAIGN = Campaign("spring", "promotion", lines=LINES, per_second=PER_SECOND, rules=ALWAYS)


class Telephone:
    """Every call takes :data:`TALK_S`."""

    async def place(self, task: Task, campaign: Campaign, attempt_id: str) -> AttemptEnd:
        await asyncio.sleep(TALK_S)
        return AttemptEnd("confirmed", 0, answered=True)


def dial(path: str, both: Barrier) -> None:
    both.wait(90)
    asyncio.run(_dial(Path(path)))


async def _dial(path: Path) -> None:
    database = Database(path)
    await database.open()
    store = TaskStore(database)
    dialer = Dialer(store, SqliteQueue(database), Telephone(), time.time, DialerSettings(tick_s=0.02))
    running = asyncio.create_task(dialer.run())
    while (await store.counts("spring")).get("done", 0) < TASKS:  # noqa: ASYNC110 - the other process may do the last one
        await asyncio.sleep(0.05)
    dialer.stop()
    await running
    await database.close()


async def fill(path: Path) -> None:
    database = Database(path)
    await database.open()
    store, queue = TaskStore(database), SqliteQueue(database)
    await store.save_campaign(CAMPAIGN)
    tasks = [Task(f"t{n:03}", "spring", f"1390{n:07}", "promotion", 0.0) for n in range(TASKS)]
    await queue.put(due(task, "default") for task in await store.add(tasks, time.time()))
    await database.close()


def test_two_dialers_keep_the_limits_of_one_trunk(tmp_path: Path) -> None:
    path = tmp_path / "campaign.db"
    asyncio.run(fill(path))
    spawn = multiprocessing.get_context("spawn")
    both = spawn.Barrier(2)
    dialers = [spawn.Process(target=dial, args=(str(path), both)) for _ in range(2)]
    for dialer in dialers:
        dialer.start()
    for dialer in dialers:
        dialer.join(180)
        assert dialer.exitcode == 0
    with sqlite3.connect(path) as db:
        calls = db.execute("SELECT placed_at, ended_at FROM attempts ORDER BY placed_at").fetchall()
        owners = db.execute("SELECT count(DISTINCT owner) FROM attempts").fetchone()[0]
    db.close()
    assert owners == 2, "one of them had nothing to do: nothing was shared"
    assert len(calls) == TASKS
    assert max(_up(calls, placed) for placed, _ in calls) <= LINES
    # A claim is noted some time before its attempt: a second is long enough for that not to matter.
    assert max(sum(placed <= at < placed + 1 for at, _ in calls) for placed, _ in calls) <= PER_SECOND + 3


def _up(calls: list[tuple[float, float]], moment: float) -> int:
    return sum(placed <= moment < ended for placed, ended in calls)
