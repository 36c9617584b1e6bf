"""A bot whose recogniser hangs beyond help ends, so that the watchdog starts it anew."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

from agi_bot.app import serving
from agi_bot.app.running import Running
from agi_bot.testing import VirtualTimeLoop


class Parts:
    """As much of a bot as is looked at."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.bot = SimpleNamespace(running=1)
        self.threads = SimpleNamespace(hangs=False, stuck=2)
        self.workshop = SimpleNamespace(recognizer=SimpleNamespace(threads=self.threads))


async def ended_after(hangs_s: float, quiet_s: float) -> float:
    """When the bot ends, s, that hangs from one moment on and has no call from another one on."""
    loop, parts = asyncio.get_running_loop(), Parts()
    loop.call_later(hangs_s, setattr, parts.threads, "hangs", True)
    loop.call_later(quiet_s, setattr, parts.bot, "running", 0)
    began = loop.time()
    await serving.until_deaf(cast(Running, parts), parts.stop)
    assert parts.stop.is_set()
    return loop.time() - began


def test_it_ends_when_nobody_talks_any_more() -> None:
    loop = VirtualTimeLoop()
    waited = loop.run_until_complete(ended_after(100, 120))
    loop.close()
    assert 115 < waited < 125


def test_calls_hold_it_for_a_minute_at_most() -> None:
    loop = VirtualTimeLoop()
    waited = loop.run_until_complete(ended_after(100, 1000))
    loop.close()
    assert 165 < waited < 175


def test_one_that_comes_back_is_no_deaf_bot() -> None:
    async def comes_back() -> bool:
        loop, parts = asyncio.get_running_loop(), Parts()
        for at in range(5, 500, 8):
            loop.call_later(at, setattr, parts.threads, "hangs", at % 16 == 5)
        watching = asyncio.create_task(serving.until_deaf(cast(Running, parts), parts.stop))
        await asyncio.sleep(400)
        watching.cancel()
        return parts.stop.is_set()

    loop = VirtualTimeLoop()
    assert not loop.run_until_complete(comes_back())
    loop.close()
