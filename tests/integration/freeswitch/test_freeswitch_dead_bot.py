"""A dead bot is not a dead line: 100 callers of each misfortune reach the dialplan after the bot."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from esl import Event
from tests.integration.freeswitch.stage import Callers, bot, closed_port, mute

pytestmark = [pytest.mark.freeswitch, pytest.mark.wall_clock]

CALLS = 100


def check(back: list[Event], status: str) -> None:
    """Every caller is back once, and was told that the bot failed."""
    assert len(back) == CALLS
    assert {event.get("variable_BOT_STATUS") for event in back} == {status}
    assert {event.get("variable_BOT_OUTCOME") for event in back} == {"unavailable"}
    assert {event.get("variable_BOT_FLOW") for event in back} == {"contract"}


async def test_bot_that_is_not_running(callers: Callers) -> None:
    await callers.point(closed_port())
    await callers.call(CALLS)
    check(await callers.all_back(CALLS), "DOWN")
    assert max(callers.waits()) < 2


async def test_bot_that_accepts_and_says_nothing(callers: Callers) -> None:
    async with mute() as port:
        await callers.point(port)
        await callers.call(CALLS)
        back = await callers.all_back(CALLS)
    assert {event.get("variable_BOT_STATUS") for event in back} == {"LOST"}
    assert 1 < min(callers.waits()) <= max(callers.waits()) < 5


async def test_bot_that_is_killed_in_mid_call(callers: Callers) -> None:
    async with bot() as victim:
        await callers.point(victim.port)
        await callers.call(CALLS)
        await asyncio.wait_for(victim.calls(CALLS), 30)
        assert callers.back == {}
        died = time.time()
        victim.send(signal.SIGKILL)
        check(await callers.all_back(CALLS), "LOST")
    assert callers.last_back() - died < 2


async def test_bot_that_freezes_in_mid_call(callers: Callers) -> None:
    async with bot() as victim:
        await callers.point(victim.port)
        await callers.call(CALLS)
        await asyncio.wait_for(victim.calls(CALLS), 30)
        froze = time.time()
        victim.send(signal.SIGSTOP)
        check(await callers.all_back(CALLS), "LOST")
    assert callers.last_back() - froze < 5.5


async def test_bot_that_lives_is_not_interrupted(callers: Callers) -> None:
    async with bot() as living:
        await callers.point(living.port)
        await callers.call(5)
        await asyncio.wait_for(living.calls(5), 30)
        await asyncio.sleep(8)
        assert callers.back == {}
        assert callers.ended == {}
