"""A full disk in a campaign on a real Asterisk: nothing is dialled without its row, and all goes on when there is room.

The bot's files may not grow beyond a kilobyte (RLIMIT_FSIZE, which needs no rights): for
SQLite, the log and the recordings that is a disk without room.
"""

from __future__ import annotations

import asyncio
import resource
import time
from pathlib import Path

import pytest

from agi_bot.demo.installation import Installation
from tests.e2e.town import LivingBot, Town, judge

pytestmark = [pytest.mark.asterisk, pytest.mark.wall_clock]

TASKS = 10
FULL = 1024


def room(bot: LivingBot, size: int) -> None:
    """How large the bot's files may become, bytes."""
    assert bot.process is not None
    resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


async def answers(bot: LivingBot, status: int, within_s: float = 60) -> str:
    """Wait until ``/readyz`` answers ``status``; its text."""
    deadline = time.monotonic() + within_s
    while True:
        answer = await bot.get("/readyz")
        if answer.status_code == status or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.1)
    assert answer.status_code == status, answer.text
    return answer.text


async def test_a_full_disk(asterisk_installation: Installation, tmp_path: Path) -> None:
    async with Town(asterisk_installation, tmp_path) as town:
        bot = LivingBot(tmp_path, town.asterisk)
        await bot.tell(town.asterisk)
        await bot.fill(TASKS, lines=2, per_second=4.0, ring_s=5.0)
        bot.start()
        try:
            await bot.ready()
            await town.rings(2, within_s=30)
            room(bot, FULL)
            told = await answers(bot, 503)
            assert "free space" in told or "disk" in told
            metrics = (await bot.get("/metrics")).text
            assert "agibot_store_writable 0.0" in metrics
            assert (await bot.get("/healthz")).status_code == 200
            rows = bot.rows("SELECT number FROM attempts")
            await bot.settled(town, 6)
            assert "agibot_dialer_waits 1.0" in (await bot.get("/metrics")).text
            assert set(town.rung) <= {str(number) for (number,) in rows}, "somebody was called without a row"
            assert bot.rows("SELECT number FROM attempts") == rows
            assert bot.states().get("waiting", 0) > 0
            room(bot, resource.RLIM_INFINITY)
            await answers(bot, 200)
            await bot.until_over(90)
            assert "agibot_store_writable 1.0" in (await bot.get("/metrics")).text
        finally:
            bot.end()
        states = judge(town, bot, TASKS)
    assert states == {"done": TASKS}, "what ended while the disk was full was written down later"
