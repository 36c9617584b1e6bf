"""A town of telephones behind a private Asterisk, and a bot in a process of its own that calls them.

Every number rings at one softphone, which counts what rings (by SIP Call-ID: a repeated
INVITE is no second call), answers after a while and listens to the end.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import time as day_time
from datetime import timedelta
from pathlib import Path

import httpx

from agi_bot.campaign.dialer import due
from agi_bot.campaign.model import Campaign, Task
from agi_bot.campaign.permission import Rules, Window
from agi_bot.campaign.queue import SqliteQueue
from agi_bot.campaign.retry import RetryRules
from agi_bot.campaign.store import Database
from agi_bot.campaign.store.tasks import TaskStore
from agi_bot.demo.asterisk import Asterisk
from agi_bot.demo.installation import Installation
from agi_bot.demo.phone.softphone import PhoneCall, Softphone
from agi_bot.demo.ports import free_port
from agi_bot.errors import AgiBotError
from agi_bot.shipped import shipped

FLOW = """\
flow: hello
language: zh-CN
task: {name: {type: text, required: true}}
start: hello
anywhere:
  stop_calling: {say: 好的。, mark: do_not_call, end: refused}
steps:
  hello: {say: "{name}您好，本次通话会被录音。", protect: 本次通话会被录音, end: done}
"""
ROUTES = """
[outbound]
exten => _X.,1,Dial(PJSIP/self/sip:${{EXTEN}}@127.0.0.1:{port},30)
 same => n,Hangup(${{HANGUPCAUSE}})
