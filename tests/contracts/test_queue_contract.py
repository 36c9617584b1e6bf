"""What every dial queue must do; and that nothing is lost or claimed twice when processes are killed."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TextIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agi_bot.campaign.pacing import Pace
from agi_bot.campaign.queue import Due, Gate, Queue, SqliteQueue
from agi_bot.campaign.store import Database
from agi_bot.errors import StoreError

NOW = 1_000_000.0


@pytest.fixture
async def queue(tmp_path: Path) -> AsyncIterator[Queue]:
    database = Database(tmp_path / "queue.db")
    await database.open()
    found = SqliteQueue(database)
    await found.open()
    yield found
    await found.close()
    await database.close()


async def claimed(
    queue: Queue, most: int = 10, now: float = NOW, owner: str = "me", trunk: str = "default"
) -> list[str]:
    return [claim.due.task_id for claim in await queue.claim(owner, trunk, most, now)]


async def test_what_is_due_comes_by_priority_then_by_time(queue: Queue) -> None:
    await queue.put(
        [Due("late", NOW - 1), Due("early", NOW - 9), Due("urgent", NOW, priority=5), Due("future", NOW + 1)]
    )
    assert await claimed(queue) == ["urgent", "early", "late"]
    assert await claimed(queue) == []
    assert await claimed(queue, now=NOW + 1) == ["future"]


async def test_a_trunk_gets_its_own_only(queue: Queue) -> None:
    await queue.put([Due("a", NOW, trunk="one"), Due("b", NOW, trunk="two")])
    assert await claimed(queue, trunk="two") == ["b"]
    assert await claimed(queue, trunk="three") == []


async def test_at_most_so_many(queue: Queue) -> None:
    await queue.put(Due(str(n), NOW - n) for n in range(5))
    assert await claimed(queue, most=2) == ["4", "3"]
    assert await claimed(queue, most=0) == []


def gate(lines: int = 100, per_second: float = 1000.0, burst: int = 1000) -> Gate:
    return Gate(lines, Pace(per_second, burst))


async def through(queue: Queue, owner: str, most: int, now: float, limit: Gate, trunk: str = "default") -> int:
    return len(await queue.claim(owner, trunk, most, now, limit))


async def test_the_lines_of_a_trunk_are_shared(queue: Queue) -> None:
    await queue.put(Due(str(n), NOW) for n in range(10))
    assert await through(queue, "one", 4, NOW, gate(lines=5)) == 4
    assert await through(queue, "two", 4, NOW, gate(lines=5)) == 1
    assert await through(queue, "two", 4, NOW, gate(lines=5)) == 0
    assert await queue.finish("two", "4")
    assert await through(queue, "one", 4, NOW, gate(lines=5)) == 1


async def test_what_is_not_due_uses_up_no_pace(queue: Queue) -> None:
    slow = gate(per_second=2.0, burst=3)
    assert await through(queue, "one", 9, NOW, slow) == 0
    await queue.put(Due(str(n), NOW) for n in range(9))
    assert await through(queue, "one", 9, NOW, slow) == 3


async def test_two_owners_get_one_rate(queue: Queue) -> None:
    await queue.put(Due(str(n), NOW) for n in range(50))
    slow = gate(per_second=2.0, burst=3)
    assert await through(queue, "one", 2, NOW, slow) == 2
    assert await through(queue, "two", 9, NOW, slow) == 1
    assert await through(queue, "one", 9, NOW + 0.4, slow) == 0
    assert await through(queue, "two", 9, NOW + 0.5, slow) == 1
    assert await through(queue, "two", 9, NOW + 0.5, slow, trunk="other") == 0


async def test_a_clock_that_is_set_back_does_not_hold_a_trunk(queue: Queue) -> None:
    await queue.put(Due(str(n), NOW - 9000) for n in range(9))
    slow = gate(per_second=2.0, burst=2)
    assert await through(queue, "one", 9, NOW, slow) == 2
    assert await through(queue, "one", 9, NOW - 3600, slow) == 2
    assert await through(queue, "one", 9, NOW - 3600, slow) == 0


async def test_putting_twice_changes_nothing(queue: Queue) -> None:
    assert await queue.put([Due("a", NOW), Due("b", NOW + 99)]) == 2
    assert await queue.put([Due("a", NOW + 50), Due("c", NOW)]) == 1
    assert sorted(await claimed(queue)) == ["a", "c"]
    assert await queue.put([Due("a", NOW)]) == 0
    assert await claimed(queue) == []


async def test_a_finished_task_is_gone_and_may_come_again(queue: Queue) -> None:
    await queue.put([Due("a", NOW)])
    await claimed(queue)
    assert await queue.finish("me", "a")
    assert not await queue.finish("me", "a")
    assert await queue.put([Due("a", NOW)]) == 1


async def test_only_the_owner_may_finish_or_give_back(queue: Queue) -> None:
    await queue.put([Due("a", NOW)])
    await claimed(queue)
    assert not await queue.finish("you", "a")
    assert not await queue.give_back("you", "a", NOW)
    assert await queue.give_back("me", "a", NOW + 60)
    assert await claimed(queue) == []
    assert await claimed(queue, now=NOW + 60) == ["a"]


async def test_withdrawn_tasks_do_not_come_and_claimed_ones_stay(queue: Queue) -> None:
    await queue.put([Due("a", NOW), Due("b", NOW + 5), Due("c", NOW)])
    assert await claimed(queue, most=1) == ["a"]
    assert await queue.withdraw(["a", "b", "c", "nobody"]) == 2
    assert await claimed(queue, now=NOW + 10) == []
    assert await queue.finish("me", "a")


async def test_orphans_are_those_without_a_heartbeat(queue: Queue) -> None:
    await queue.put([Due("a", NOW), Due("b", NOW)])
    await claimed(queue, most=1, owner="dead")
    await claimed(queue, most=1, owner="alive")
    assert await queue.orphans(0, silent_s=30) == [], "who has just begun to listen knows of nobody's silence"
    assert await queue.heartbeat("alive", NOW + 30) == 1
    assert await queue.orphans(29, silent_s=30) == []
    orphans = await queue.orphans(31, silent_s=30)
    assert [(orphan.owner, orphan.beat_at) for orphan in orphans] == [("dead", NOW)]
    assert len(await queue.orphans(62, silent_s=30)) == 2


@pytest.mark.parametrize("jump", [-86400.0, -3600.0, 0.0, 3600.0, 86400.0])
async def test_a_wall_clock_that_jumps_makes_nobody_dead(queue: Queue, jump: float) -> None:
    await queue.put([Due("a", NOW)])
    await claimed(queue, owner="alive")
    wall = NOW
    for second in range(0, 120, 5):
        if second == 50:
            wall += jump
        assert await queue.heartbeat("alive", wall) == 1
        assert await queue.orphans(float(second), silent_s=12) == []
    assert await queue.orphans(200.0, silent_s=12), "silence is noticed after the jump as well"


async def test_a_clock_that_is_set_back_takes_back_what_was_due(queue: Queue) -> None:
    await queue.put([Due("now", NOW), Due("tomorrow", NOW + 86400, priority=9), Due("later", NOW + 90000)])
    assert await claimed(queue, most=0, now=NOW + 86400) == []
    assert await claimed(queue) == ["now"]
    assert await claimed(queue) == []
    assert await claimed(queue, now=NOW + 86400) == ["tomorrow"]


async def test_one_adopts_an_orphan_and_no_second(queue: Queue) -> None:
    await queue.put([Due("a", NOW)])
    await claimed(queue, owner="dead")
    (orphan,) = await queue.orphans(0, 0)
    assert await queue.adopt("one", orphan, NOW + 100)
    assert not await queue.adopt("two", orphan, NOW + 100)
    assert not await queue.finish("dead", "a")
    assert await queue.finish("one", "a")


async def test_an_owner_that_spoke_is_not_robbed(queue: Queue) -> None:
    await queue.put([Due("a", NOW)])
    await claimed(queue, owner="slow")
    (orphan,) = await queue.orphans(0, 0)
    await queue.heartbeat("slow", NOW + 100)
    assert not await queue.adopt("one", orphan, NOW + 101)


async def test_a_queue_without_its_tables_says_so(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db")
    await database.open()
    await database.run(lambda db: db.execute("DROP TABLE queue_ready"))
    with pytest.raises(StoreError, match="queue_ready"):
        await SqliteQueue(database).open()
    await database.close()


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["put", "claim", "finish", "back", "withdraw"]), st.integers(0, 5), st.integers(0, 3)),
    max_size=40,
)


@given(OPERATIONS)
@settings(max_examples=60, deadline=None)
def test_a_task_is_in_exactly_one_place(operations: list[tuple[str, int, int]]) -> None:
    asyncio.run(_play(operations))


async def _play(operations: list[tuple[str, int, int]]) -> None:
    database = Database(":memory:")
    await database.open()
    queue = SqliteQueue(database)
    waiting: dict[str, float] = {}
    held: set[str] = set()
    now = NOW
    for name, number, step in operations:
        task, now = f"t{number}", now + step
        if name == "put":
            new = await queue.put([Due(task, now + step)])
            assert new == (task not in waiting and task not in held)
            waiting.update({task: now + step} if new else {})
        elif name == "claim":
            got = set(await claimed(queue, now=now))
            assert got == {task for task, due in waiting.items() if due <= now}
            held |= got
            waiting = {task: due for task, due in waiting.items() if task not in got}
        elif name == "finish":
            assert await queue.finish("me", task) == (task in held)
            held.discard(task)
        elif name == "back":
            assert await queue.give_back("me", task, now) == (task in held)
            waiting.update({task: now} if task in held else {})
            held.discard(task)
        else:
            assert await queue.withdraw([task]) == (task in waiting)
            waiting.pop(task, None)
    await database.close()


# --- processes that are killed -------------------------------------------------------

TASKS = 400


def dialer(path: str, owner: str, log: str) -> None:
    """Claims, notes what it claimed before anything else, and finishes; until it is killed or nothing is left."""
    with open(log, "a", buffering=1, encoding="utf-8") as notes:
        asyncio.run(_dial(path, owner, notes))


async def _dial(path: str, owner: str, notes: TextIO) -> None:
    database = Database(Path(path))
    await database.open()
    queue = SqliteQueue(database)
    while claims := await queue.claim(owner, "default", 3, time.time()):
        for claim in claims:
            notes.write(f"{claim.due.task_id}\n")
            await asyncio.sleep(random.uniform(0, 0.004))
            await queue.finish(owner, claim.due.task_id)
    await database.close()


def wait_for_work(folder: Path) -> None:
    while not any(log.stat().st_size for log in folder.glob("*.log")):
        time.sleep(0.02)


@pytest.mark.parametrize("round_number", range(3))
async def test_kill_9_loses_nothing_and_claims_nothing_twice(tmp_path: Path, round_number: int) -> None:
    path = tmp_path / "queue.db"
    database = Database(path)
    await database.open()
    queue = SqliteQueue(database)
    await queue.put(Due(str(n), 0) for n in range(TASKS))
    spawn = multiprocessing.get_context("spawn")
    workers = []
    for number in range(3):
        worker = spawn.Process(target=dialer, args=(str(path), f"w{number}", str(tmp_path / f"{number}.log")))
        worker.start()
        workers.append(worker)
    await asyncio.to_thread(wait_for_work, tmp_path)
    await asyncio.sleep(0.1 + 0.1 * round_number)
    for worker in workers[:2]:
        if worker.pid and worker.is_alive():
            os.kill(worker.pid, signal.SIGKILL)
    for worker in workers:
        await asyncio.to_thread(worker.join, 60)
    done = [line for log in tmp_path.glob("*.log") for line in log.read_text().split()]
    orphans = [claim.due.task_id for claim in await queue.orphans(time.time() + 1, 0)]
    left = await claimed(queue, most=TASKS, now=time.time(), owner="test")
    await database.close()
    assert len(done) == len(set(done)), "a task was claimed twice"
    assert set(done) | set(orphans) | set(left) == {str(n) for n in range(TASKS)}, "a task was lost"
    assert not set(left) & (set(done) | set(orphans))
