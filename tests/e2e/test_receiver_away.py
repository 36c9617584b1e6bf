"""The CRM is away while a campaign is dialled through a real Asterisk: it is told everything once it is back."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agi_bot.demo.installation import Installation
from agi_bot.demo.ports import free_port
from tests.e2e.town import LivingBot, Town, judge
from tests.e2e.wall_clock import WallClock, faketime

pytestmark = [pytest.mark.asterisk, pytest.mark.wall_clock]

TASKS = 10
AT_ONCE = 8
HOUR = 3600.0
NEVER_TAKEN = "t00003"


class Crm:
    """A receiver on one port that can go away; it never takes what tells of ``NEVER_TAKEN`` until it is mended."""

    def __init__(self) -> None:
        self.came: list[tuple[str, str]] = []
        """Task and idempotency key of all that came, in order."""
        self.taken: list[str] = []
        self.mended = False
        self._server: ThreadingHTTPServer | None = None
        self.port = free_port(socket.SOCK_STREAM)  # nobody is given it while it is closed

    def open(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _handler(crm) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                crm.came.append((told["task_id"], self.headers["Idempotency-Key"]))
                bad = told["task_id"] == NEVER_TAKEN and not crm.mended
                crm.taken += [] if bad else [told["task_id"]]
                self.send_response(422 if bad else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """pytest shows what matters."""

        return Handler


async def test_a_receiver_that_is_away_for_an_hour(asterisk_installation: Installation, tmp_path: Path) -> None:
    clock, crm = WallClock(faketime(), tmp_path), Crm()
    crm.open()
    async with AsyncExitStack() as stack:
        stack.callback(crm.close)
        town = await stack.enter_async_context(Town(asterisk_installation, tmp_path))
        outbox = f"outbox: {{url: 'http://127.0.0.1:{crm.port}/calls', allow_private: true, secret: s}}\n"
        bot = LivingBot(tmp_path, town.asterisk, outbox=outbox)
        bot.environment = clock.environment
        await bot.tell(town.asterisk)
        await bot.fill(TASKS, lines=4, per_second=5.0, ring_s=6.0)
        bot.start()
        stack.callback(bot.end)
        await bot.ready()
        await until(lambda: len(crm.taken) >= 1)
        crm.close()
        await bot.until_over(120)
        waiting = letters(bot, "waiting")
        assert waiting, "the campaign was over too early for this test"
        assert "outbox.receiver_away" in bot.log.read_text(encoding="utf-8")
        clock.set_by(HOUR)
        await asyncio.sleep(2)
        assert letters(bot, "waiting") == waiting
        before = len(crm.came)
        crm.open()
        await until(lambda: not letters(bot, "waiting"))
        backlog = [key for _, key in crm.came[before:]]
        assert sorted(backlog) == sorted(waiting), "each of them once, under its own key"
        assert all(abs(waiting.index(key) - place) < AT_ONCE for place, key in enumerate(backlog)), (
            "as they were written"
        )
        await resent(bot, crm)
        judge(town, bot, TASKS)
    assert sorted(crm.taken) == sorted(f"t{n:05}" for n in range(TASKS)), "everything once"


async def resent(bot: LivingBot, crm: Crm) -> None:
    """What the receiver did not want is set aside, shown with its reason, and sent again when somebody says so."""
    (dead,) = letters(bot, "dead")
    assert [key for task, key in crm.came if task == NEVER_TAKEN] == [dead], "tried once: it would never be taken"
    shown = command(bot, "outbox", "list")
    assert NEVER_TAKEN in shown
    assert "answered 422" in shown
    crm.mended = True
    assert "1 will be sent again" in command(bot, "outbox", "resend")
    await until(lambda: NEVER_TAKEN in crm.taken)
    assert crm.came[-1] == (NEVER_TAKEN, dead)
    await until(lambda: not letters(bot, "waiting"))


def letters(bot: LivingBot, state: str) -> list[str]:
    """Their keys, oldest first."""
    return [str(key) for (key,) in bot.rows(f"SELECT key FROM outbox WHERE state = '{state}' ORDER BY outbox_id")]


def command(bot: LivingBot, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "agi_bot", *words],
        cwd=bot.folder,
        env={**dict(bot.environment), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


async def until(done: Callable[[], object], within_s: float = 90) -> None:
    async with asyncio.timeout(within_s):
        while not done():  # noqa: ASYNC110 - others are processes and threads
            await asyncio.sleep(0.1)
