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
from tests.integration.asterisk.events import Events, ami_options

pytestmark = pytest.mark.asterisk

CALLS = 100
WAYS = ["bot", "sound"]
"""By FastAGI, and by AudioSocket alone."""


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
    await _point(asterisk, agi=_closed_port(), audio=_closed_port())
    await _call(events, way)
    _check(await events.wait("After", count=CALLS), {"DOWN", "LOST"})
    assert max(_waits(events)) < 2
    await events.wait("Fallback", count=CALLS)


@pytest.mark.parametrize("way", WAYS)
async def test_bot_that_accepts_and_says_nothing(asterisk: Asterisk, events: Events, way: str) -> None:
    async with _mute() as port:
        await _point(asterisk, agi=port, audio=port)
        await _call(events, way)
        _check(await events.wait("After", count=CALLS), {"LOST"})
    assert 1 < min(_waits(events)) <= max(_waits(events)) < 2
    await events.wait("Fallback", count=CALLS)


@pytest.mark.parametrize("way", WAYS)
async def test_bot_that_is_killed_in_mid_call(asterisk: Asterisk, events: Events, way: str) -> None:
    async with _bot(asterisk) as bot:
        await _talking(asterisk, events, bot, way)
        died = time.time()
        bot.send(signal.SIGKILL)
        _check(await events.wait("After", count=CALLS), {"LOST"})
    assert max(float(one["at"]) for one in events.of("After")) - died < 2
    await events.wait("Fallback", count=CALLS)


@pytest.mark.parametrize("way", WAYS)
async def test_bot_that_freezes_in_mid_call(asterisk: Asterisk, events: Events, way: str) -> None:
    async with _bot(asterisk) as bot:
        await _talking(asterisk, events, bot, way)
        froze = time.time()
        bot.send(signal.SIGSTOP)
        _check(await events.wait("After", count=CALLS), {"LOST"})
    assert max(float(one["at"]) for one in events.of("After")) - froze < 5
    await events.wait("Fallback", count=CALLS)


@pytest.mark.parametrize("way", WAYS)
async def test_bot_that_lives_is_not_interrupted(asterisk: Asterisk, events: Events, way: str) -> None:
    async with _bot(asterisk) as bot:
        await _talking(asterisk, events, bot, way, count=5)
        await asyncio.sleep(6)
        assert events.of("After") == []


async def _talking(asterisk: Asterisk, events: Events, bot: Bot, way: str, count: int = CALLS) -> None:
    """Wait until ``count`` callers are talking to ``bot``."""
    await _point(asterisk, bot.agi, bot.audio, loan=4)
    await _call(events, way, count)
    await asyncio.wait_for(bot.calls(count), 20)
    assert events.of("After") == []


class Bot:
    """A process of stage_bot.py."""

    def __init__(self, process: asyncio.subprocess.Process, ports: Mapping[str, int]) -> None:
        self._process = process
        self.agi = ports["agi"]
        self.audio = ports["audio"]

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def calls(self, count: int) -> None:
        """Wait until it has told of ``count`` calls."""
        assert self._process.stdout is not None
        for _ in range(count):
            assert b'"demo"' in await self._process.stdout.readline()


@asynccontextmanager
async def _bot(asterisk: Asterisk) -> AsyncIterator[Bot]:
    options = {"ami": asdict(ami_options(asterisk)), "direct": True}
    script = Path(__file__).with_name("stage_bot.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), json.dumps(options), stdout=asyncio.subprocess.PIPE, env=dict(os.environ)
    )
    try:
        assert process.stdout is not None
        yield Bot(process, json.loads(await asyncio.wait_for(process.stdout.readline(), 20)))
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


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
