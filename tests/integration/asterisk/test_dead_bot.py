"""A dead bot is not a dead line: 100 callers of each misfortune reach the dialplan's fallback."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

import pytest

from agi_bot.demo.asterisk import Asterisk
from agi_bot.demo.ports import free_port
from agi_bot.supervisor import Supervisor
from tests.integration.asterisk.events import Events, ami_options

pytestmark = [pytest.mark.asterisk, pytest.mark.wall_clock]

CALLS = 100
WAYS = ["bot", "sound"]
"""By FastAGI, and by AudioSocket alone."""
SOON_S = 15.0
"""Nobody is stranded, however busy the machine is; how long it takes is in docs/benchmarks.md."""


@pytest.fixture
async def usual_patience(asterisk: Asterisk) -> AsyncIterator[None]:
    await asterisk.set_global("AGI_BOT_PATIENCE", "1.5")
    yield
    await asterisk.set_global("AGI_BOT_PATIENCE", "6")


async def _point(asterisk: Asterisk, agi: int, audio: int, loan: int = 0) -> None:
    """Tell the dialplan where the bot is."""
    await asterisk.set_global("AGI_BOT_PORT", str(agi))
    await asterisk.set_global("AGI_BOT_AUDIO_PORT", str(audio))
    await asterisk.set_global("AGI_BOT_LOAN", str(loan))


async def _call(events: Events, way: str, count: int = CALLS) -> None:
    """``count`` callers at once."""
    await asyncio.gather(*(events.dial(way, uuid4().hex) for _ in range(count)))


def _waits(events: Events) -> list[float]:
    """Seconds from the bot's line to the fallback, call by call."""
    began = {one["tag"]: float(one["at"]) for one in events.of("Begin")}
    return [float(one["at"]) - began[one["tag"]] for one in events.of("After")]


def _check(back: list[Mapping[str, str]], status: set[str]) -> None:
    """Every caller is back once, and was told that the bot failed."""
    assert len({one["tag"] for one in back}) == len(back) == CALLS
    assert {one["status"] for one in back} <= status
    assert {one["outcome"] for one in back} == {"unavailable"}


@pytest.mark.parametrize("way", WAYS)
async def test_bot_that_is_not_running(asterisk: Asterisk, events: Events, way: str) -> None:
    await _point(asterisk, agi=free_port(socket.SOCK_STREAM), audio=free_port(socket.SOCK_STREAM))
    await _call(events, way)
    _check(await events.wait("After", count=CALLS), {"DOWN", "LOST"})
    assert max(_waits(events)) < SOON_S
    await events.wait("Fallback", count=CALLS)


@pytest.mark.usefixtures("usual_patience")
@pytest.mark.parametrize("way", WAYS)
async def test_bot_that_accepts_and_says_nothing(asterisk: Asterisk, events: Events, way: str) -> None:
    async with _mute() as port:
        await _point(asterisk, agi=port, audio=port)
        await _call(events, way)
        _check(await events.wait("After", count=CALLS), {"LOST"})
    assert 1 < min(_waits(events)) <= max(_waits(events)) < SOON_S
    await events.wait("Fallback", count=CALLS)


@pytest.mark.parametrize("way", WAYS)
async def test_bot_that_is_killed_in_mid_call(asterisk: Asterisk, events: Events, way: str, tmp_path: Path) -> None:
    async with _bot(asterisk, tmp_path / "bot") as (bot, process):
        await _talking(asterisk, events, bot, way)
        died = time.time()
        process.send_signal(signal.SIGKILL)
        _check(await events.wait("After", count=CALLS), {"LOST"})
    assert max(float(one["at"]) for one in events.of("After")) - died < SOON_S
    await events.wait("Fallback", count=CALLS)


@pytest.mark.parametrize("way", WAYS)
async def test_bot_that_freezes_in_mid_call(asterisk: Asterisk, events: Events, way: str, tmp_path: Path) -> None:
    async with _bot(asterisk, tmp_path / "bot") as (bot, process):
        await _talking(asterisk, events, bot, way)
        froze = time.time()
        process.send_signal(signal.SIGSTOP)
        _check(await events.wait("After", count=CALLS), {"LOST"})
    assert max(float(one["at"]) for one in events.of("After")) - froze < SOON_S
    await events.wait("Fallback", count=CALLS)