"""
ALWAYS = Rules(windows=(Window(day_time(0), day_time(23, 59, 59, 999999)),), caps=(), min_interval=timedelta(0))
OVER = {"done", "orphaned"}
START_S = 90.0


class Town:
    """``async with Town(installation) as town``; ``rung`` has the SIP Call-IDs by number."""

    def __init__(self, installation: Installation, folder: Path, *, rings_s: tuple[float, float] = (0.0, 0.6)) -> None:
        self.rung: defaultdict[str, set[str]] = defaultdict(set)
        self.faults: list[str] = []
        self._folder = folder
        self._installation = installation
        self._rings_s = rings_s
        self._phone = Softphone("town")
        self._calls: set[asyncio.Task[None]] = set()
        self._rang = asyncio.Event()
        self.rang_at: list[float] = []
        """When telephones rang, by a clock that nobody sets, s."""
        self.most_at_once = 0

    async def __aenter__(self) -> Town:
        await self._phone.start()
        plans = [shipped("dialplans", "asterisk", name) for name in ("agi-bot.conf", "agi-bot-outbound.conf")]
        self.asterisk = Asterisk(
            self._installation,
            dialplans=plans,
            dialplan=ROUTES.format(port=self._phone.port),
            folder=self._folder / "asterisk",
        )
        await self.asterisk.start()
        self._taking = asyncio.create_task(self._take())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (self._taking, *self._calls):
            task.cancel()
        await asyncio.gather(self._taking, *self._calls, return_exceptions=True)
        await self._phone.close()
        await self.asterisk.stop()

    async def kill_asterisk(self) -> None:
        """As if its power had failed."""
        os.kill(self.asterisk.pid, signal.SIGKILL)
        await self.asterisk.stop()  # it has ended; its folder stays

    @property
    def calls(self) -> int:
        """How often a telephone rang."""
        return sum(map(len, self.rung.values()))

    async def rings(self, times: int, within_s: float) -> None:
        """Wait until telephones rang ``times`` more, or ``within_s`` are over."""
        enough = self.calls + times
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self.calls < enough:
                    await self._rang.wait()
                    self._rang.clear()

    def called_twice(self) -> list[str]:
        """Numbers that rang more than once."""
        return [number for number, calls in self.rung.items() if len(calls) > 1]

    async def _take(self) -> None:
        while True:
            call = await self._phone.incoming()
            if call.id not in self.rung[call.called]:
                self.rang_at.append(time.monotonic())
            self.rung[call.called].add(call.id)
            self._rang.set()
            listening = asyncio.create_task(self._listen(call))
            self._calls.add(listening)
            self.most_at_once = max(self.most_at_once, len(self._calls))
            listening.add_done_callback(self._calls.discard)

    async def _listen(self, call: PhoneCall) -> None:
        with suppress(AgiBotError, TimeoutError):
            await asyncio.wait_for(call.ended.wait(), random.uniform(*self._rings_s))
        if not call.ended.is_set():
            try:
                await call.answer()
                await call.ended.wait()
            except AgiBotError as error:
                self.faults.append(str(error))


class LivingBot:
    """``agi-bot serve`` in ``folder``, started and killed at will; always on the same ports."""

    def __init__(self, folder: Path, asterisk: Asterisk, *, ami_port: int = 0, outbox: str = "") -> None:
        self.folder = folder
        self.database = folder / "agi-bot.db"
        self.log = folder / "bot.log"
        self.web = free_port(socket.SOCK_STREAM)
        layout = asterisk.layout
        (folder / "flows").mkdir(exist_ok=True)
        (folder / "flows" / "hello.yaml").write_text(FLOW, encoding="utf-8")
        agi, audio = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
        (folder / "agi-bot.yml").write_text(
            f"flows: {{folder: {folder / 'flows'}}}\n"
            f"store: {{database: {self.database}, recordings: {folder / 'recordings'}}}\n"
            f"speaking: {{cache: {folder / 'prompts'}}}\n"
            "pbx: asterisk\n"
            f"asterisk: {{agi_port: {agi}, audio_port: {audio},\n"
            f"  ami: {{port: {ami_port or layout.ami}, user: {layout.user}, secret: {layout.secret}}}}}\n"
            "campaigns: {enabled: true, dead_after_s: 3}\n"
            f"web: {{enabled: true, port: {self.web}}}\n"
            "supervisor: {enabled: false}\n" + outbox,
            encoding="utf-8",
        )
        # A machine that runs tests may be slow; how long a dead bot is waited for is tested elsewhere.
        self.globals = {"AGI_BOT_PORT": str(agi), "AGI_BOT_AUDIO_PORT": str(audio), "AGI_BOT_PATIENCE": "6"}
        self.process: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}

    async def tell(self, asterisk: Asterisk) -> None:
        """Tell the dialplan where the bot is; again whenever Asterisk was started anew."""
        for name, value in self.globals.items():
            await asterisk.set_global(name, value)

    def start(self, limit: Sequence[str] = ()) -> None:
        """Start it, with ``limit`` before the command (``prlimit --fsize=...``)."""
        command = [*limit, sys.executable, "-m", "agi_bot", "serve"]
        with self.log.open("ab") as log:
            environment = {**os.environ, **self.environment}
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, env=environment)

    def end(self, how: signal.Signals = signal.SIGKILL) -> int:
        """Send it a signal and wait for its end."""
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(how)
        return process.wait(60)

    async def get(self, path: str) -> httpx.Response:
        """What its API answers."""
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            return await client.get(f"http://127.0.0.1:{self.web}{path}")

    async def ready(self) -> None:
        """Wait until it serves."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            with suppress(httpx.TransportError):
                if (await self.get("/healthz")).status_code == 200:
                    return
            await asyncio.sleep(0.1)
        raise TimeoutError(self.log.read_text()[-3000:])

    async def fill(self, count: int, **campaign: object) -> None:
        """A campaign for ``count`` people, all due now."""
        database = Database(self.database)
        await database.open()
        store, queue = TaskStore(database), SqliteQueue(database)
        once = RetryRules(by_end={})
        settings = {"lines": 8, "per_second": 50.0, "ring_s": 10.0, "rules": ALWAYS, "retries": once, **campaign}
        await store.save_campaign(Campaign("town", "hello", **settings))  # type: ignore[arg-type]
        tasks = [Task(f"t{n:05}", "town", f"139{n:08}", "hello", 0.0, data={"name": "张伟"}) for n in range(count)]
        await queue.put(due(task, "default") for task in await store.add(tasks, time.time()))
        await database.close()

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What the database says."""
        connection = sqlite3.connect(self.database, timeout=30)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def states(self) -> Mapping[str, int]:
        """Tasks by state."""
        return {str(state): int(str(n)) for state, n in self.rows("SELECT state, count(*) FROM tasks GROUP BY state")}

    async def settled(self, town: Town, quiet_s: float = 4.0) -> None:
        """Wait until nothing has happened for ``quiet_s``: no telephone rang, no attempt began, no task changed."""
        seen: object = None
        async with asyncio.timeout(90):
            while (now := (town.calls, self.states(), self.rows("SELECT count(*) FROM attempts"))) != seen:
                seen = now
                await asyncio.sleep(quiet_s)

    async def until_over(self, within_s: float) -> None:
        """Wait until every task has its end, and the last claim was let go."""
        deadline = time.monotonic() + within_s
        while set(self.states()) - OVER or self.rows("SELECT 1 FROM queue_claimed"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.states()}\n{self.log.read_text()[-4000:]}")
            await asyncio.sleep(0.2)


def judge(town: Town, bot: LivingBot, count: int) -> Mapping[str, int]:
    """Nobody called twice, no task lost, every orphan explained; answers the tasks by state."""
    states = bot.states()
    assert town.called_twice() == []
    # On a busy machine a telephone may miss a call, and the bot one that was answered; nothing else may go wrong.
    had, others = "how = 'done'", "how NOT IN ('done', 'no_answer', 'unknown', 'not_placed')"
    others += " AND detail NOT IN ('answered, but no conversation came of it',"
    others += " 'answered, and the bot died in the conversation')"
    assert bot.rows(f"SELECT DISTINCT how, detail FROM attempts WHERE {others}") == []
    conversations = int(str(bot.rows(f"SELECT count(*) FROM attempts WHERE {had}")[0][0]))
    assert count // 2 < conversations <= town.calls, town.faults
    assert sum(states.values()) == count
    assert set(states) <= OVER, states
    tried = {str(number) for (number,) in bot.rows("SELECT number FROM attempts WHERE how != 'not_placed'")}
    assert set(town.rung) <= tried, "a telephone rang without an attempt"
    unexplained = "ended_at IS NULL OR how = '' OR (how = 'unknown' AND detail = '')"
    assert bot.rows(f"SELECT * FROM attempts WHERE {unexplained}") == []
    set_aside = "SELECT count(*) FROM tasks WHERE state = 'orphaned' AND reason = ''"
    assert bot.rows(set_aside) == [(0,)]
    orphans = bot.rows("SELECT count(*) FROM attempts WHERE how = 'unknown'")
    assert orphans == [(states.get("orphaned", 0),)]
    assert bot.rows("SELECT count(*) FROM queue_claimed") == [(0,)]
    recordings = {str(path) for path in (bot.folder / "recordings").glob("*/*")}
    assert recordings == {str(path) for (path,) in bot.rows("SELECT recording FROM calls WHERE recording != ''")}
    return states


async def kill_rounds(town: Town, bot: LivingBot, rounds: int, count: int, within_s: float) -> Mapping[str, int]:
    """Kill the bot ``rounds`` times with -9 while it dials, then let it end the campaign."""
    await bot.tell(town.asterisk)
    for _ in range(rounds):
        bot.start()
        await bot.ready()
        await town.rings(random.randint(1, max(1, count // (2 * rounds))), within_s=10)
        await asyncio.sleep(random.uniform(0, 1))
        bot.end()
    bot.start()
    try:
        await bot.until_over(within_s)
    finally:
        bot.end()
    return judge(town, bot, count)
