"""The shipped dialplans with a living bot: what comes back, who hangs up, keys, recording, the admin's own things."""

from __future__ import annotations

import asyncio
import wave
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import uuid4

import numpy as np
import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Call, Digit
from agi_bot.demo.asterisk import Asterisk
from agi_bot.demo.phone import Softphone
from tests.integration.asterisk.conftest import StartBot
from tests.integration.asterisk.events import Events

pytestmark = [pytest.mark.asterisk, pytest.mark.wall_clock]

WAYS = ["bot", "sound"]
RATE = 8000
RESULT = {"BOT_OUTCOME": "rescheduled", "BOT_INTENT": "reschedule", "BOT_SLOT_NEW_TIME": "后天下午三点, 15:00"}


def tone(hz: int, seconds: float = 1.0) -> Frame:
    """A sine of half amplitude at 8000 Hz."""
    at = np.arange(int(8000 * seconds)) * 2 * np.pi * hz / 8000
    return Frame((16000 * np.sin(at)).astype("<i2").tobytes())


def pitch(samples: np.ndarray) -> int:
    """The loudest frequency, Hz."""
    spectrum = np.abs(np.fft.rfft(samples.astype(float)))
    return round(float(np.argmax(spectrum)) * 8000 / len(samples))


async def finish(call: Call) -> None:
    """Tell a result and give the call back."""
    await call.set_result(RESULT)
    await call.release()


@pytest.mark.parametrize("way", WAYS)
async def test_what_the_bot_found_out_is_in_the_admins_variables(events: Events, start_bot: StartBot, way: str) -> None:
    await start_bot(finish)
    await events.dial(way, "t")
    (back,) = await events.wait("After", "t")
    assert (back["status"], back["outcome"], back["intent"]) == ("OK", "rescheduled", "reschedule")
    assert b64decode(back["slot"]).decode() == "后天下午三点, 15:00"
    assert back["exit"] == "<>", "AGIEXITONHANGUP must not leak into the admin's dialplan"
    assert float(back["limit"]) == 0
    await events.wait("Fallback", "t")


async def test_flow_and_numbers_reach_the_bot(
    asterisk: Asterisk, phone: Softphone, events: Events, start_bot: StartBot
) -> None:
    seen: list[Call] = []

    async def look(call: Call) -> None:
        seen.append(call)
        await finish(call)

    await start_bot(look)
    call = await phone.call("bot", asterisk.layout.sip)
    await asyncio.wait_for(call.ended.wait(), 30)
    (found,) = seen
    assert (found.variables["flow"], found.caller, found.called) == ("demo", "1000", "bot")
    assert found.channel.startswith("PJSIP/self-")
    assert found.unique_id


async def test_task_values_reach_the_bot(events: Events, start_bot: StartBot) -> None:
    seen: list[Call] = []

    async def look(call: Call) -> None:
        seen.append(call)
        await finish(call)

    await start_bot(look)
    await events.dial("told", "t")
    await events.wait("After", "t")
    told = {name: value for name, value in seen[0].variables.items() if name.startswith("task_")}
    assert (seen[0].variables["flow"], told) == ("demo", {"task_name": "张伟", "task_at": "2026-11-24T10:00"})


@pytest.mark.parametrize("way", WAYS)
async def test_a_call_that_the_bot_cannot_serve_is_not_ok(events: Events, start_bot: StartBot, way: str) -> None:
    async def refuse(call: Call) -> None:
        await call.set_result({"BOT_OUTCOME": "error"})
        await call.release()

    await start_bot(refuse)
    await events.dial(way, "t")
    (back,) = await events.wait("After", "t")
    assert (back["status"], back["outcome"]) == ("FAILED", "error")
    await events.wait("Fallback", "t")


async def test_the_admins_own_time_limit_goes_on(events: Events, start_bot: StartBot) -> None:
    await start_bot(finish)
    await events.dial("limited", "t")
    (back,) = await events.wait("After", "t")
    assert 90 < float(back["limit"]) <= 100


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("where", ["201", "nurses"])
async def test_transfer_by_the_dialplan(
    asterisk: Asterisk, phone: Softphone, events: Events, start_bot: StartBot, way: str, where: str
) -> None:
    await start_bot(lambda call: call.transfer(where))
    call = await phone.call(way, asterisk.layout.sip)
    (reached,) = await events.wait("Reached")
    assert reached["where"] == where
    (back,) = events.of("After")
    assert back["transfer"] == where
    await asyncio.sleep(4.5)
    assert not call.ended.is_set(), "the loan of the line must be over"
    await call.hang_up()


async def test_transfer_by_ami_redirect(
    asterisk: Asterisk, phone: Softphone, events: Events, start_bot: StartBot
) -> None:
    await start_bot(lambda call: call.transfer("nurses"), transfer_context="transfers")
    call = await phone.call("bot", asterisk.layout.sip)
    (reached,) = await events.wait("Reached")
    assert (reached["where"], events.of("After")) == ("nurses", [])
    await asyncio.sleep(4.5)
    assert not call.ended.is_set(), "the loan of the line must be over"
    await call.hang_up()


@pytest.mark.parametrize("way", WAYS)
async def test_the_caller_hangs_up(
    asterisk: Asterisk, phone: Softphone, events: Events, start_bot: StartBot, way: str
) -> None:
    arrived, over = asyncio.Event(), asyncio.Event()

    async def listen(call: Call) -> None:
        async for _ in call.frames():
            arrived.set()
        over.set()
        await call.release()

    await start_bot(listen)
    call = await phone.call(way, asterisk.layout.sip)
    await asyncio.wait_for(arrived.wait(), 30)
    await call.hang_up()
    await asyncio.wait_for(over.wait(), 30)
    await events.wait("Gone")  # the h extension of the admin's own context
    assert events.of("After") == []


