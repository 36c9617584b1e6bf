"""Dialers that are killed with -9 at random moments: nobody is called twice in one attempt, no task is lost."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import sqlite3
import time
from datetime import time as day_time
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TextIO

from agi_bot.campaign.dialer import Dialer, DialerSettings, due
from agi_bot.campaign.model import AttemptEnd, Campaign, Task
from agi_bot.campaign.permission import Rules, Window
from agi_bot.campaign.queue import SqliteQueue
from agi_bot.campaign.store import Database
from agi_bot.campaign.store.tasks import TaskStore

TASKS = int(os.environ.get("AGI_BOT_KILL_TASKS", "600"))
ROUNDS = int(os.environ.get("AGI_BOT_KILL_ROUNDS", "4"))
SILENT_S = 1.0
ALWAYS = Rules(windows=(Window(day_time(0), day_time(23, 59, 59, 999999)),), caps=(), min_interval=timedelta(0))
CAMPAIGN = Campaign("spring", "promotion", lines=8, per_second=100_000.0, rules=ALWAYS)


class Telephone:
    """A simulated exchange: notes every call in a file before anything else, then takes a little time."""

    def __init__(self, notes: TextIO) -> None:
        self._notes = notes

    async def place(self, task: Task, campaign: Campaign, attempt_id: str) -> AttemptEnd:
        self._notes.write(f"{task.task_id} {attempt_id}\n")
        await asyncio.sleep(random.uniform(0.001, 0.02))
        return AttemptEnd("confirmed", 0, answered=True)


def dial(path: str, log: str) -> None:
    with open(log, "a", buffering=1, encoding="utf-8") as notes:
        asyncio.run(_dial(path, notes))


async def _dial(path: str, notes: TextIO) -> None:
    database = Database(Path(path))
    await database.open()
    settings = DialerSettings(tick_s=0.01, beat_s=0.2, silent_s=SILENT_S)
    await Dialer(TaskStore(database), SqliteQueue(database), Telephone(notes), time.time, settings).run()


async def fill(path: Path) -> None:
    database = Database(path)
    await database.open()
    store, queue = TaskStore(database), SqliteQueue(database)
    await store.save_campaign(CAMPAIGN)
    tasks = [Task(f"t{n:05}", "spring", f"1390{n:07}", "promotion", 0.0) for n in range(TASKS)]
    new = await store.add(tasks, time.time())
    # The last tenth never reaches the queue: the process that added them died in between.
    await queue.put(due(task, "default") for task in new[: len(new) * 9 // 10])
    await database.close()


def start(path: Path, log: Path) -> BaseProcess:
    process = multiprocessing.get_context("spawn").Process(target=dial, args=(str(path), str(log)))
    process.start()
    return process


def states(path: Path) -> dict[str, int]:
    with sqlite3.connect(path, timeout=30) as db:
        found = dict(db.execute("SELECT state, count(*) FROM tasks GROUP BY state").fetchall())
    db.close()
    return found


def kill(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def test_kill_9_in_a_campaign(tmp_path: Path) -> None:
    path = tmp_path / "campaign.db"
    asyncio.run(fill(path))
    for number in range(ROUNDS):
        process = start(path, tmp_path / f"{number}.log")
        while not (tmp_path / f"{number}.log").exists() or not (tmp_path / f"{number}.log").stat().st_size:
            time.sleep(0.02)
        time.sleep(random.uniform(0.05, 0.5))
        kill(process)
    last = start(path, tmp_path / "last.log")
    deadline = time.monotonic() + 60 + TASKS / 50
    while set(states(path)) - {"done", "orphaned"} and time.monotonic() < deadline:
        time.sleep(0.2)
    kill(last)
    judge(path, tmp_path)


def judge(path: Path, folder: Path) -> None:
    placed = [line.split() for log in folder.glob("*.log") for line in log.read_text().splitlines()]
    tasks, attempts = [task for task, _ in placed], [attempt for _, attempt in placed]
    assert len(attempts) == len(set(attempts)), "an attempt was placed twice"
    assert len(tasks) == len(set(tasks)), "a person was called twice"
    found = states(path)
    assert sum(found.values()) == TASKS, "a task was lost"
    assert set(found) <= {"done", "orphaned"}, found
    assert found["done"] > TASKS // 2
    with sqlite3.connect(path) as db:
        orphans = db.execute("SELECT count(*) FROM attempts WHERE how = 'unknown'").fetchone()[0]
        told = db.execute("SELECT count(*) FROM outbox").fetchone()[0]
        claimed = db.execute("SELECT count(*) FROM queue_claimed").fetchone()[0]
    db.close()
    assert orphans == found.get("orphaned", 0), "an orphan is not explained"
    assert told == TASKS
    assert claimed == 0
