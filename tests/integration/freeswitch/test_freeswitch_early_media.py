"""What the network plays before an answer, heard through a real FreeSWITCH by the real recogniser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agi_bot.contracts import Status
from agi_bot.conversation import Engines
from agi_bot.demo.freeswitch import OwnFreeSwitch
from tests.contracts.freeswitch_world import FreeSwitchWorld
from tests.contracts.telephones import some
from tests.integration.early import EMPTY, OFF, announcement, call, ears

pytestmark = [pytest.mark.freeswitch, pytest.mark.wall_clock]


@pytest.fixture
async def engines() -> AsyncIterator[Engines]:
    async with ears() as engines:
        yield engines


@pytest.fixture
async def world(freeswitch: OwnFreeSwitch) -> AsyncIterator[FreeSwitchWorld]:
    options = {"channel": f"sofia/bot/{{number}}@127.0.0.1:{freeswitch.ports.sip}"}
    world = FreeSwitchWorld(freeswitch, options=options)
    await world.start()
    yield world
    await world.stop()


async def _plays(world: FreeSwitchWorld, text: str, folder: Path) -> None:
    await world.admin.api(f"global_setvar announcement={await announcement(text, folder)}")


@pytest.mark.parametrize(
    ("text", "number", "ring_s", "status"),
    [
        (EMPTY, "announce_NORMAL_CLEARING", 15, Status.INVALID_NUMBER),
        (EMPTY, "announces", 7, Status.INVALID_NUMBER),
        (OFF, "announce_UNALLOCATED_NUMBER", 15, Status.UNREACHABLE),
        (OFF, "announce_USER_BUSY", 15, Status.UNREACHABLE),
    ],
)
async def test_words_say_more_than_the_cause(
    world: FreeSwitchWorld, engines: Engines, tmp_path: Path, text: str, number: str, ring_s: int, status: Status
) -> None:
    await _plays(world, text, tmp_path)
    ended, file = await call(world.pbx, number, tmp_path / "early", engines, ring_s)
    assert ended.status is status
    assert ended.announced.startswith("words: ")
    assert not file.exists()
    assert world.own.running


async def test_an_answered_call_has_its_sound_and_leaves_no_recording(
    world: FreeSwitchWorld, engines: Engines, tmp_path: Path
) -> None:
    """The bot's sound (``unicast``) begins after the answer, as ever, and the recording has ended by then."""
    await _plays(world, EMPTY, tmp_path)
    placing = asyncio.create_task(call(world.pbx, "announces_first", tmp_path / "early", engines))
    answered = await asyncio.wait_for(anext(aiter(world.pbx.calls())), 15)
    assert len(await some(answered.frames(), 20)) == 20
    ended, file = await asyncio.wait_for(placing, 15)
    assert ended.status is Status.ANSWERED
    assert not file.exists()
    await asyncio.sleep(1)
    assert not file.exists(), "nothing writes to it any more"
    await answered.hang_up()
    assert world.own.running
