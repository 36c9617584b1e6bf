"""mod_audio_fork and mod_audio_stream in a real FreeSWITCH: codecs, cuts, lost connections, dead bots."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import numpy as np
import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Call
from agi_bot.demo.freeswitch import MODULES, OwnFreeSwitch, find_binary
from tests.contracts.freeswitch_world import DIALPLANS, FreeSwitchWorld
from tests.integration.freeswitch.stage import Callers, bot
from tests.integration.freeswitch.test_calls import as_person, assert_sound_both_ways, sip_call, tone

pytestmark = [pytest.mark.freeswitch, pytest.mark.wall_clock]
pytest.importorskip("websockets")

CALLS = 20


@pytest.fixture(scope="module")
def equipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnFreeSwitch]:
    """A FreeSWITCH that loads the two modules if it has them."""
    binary = find_binary()
    if binary is None:
        pytest.skip("no FreeSWITCH: neither FREESWITCH nor the PATH names one")
    modules = (*MODULES, "mod_audio_fork", "mod_audio_stream")
    own = OwnFreeSwitch(binary, tmp_path_factory.mktemp("freeswitch"), dialplans=DIALPLANS, modules=modules)
    asyncio.run(own.start())
    yield own
    asyncio.run(own.stop())


@pytest.fixture(params=["audio_fork", "audio_stream"])
async def world(request: pytest.FixtureRequest, equipped: OwnFreeSwitch) -> AsyncIterator[FreeSwitchWorld]:
    world = FreeSwitchWorld(equipped, options={"media": request.param, "transfer_context": "default"})
    await world.start()
    yield world
    await world.stop()


@pytest.mark.parametrize(("codec", "rate"), [("PCMA", 8000), ("G722", 16000)])
async def test_codecs_and_their_rates(world: FreeSwitchWorld, codec: str, rate: int) -> None:
    call, person = await sip_call(world, codec)
    assert call.rate == rate
    await assert_sound_both_ways(call, as_person(person))
    await call.hang_up()


async def hum(rate: int) -> AsyncIterator[Frame]:
    while True:
        for frame in tone(rate):
            yield frame


async def test_a_cut_is_silence_soon_and_the_next_play_is_whole(world: FreeSwitchWorld) -> None:
    call, person = await world.call()
    loud: list[float] = []
    ear = asyncio.create_task(_note_loud(as_person(person).media, loud))
    for _ in range(5):
        playing = asyncio.create_task(call.play(hum(call.rate)))
        await asyncio.sleep(0.7)
        playing.cancel()
        with suppress(asyncio.CancelledError):
            await playing
        cut = time.monotonic()
        await asyncio.sleep(0.5)
        assert cut - loud[-1] < 0.3, "it was not heard"
        assert loud[-1] - cut < 0.15
    loud.clear()
    for frames in _one_second_of(call):
        await call.play(frames)
    await asyncio.sleep(0.3)
    assert 48 <= len(loud) <= 54
    ear.cancel()
    await call.hang_up()


def _one_second_of(call: Call) -> list[AsyncIterator[Frame]]:
    async def source() -> AsyncIterator[Frame]:
        for frame in tone(call.rate):
            yield frame

    return [source()]


async def _note_loud(media: object, times: list[float]) -> None:
    async for item in media.frames():  # type: ignore[attr-defined]
        if isinstance(item, Frame) and int(np.abs(item.samples).max()) > 1000:
            times.append(time.monotonic())


async def test_a_lost_connection_gives_the_caller_to_the_dialplan(
    world: FreeSwitchWorld, caplog: pytest.LogCaptureFixture
) -> None:
    call, person = await world.call()
    ear = asyncio.create_task(_drain(call))
    call.media._wire.abort()  # type: ignore[attr-defined]
    await asyncio.wait_for(ear, 30)
    assert call.lost
    await call.set_result({"BOT_OUTCOME": "hung_up"})
    await call.release()
    after = await person.after()
    assert (after["status"], after["outcome"]) == ("FAILED", "error")
    assert "call.sound_failed" in [record.message for record in caplog.records]


async def _drain(call: Call) -> None:
    async for _ in call.frames():
        pass


async def test_the_channel_is_left_as_it_was(world: FreeSwitchWorld) -> None:
    call, person = await world.call()
    await call.release()
    await person.after()
    event = await world.afterwards(as_person(person).tag)
    assert event.get("variable_send_silence_when_idle") == ""
    assert world.pbx._carriers.server.expected == 0  # type: ignore[attr-defined]


async def test_a_transfer_goes_to_the_extension_itself(world: FreeSwitchWorld) -> None:
    call, person = await world.call()
    playing = asyncio.create_task(call.play(hum(call.rate)))
    await asyncio.sleep(0.3)
    playing.cancel()
    await call.set_result({"BOT_OUTCOME": "transferred"})
    await call.transfer("agi_bot_after")
    after = await person.after()
    assert (after["outcome"], after["transfer"], after["status"]) == ("transferred", "agi_bot_after", "OK")


async def test_callers_who_hang_up_at_any_moment_of_the_beginning(world: FreeSwitchWorld) -> None:
    serving = asyncio.create_task(_serve_all(world))
    for step in range(40):
        tag = f"early-{world.pbx.options.media}-{step}"
        await world.admin.bgapi(f"originate {{origination_uuid={tag}}}loopback/bot/caller &park()")
        await asyncio.sleep(step * 0.002)
        await world.admin.bgapi(f"uuid_kill {tag}")
    await world._until_quiet()
    serving.cancel()
    assert world.own.running
    assert world.pbx.running == 0


async def _serve_all(world: FreeSwitchWorld) -> None:
    async for call in world.pbx.calls():
        await call.release()


# --- a dead bot


@pytest.fixture
async def callers(equipped: OwnFreeSwitch) -> AsyncIterator[Callers]:
    async with equipped.client() as client:
        callers = Callers(client)
        await callers.start()
        yield callers
        await callers.stop()


@pytest.mark.parametrize("media", ["audio_fork", "audio_stream"])
@pytest.mark.parametrize(("end", "seconds"), [(signal.SIGKILL, 2.0), (signal.SIGSTOP, 5.5)], ids=["killed", "frozen"])
async def test_a_bot_that_dies_loses_no_caller(
    callers: Callers, media: str, end: signal.Signals, seconds: float
) -> None:
    if await callers.client.api(f"module_exists mod_{media}") != "true":
        pytest.skip(f"this FreeSWITCH has no mod_{media}")
    async with bot(media=media) as victim:
        await callers.point(victim.port)
        await callers.call(CALLS)
        await asyncio.wait_for(victim.calls(CALLS), 30)
        died = time.time()
        victim.send(end)
        back = await callers.all_back(CALLS)
    assert {event.get("variable_BOT_STATUS") for event in back} == {"LOST"}
    assert callers.last_back() - died < seconds