@pytest.mark.parametrize("way", WAYS)
async def test_the_bot_hangs_up(asterisk: Asterisk, phone: Softphone, start_bot: StartBot, way: str) -> None:
    await start_bot(lambda call: call.hang_up())
    call = await phone.call(way, asterisk.layout.sip)
    await asyncio.wait_for(call.ended.wait(), 30)
    assert call.hung_up_by == "them"


@pytest.mark.parametrize("way", WAYS)
async def test_keys_reach_the_bot(asterisk: Asterisk, phone: Softphone, start_bot: StartBot, way: str) -> None:
    keys: asyncio.Queue[str] = asyncio.Queue()
    ready = asyncio.Event()

    async def listen(call: Call) -> None:
        async for piece in call.frames():
            ready.set()
            if isinstance(piece, Digit):
                keys.put_nowait(piece.key)
        await call.release()

    await start_bot(listen)
    call = await phone.call(way, asterisk.layout.sip)
    await asyncio.wait_for(ready.wait(), 30)
    await call.line.press("120#*")
    assert [await asyncio.wait_for(keys.get(), 30) for _ in range(5)] == list("120#*")
    await call.hang_up()


async def test_sound_goes_both_ways_and_into_mixmonitor(
    asterisk: Asterisk, phone: Softphone, events: Events, start_bot: StartBot
) -> None:
    heard: list[np.ndarray] = []

    async def talk(call: Call) -> None:
        listening = asyncio.create_task(_collect(call, heard))
        await asyncio.sleep(1.2)
        await call.play(_once(tone(1000)))
        await finish(call)
        await listening

    await start_bot(talk)
    call = await phone.call("recorded", asterisk.layout.sip)
    await call.line.play(tone(440))
    await asyncio.wait_for(call.ended.wait(), 30)
    assert pitch(np.concatenate(heard)) == pytest.approx(440, abs=5)
    assert pitch(np.concatenate([packet.samples for packet in call.line.heard])) == pytest.approx(1000, abs=5)
    assert pitch(await _recording(asterisk, "caller.wav")) == pytest.approx(440, abs=5)
    assert pitch(await _recording(asterisk, "bot.wav")) == pytest.approx(1000, abs=5)


async def test_a_call_that_the_bot_places(
    asterisk: Asterisk, phone: Softphone, events: Events, start_bot: StartBot
) -> None:
    arrived: list[Call] = []

    async def look(call: Call) -> None:
        arrived.append(call)
        await finish(call)

    bot = await start_bot(look)
    await asterisk.set_global("AGI_BOT_ROUTES", "test-routes")
    await asterisk.set_global("PHONE_PORT", str(phone.port))
    call_id = str(uuid4())
    ringing = await bot.originate("1000", call_id=call_id, variables={"BOT_FLOW": "reminder"})
    rings = await asyncio.wait_for(phone.incoming(), 30)
    await rings.answer()
    assert (await ringing.outcome()).answered
    (back,) = await events.wait("After", "outbound")
    assert (back["status"], back["outcome"]) == ("OK", "rescheduled")
    (call,) = arrived
    assert (call.id, call.variables["flow"]) == (call_id, "reminder")


async def test_a_call_of_a_bot_beside_the_one_that_serves(
    asterisk: Asterisk, phone: Softphone, events: Events, start_bot: StartBot
) -> None:
    arrived: list[Call] = []

    async def look(call: Call) -> None:
        arrived.append(call)
        await finish(call)

    bot = await start_bot(look)
    serving = await start_bot(lambda call: call.hang_up())  # the dialplan's global port is now this one's
    assert serving.agi.port != bot.agi.port
    await asterisk.set_global("AGI_BOT_ROUTES", "test-routes")
    await asterisk.set_global("PHONE_PORT", str(phone.port))
    call_id = str(uuid4())
    ringing = await bot.originate("1000", call_id=call_id, variables={"BOT_FLOW": "reminder"})
    await (await asyncio.wait_for(phone.incoming(), 30)).answer()
    assert (await ringing.outcome()).answered
    await events.wait("After", "outbound")
    assert [call.id for call in arrived] == [call_id]


async def test_a_number_without_a_route(asterisk: Asterisk, start_bot: StartBot) -> None:
    bot = await start_bot(finish)
    await asterisk.set_global("AGI_BOT_ROUTES", "test-routes")
    ringing = await bot.originate("9999", call_id=str(uuid4()))
    outcome = await ringing.outcome()
    assert outcome.status == "failed", "a hole in the dialplan says nothing of the number"
    assert "AGI_BOT_ROUTES" in outcome.detail


async def _collect(call: Call, into: list[np.ndarray]) -> None:
    async for piece in call.frames():
        if isinstance(piece, Frame):
            into.append(piece.samples)


async def _once(frame: Frame) -> AsyncIterator[Frame]:
    yield frame


async def _recording(asterisk: Asterisk, name: str) -> np.ndarray:
    """MixMonitor writes in a thread of its own and ends a little after the call."""
    path = asterisk.recordings / name
    async with asyncio.timeout(30):
        while True:
            with suppress(OSError, EOFError, wave.Error), wave.open(str(path)) as file:
                if file.getnframes() > RATE and path.stat().st_size >= 2 * file.getnframes():
                    return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
            await asyncio.sleep(0.1)
