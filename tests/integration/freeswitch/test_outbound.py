"""Outbound calls by SIP to a telephone that answers, refuses with each status, or only rings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import numpy as np
import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Status
from agi_bot.demo.freeswitch import OwnFreeSwitch
from agi_bot.demo.phone import Softphone
from tests.contracts.freeswitch_world import FreeSwitchWorld
from tests.contracts.telephones import pace, some
from tests.integration.freeswitch.stage import closed_port

pytestmark = [pytest.mark.freeswitch, pytest.mark.wall_clock]


@pytest.fixture
async def phone() -> AsyncIterator[Softphone]:
    async with Softphone("13800138000") as phone:
        yield phone


async def world_of(freeswitch: OwnFreeSwitch, port: int) -> FreeSwitchWorld:
    world = FreeSwitchWorld(freeswitch, options={"channel": f"sofia/bot/{{number}}@127.0.0.1:{port}"})
    await world.start()
    return world


@pytest.fixture
async def world(freeswitch: OwnFreeSwitch, phone: Softphone) -> AsyncIterator[FreeSwitchWorld]:
    world = await world_of(freeswitch, phone.port)
    yield world
    await world.stop()


@pytest.mark.parametrize(
    ("sip", "status", "cause"),
    [
        (486, Status.BUSY, 17), (603, Status.REJECTED, 21), (404, Status.INVALID_NUMBER, 1),
        (480, Status.NO_ANSWER, 18), (503, Status.CONGESTION, 41), (403, Status.REJECTED, 21),
    ],
)  # fmt: skip
async def test_sip_statuses(world: FreeSwitchWorld, phone: Softphone, sip: int, status: Status, cause: int) -> None:
    attempt = await world.pbx.originate("13800138000", call_id=str(uuid4()))
    ringing = await asyncio.wait_for(phone.incoming(), 30)
    ringing.reject(sip)
    verdict = await asyncio.wait_for(attempt.outcome(), 30)
    assert (verdict.status, verdict.cause, verdict.sip) == (status, cause, sip)


async def test_a_bot_on_any_port_is_found_by_its_own_calls(world: FreeSwitchWorld, phone: Softphone) -> None:
    """``agi-bot call`` beside ``agi-bot serve``, which has the port that the dialplan knows."""
    await world.admin.api(f"global_setvar agi_bot_port={closed_port()}")
    call_id = str(uuid4())
    await world.pbx.originate("13800138000", call_id=call_id, variables={"BOT_FLOW": "contract"})
    await (await asyncio.wait_for(phone.incoming(), 30)).answer()
    call = await asyncio.wait_for(anext(aiter(world.pbx.calls())), 30)
    assert (call.id, call.variables["flow"]) == (call_id, "contract")
    await call.hang_up()


async def test_nobody_listens(freeswitch: OwnFreeSwitch) -> None:
    world = await world_of(freeswitch, closed_port())
    attempt = await world.pbx.originate("1", call_id=str(uuid4()), ring_timeout_s=3)
    assert (await asyncio.wait_for(attempt.outcome(), 30)).status in (Status.CONGESTION, Status.NO_ANSWER)
    await world.stop()


async def test_it_rings_and_nobody_answers(world: FreeSwitchWorld, phone: Softphone) -> None:
    attempt = await world.pbx.originate("13800138000", call_id=str(uuid4()), ring_timeout_s=1)
    ringing = await asyncio.wait_for(phone.incoming(), 30)
    assert (await asyncio.wait_for(attempt.outcome(), 30)).status is Status.NO_ANSWER
    await asyncio.wait_for(ringing.ended.wait(), 30)


async def test_cancelling_stops_the_ringing(world: FreeSwitchWorld, phone: Softphone) -> None:
    attempt = await world.pbx.originate("13800138000", call_id=str(uuid4()))
    ringing = await asyncio.wait_for(phone.incoming(), 30)
    await attempt.cancel()
    assert (await asyncio.wait_for(attempt.outcome(), 30)).status is Status.CANCELLED
    await asyncio.wait_for(ringing.ended.wait(), 30)


async def test_a_gateway_that_is_not_there(freeswitch: OwnFreeSwitch) -> None:
    world = FreeSwitchWorld(freeswitch, options={"channel": "sofia/gateway/nowhere/{number}"})
    await world.start()
    attempt = await world.pbx.originate("1", call_id=str(uuid4()))
    verdict = await asyncio.wait_for(attempt.outcome(), 30)
    assert verdict.status is Status.FAILED
    assert "gateway" in verdict.detail
    await world.stop()


async def test_an_answered_call_talks_both_ways_and_ends(world: FreeSwitchWorld, phone: Softphone) -> None:
    call_id = str(uuid4())
    variables = {"BOT_FLOW": "contract", "NAME": "张伟, \"(x)'"}
    attempt = await world.pbx.originate("13800138000", call_id=call_id, caller_id="4001", variables=variables)
    ringing = await asyncio.wait_for(phone.incoming(), 30)
    assert ringing.caller == "4001"
    await ringing.answer()
    call = await asyncio.wait_for(anext(aiter(world.pbx.calls())), 30)
    assert (await attempt.outcome()).answered
    assert (call.id, call.caller, call.unique_id) == (call_id, "13800138000", call_id)
    assert variables.items() <= call.variables.items()
    assert (await world.admin.api(f"uuid_getvar {call_id} NAME")) == variables["NAME"]
    hum = Frame((8000 * np.sin(2 * np.pi * 500 * np.arange(160) / 8000)).astype("<i2").tobytes())
    talking = asyncio.create_task(ringing.line.play(Frame(hum.pcm * 50)))
    assert max(int(np.abs(frame.samples).max()) for frame in await some(call.frames(), 40)) > 6000
    await talking
    await call.play(pace([hum] * 25))
    assert max(int(np.abs(heard.samples).max()) for heard in ringing.line.heard) > 6000
    await ringing.line.press("4")
    await call.hang_up()
    await asyncio.wait_for(ringing.ended.wait(), 30)
