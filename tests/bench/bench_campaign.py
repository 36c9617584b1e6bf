"""Outbound calling: import, claims, permissions, requests, and dialers killed at random moments.

``python -m tests.bench.bench_campaign [part ...]`` prints the figures and writes
``bench-results/campaign.json``.  ``AGI_BOT_BENCH_ROWS=10000000`` measures claims at ten
million rows (some minutes and 2 GB of disk; 1,000,000 without it).
"""

from __future__ import annotations

import asyncio
import http.client
import json
import multiprocessing
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agi_bot.campaign.dialer import Dialer, DialerSettings
from agi_bot.campaign.importing import Import
from agi_bot.campaign.model import AttemptEnd, Campaign, Task
from agi_bot.campaign.office import Office
from agi_bot.campaign.permission import History, Rules, may_call
from agi_bot.campaign.queue import SqliteQueue
from agi_bot.campaign.store import Database
from agi_bot.campaign.store.tasks import TaskStore
from agi_bot.demo.provision import provide
from agi_bot.flow import Flow, load_text
from agi_bot.web.api import Options, application
from agi_bot.web.keys import Role, create_key
from agi_bot.web.live import Live
from agi_bot.web.server import serving
from tests.bench.results import Figure, save
from tests.e2e import test_dialer_killed as killing
from tests.e2e.town import LivingBot, Town, kill_rounds

IMPORT_ROWS = int(os.environ.get("AGI_BOT_BENCH_IMPORT", "1000000"))
CLAIM_ROWS = int(os.environ.get("AGI_BOT_BENCH_ROWS", "1000000"))
FEW_ROWS = 10_000
CLAIMS = 400
POSTS = 4000
CLIENTS = 8
KILL_ROUNDS = int(os.environ.get("AGI_BOT_BENCH_KILLS", "20"))
KILL_TASKS = 5000
REAL_ROUNDS = 5
REAL_TASKS = int(os.environ.get("AGI_BOT_BENCH_REAL_TASKS", "200"))
DIALLED = 2000
FLOW = """\
flow: promotion
task: {name: {type: text, required: false}}
start: hello
steps:
  hello: {say: 您好。, end: done}
"""


class Scripts:
    """One script."""

    def __init__(self) -> None:
        flow = load_text(FLOW, "promotion.yaml")
        assert isinstance(flow, Flow)
        self._flow = flow

    def get(self, name: str) -> Flow | None:
        return self._flow if name == "promotion" else None

    def names(self) -> list[str]:
        return ["promotion"]


async def importing(folder: Path) -> list[Figure]:
    """A CSV with customer, number, name, time and dedupe key, through the same code as the command."""
    path = folder / "list.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("customer_id,number,name,dedupe_key\n")
        file.writelines(f"{n},139{n:08},张伟,k{n}\n" for n in range(IMPORT_ROWS))
    database = Database(folder / "import.db")
    await database.open()
    office = Office(database, Scripts())
    campaign = Campaign("spring", "promotion")
    await office.tasks.save_campaign(campaign)
    began = time.perf_counter()
    done = await Import(office, campaign).run(path)
    took = time.perf_counter() - began
    await database.close()
    assert done.new == IMPORT_ROWS, done
    name = "import_1m_s" if IMPORT_ROWS == 1_000_000 else f"import_{IMPORT_ROWS}_s"
    return [Figure(name, round(took, 1), "s")]


async def claiming(folder: Path) -> list[Figure]:
    """The median cost of taking one task with many others in the queue, half of them due.

    Both queues are asked in turn, so that other work of the machine hits both alike.
    """
    now = time.time()
    queues = [await _filled(folder / f"{rows}.db", rows, now) for rows in (FEW_ROWS, CLAIM_ROWS)]
    took: list[list[float]] = [[], []]
    for _ in range(CLAIMS):
        for queue, times in zip(queues, took, strict=True):
            times.append(await _claim_ms(queue, now))
    few, many = map(statistics.median, took)
    label = {1_000_000: "1m", 10_000_000: "10m"}.get(CLAIM_ROWS, str(CLAIM_ROWS))
    return [
        Figure("claim_10k_ms", round(few, 3), "ms"),
        Figure(f"claim_{label}_ms", round(many, 3), "ms"),
        Figure(f"claim_ratio_{label}_to_10k", round(many / few, 2), "1"),
    ]