@pytest.mark.parametrize("way", WAYS)
async def test_bot_that_lives_is_not_interrupted(asterisk: Asterisk, events: Events, way: str, tmp_path: Path) -> None:
    async with _bot(asterisk, tmp_path / "bot") as (bot, _):
        await _talking(asterisk, events, bot, way, count=5)
        await asyncio.sleep(6)
        assert events.of("After") == []


async def test_frozen_bot_without_ami_is_killed_by_its_supervisor(
    asterisk: Asterisk, events: Events, tmp_path: Path
) -> None:
    """Nobody renews a loan here: the line is lent for good, and only the supervisor notices."""
    log = tmp_path / "bot"
    agi, audio = (free_port(socket.SOCK_STREAM) for _ in range(2))
    shell = 'exec "$0" "$@" >>' + str(log)
    command = ["sh", "-c", shell, *_command({"agi": agi, "audio": audio, "direct": True})]
    supervisor = Supervisor(command)
    running = asyncio.create_task(supervisor.run())
    try:
        bot = Bot(log, agi, audio)
        await bot.lines(1)
        await _talking(asterisk, events, bot, "bot", loan=0)
        froze = time.time()
        os.kill(supervisor.pid, signal.SIGSTOP)
        _check(await events.wait("After", count=CALLS), {"LOST"})
        assert max(float(one["at"]) for one in events.of("After")) - froze < SOON_S
        await events.wait("Fallback", count=CALLS)
        await bot.lines(CALLS + 2)  # it is back
        events.seen.clear()
        await events.dial("bot", "new")
        await bot.lines(CALLS + 3)
        assert events.of("After") == []
    finally:
        supervisor.stop()
        await running


async def _talking(
    asterisk: Asterisk, events: Events, bot: Bot, way: str, *, count: int = CALLS, loan: int = 4
) -> None:
    """Wait until ``count`` callers are talking to ``bot``."""
    await _point(asterisk, bot.agi, bot.audio, loan)
    await _call(events, way, count)
    await bot.lines(1 + count)
    assert events.of("After") == []


class Bot:
    """What a process of stage_bot.py tells."""

    def __init__(self, log: Path, agi: int, audio: int) -> None:
        self._log = log
        self.agi = agi
        self.audio = audio

    async def lines(self, count: int, within_s: float = 60) -> list[dict[str, str]]:
        """Wait until it has told ``count`` things: that it is ready, then its calls."""
        for _ in range(int(within_s / 0.05)):
            told = self._log.read_text().splitlines() if self._log.exists() else []
            if len(told) >= count:
                return [json.loads(line) for line in told]
            await asyncio.sleep(0.05)
        raise TimeoutError(f"the bot told {len(told)} of {count} things in {within_s} s")


def _command(options: dict[str, object]) -> list[str]:
    return [sys.executable, str(Path(__file__).with_name("stage_bot.py")), json.dumps(options)]


@asynccontextmanager
async def _bot(asterisk: Asterisk, log: Path) -> AsyncIterator[tuple[Bot, asyncio.subprocess.Process]]:
    """A bot with an AMI login."""
    agi, audio = (free_port(socket.SOCK_STREAM) for _ in range(2))
    options = {"ami": asdict(ami_options(asterisk)), "direct": True, "agi": agi, "audio": audio}
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(*_command(options), stdout=sink)
    try:
        bot = Bot(log, agi, audio)
        await bot.lines(1)
        yield bot, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def _mute() -> AsyncIterator[int]:
    """A server that accepts and says nothing."""

    async def keep_quiet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass
        writer.close()

    server = await asyncio.start_server(keep_quiet, "127.0.0.1", 0, backlog=512)
    async with server:
        yield server.sockets[0].getsockname()[1]