async def _filled(path: Path, rows: int, now: float) -> SqliteQueue:
    database = Database(path)
    await database.open()
    await database.run(lambda db: _fill(db.conn, rows, now))
    await database.close()
    # What the filling left to be written would otherwise be paid for by the claims.
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    os.sync()
    database = Database(path)
    await database.open()
    return SqliteQueue(database)


async def _claim_ms(queue: SqliteQueue, now: float) -> float:
    began = time.perf_counter()
    (claim,) = await queue.claim("bench", "default", 1, now)
    took = (time.perf_counter() - began) * 1000
    await queue.finish("bench", claim.due.task_id)
    return took


def _fill(connection: sqlite3.Connection, rows: int, now: float) -> None:
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {rows // 2}) "
    ready = f"INSERT INTO queue_ready {numbers} SELECT printf('r%09d', i), 'default', i % 10, {now} - i % 9999 FROM n"
    later = (
        f"INSERT INTO queue_later {numbers} SELECT printf('l%09d', i), 'default', i % 10, {now} + 9 + i % 9999 FROM n"
    )
    connection.execute(ready)
    connection.execute(later)


async def permissions(folder: Path) -> list[Figure]:
    """The pure decision, with ten earlier calls to the person."""
    now = datetime(2026, 11, 24, 4, tzinfo=UTC)
    calls = [now - timedelta(days=day) for day in range(10, 110, 10)]
    rules, history = Rules(), History("Asia/Shanghai", calls=calls)
    rounds = 20_000
    began = time.perf_counter()
    for _ in range(rounds):
        may_call(rules, history, now)
    return [Figure("permission_per_s", round(rounds / (time.perf_counter() - began)), "1/s")]


async def posting(folder: Path) -> list[Figure]:
    """Tasks over real HTTP, keep-alive, by clients in another process."""
    database = Database(folder / "post.db")
    await database.open()
    office = Office(database, Scripts())
    key = await create_key(office.access, "bench", Role.OPERATOR, time.time())
    app = application(office, Live(), Options(requests_per_minute=10_000_000))
    async with serving(app, "127.0.0.1", 0) as url:
        port = int(url.rsplit(":", 1)[1])
        took = await asyncio.to_thread(_post_all, port, key)
    stored = await database.run(lambda db: db.execute("SELECT count(*) FROM tasks").fetchone()[0])
    await database.close()
    assert stored == POSTS, stored
    return [Figure("post_tasks_per_s", round(POSTS / took), "1/s")]


def _post_all(port: int, key: str) -> float:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return float(pool.apply(post_from_here, (port, key)))


def post_from_here(port: int, key: str) -> float:
    """Post everything from :data:`CLIENTS` connections; seconds from the first to the last."""
    began = time.perf_counter()
    clients = [threading.Thread(target=_client, args=(port, key, first)) for first in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return time.perf_counter() - began


def _client(port: int, key: str, first: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    head = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    for number in range(first, POSTS, CLIENTS):
        task = {"customer_id": str(number), "script_id": "promotion", "number": f"139{number:08}"}
        connection.request("POST", "/api/v1/call/task", json.dumps(task), head)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 201, answer.status
    connection.close()


async def kills(folder: Path) -> list[Figure]:
    """Dialers killed with -9 at random moments; the same world as tests/e2e/test_dialer_killed.py."""
    killing.TASKS = KILL_TASKS
    await killing.fill(folder / "campaign.db")
    return await asyncio.to_thread(_kill_rounds, folder)


def _kill_rounds(folder: Path) -> list[Figure]:
    path = folder / "campaign.db"
    for number in range(KILL_ROUNDS):
        log = folder / f"{number}.log"
        process = killing.start(path, log)
        while not (log.exists() and log.stat().st_size) and set(killing.states(path)) - {"done", "orphaned"}:
            time.sleep(0.02)
        time.sleep(random.uniform(0.05, 0.5))
        killing.kill(process)
    last = killing.start(path, folder / "last.log")
    deadline = time.monotonic() + 600
    while set(killing.states(path)) - {"done", "orphaned"} and time.monotonic() < deadline:
        time.sleep(0.5)
    killing.kill(last)
    return _judge(path, folder)


def _judge(path: Path, folder: Path) -> list[Figure]:
    placed = [line.split()[0] for log in folder.glob("*.log") for line in log.read_text().splitlines()]
    found = killing.states(path)
    ended = found.get("done", 0) + found.get("orphaned", 0)
    return [
        Figure("kill_rounds", KILL_ROUNDS, "1"),
        Figure("kill_tasks", KILL_TASKS, "1"),
        Figure("called_twice", len(placed) - len(set(placed)), "1"),
        Figure("tasks_lost", KILL_TASKS - ended, "1"),
        Figure("orphans_set_aside", found.get("orphaned", 0), "1"),
    ]


async def real_kills(folder: Path) -> list[Figure]:
    """``agi-bot serve`` killed with -9 while it dials people through a real Asterisk; what rings is counted there."""
    installation = await asyncio.to_thread(provide, print)
    async with Town(installation, folder, rings_s=(0.0, 2.0)) as town:
        bot = LivingBot(folder, town.asterisk)
        await bot.fill(REAL_TASKS, lines=8, per_second=10.0)
        states = await kill_rounds(town, bot, REAL_ROUNDS, REAL_TASKS, within_s=480)
    return [
        Figure("asterisk_kill_rounds", REAL_ROUNDS, "1"),
        Figure("asterisk_kill_tasks", REAL_TASKS, "1"),
        Figure("asterisk_called_twice", len(town.called_twice()), "1"),
        Figure("asterisk_tasks_lost", REAL_TASKS - sum(states.values()), "1"),
        Figure("asterisk_telephones_rang", town.calls, "1"),
        Figure("asterisk_orphans_set_aside", states.get("orphaned", 0), "1"),
    ]


class Nobody:
    """Ends every call at once."""

    async def place(self, task: Task, campaign: Campaign, attempt_id: str) -> AttemptEnd:
        return AttemptEnd("confirmed", 0, answered=True)


async def dialling(folder: Path) -> list[Figure]:
    """What an attempt costs beside the call: claim, permission, rows of attempt, end and outbox, finish."""
    killing.TASKS = DIALLED
    await killing.fill(folder / "dial.db")
    database = Database(folder / "dial.db")
    await database.open()
    store, queue = TaskStore(database), SqliteQueue(database)
    dialer = Dialer(store, queue, Nobody(), time.time, DialerSettings(tick_s=0.001))
    await dialer.requeue()
    began, cpu = time.perf_counter(), time.process_time()
    running = asyncio.create_task(dialer.run())
    while (await store.counts("spring")).get("done", 0) < DIALLED:  # noqa: ASYNC110 - another task does the work
        await asyncio.sleep(0.05)
    took, used = time.perf_counter() - began, time.process_time() - cpu
    dialer.stop()
    await running
    await database.close()
    return [
        Figure("dial_overhead_ms", round(1000 * took / DIALLED, 2), "ms"),
        Figure("dial_overhead_cpu_ms", round(1000 * used / DIALLED, 2), "ms"),
    ]


PARTS: dict[str, Callable[[Path], Awaitable[list[Figure]]]] = {
    "permissions": permissions,
    "posting": posting,
    "claiming": claiming,
    "importing": importing,
    "dialling": dialling,
    "kills": kills,
    "real_kills": real_kills,
}


async def main(wanted: list[str]) -> None:
    """Run the parts that are named, or all."""
    for name, part in PARTS.items():
        if not wanted or name in wanted:
            with tempfile.TemporaryDirectory(prefix="agi-bot-bench-") as folder:
                save("campaign.json", await part(Path(folder)), packages=("fastapi", "uvicorn", "sqlite-utils"))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
