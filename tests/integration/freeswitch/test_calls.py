"""Calls on a real FreeSWITCH: codecs, the guard, sound that comes back, strangers, keys, transfers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Call, Status
from agi_bot.demo.freeswitch import OwnFreeSwitch
from tests.contracts.freeswitch_world import FreeSwitchWorld, UnicastPerson
from tests.contracts.telephones import Person, pace, some

pytestmark = [pytest.mark.freeswitch, pytest.mark.wall_clock]


@pytest.fixture
async def world(freeswitch: OwnFreeSwitch) -> AsyncIterator[FreeSwitchWorld]:
    world = FreeSwitchWorld(freeswitch, options={"transfer_context": "default"})
    await world.start()
    yield world
    await world.stop()


def tone(rate: int, seconds: float = 1.0, hertz: int = 500) -> list[Frame]:
    """A tone in frames of 20 ms."""
    time = np.arange(int(rate * seconds)) / rate
    samples = (8000 * np.sin(2 * np.pi * hertz * time)).astype("<i2").tobytes()
    size = rate // 50 * 2
    return [Frame(samples[start : start + size], rate) for start in range(0, len(samples), size)]


def pitch(frames: list[Frame]) -> float:
    """The strongest frequency, Hz; 0 for silence."""
    samples = np.concatenate([frame.samples for frame in frames]).astype(float)
    if np.abs(samples).max() < 500:
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * frames[0].rate / len(samples))


async def assert_sound_both_ways(call: Call, person: UnicastPerson) -> None:
    ear = call.frames()
    speaking = asyncio.create_task(person.speak(tone(person.media.rate, 2, 700)))
    await some(ear, 15)
    assert pitch(await some(ear, 40)) == pytest.approx(700, abs=30)
    await speaking
    playing = asyncio.create_task(call.play(pace(tone(call.rate, 2, 400))))
    await person.hear(len(person.media._inbox._items) + 15)
    assert pitch(await person.hear(40)) == pytest.approx(400, abs=30)
    await playing


def as_person(person: Person) -> UnicastPerson:
    assert isinstance(person, UnicastPerson)
    return person


# --- codecs


@pytest.mark.parametrize(
    ("codec", "rate"), [("PCMU", 8000), ("PCMA", 8000), ("G722", 16000), ("OPUS@48000h", 48000), ("PCMU@30i", 8000)]
)
async def test_codecs_and_their_rates(world: FreeSwitchWorld, codec: str, rate: int) -> None:
    call, person = await sip_call(world, codec)
    assert call.rate == rate
    assert as_person(person).media.rate == rate
    await assert_sound_both_ways(call, as_person(person))
    await call.hang_up()


async def sip_call(world: FreeSwitchWorld, codec: str) -> tuple[Call, Person]:
    """A call by SIP to FreeSWITCH itself."""
    at = f"sofia/bot/bot@127.0.0.1:{world.own.ports.sip}"
    return await world.call(at, absolute_codec_string=codec)


# --- the guard


async def test_early_media_is_answered_before_the_sound_opens(world: FreeSwitchWorld) -> None:
    """On a channel that is not answered, unicast would abort the whole FreeSWITCH."""
    early = FreeSwitchWorld(world.own, extension="early_bot")
    await early.start()
    call, person = await early.call()
    await assert_sound_both_ways(call, as_person(person))
    await call.hang_up()
    await early.stop()
    assert world.own.running


async def test_callers_who_hang_up_at_any_moment_of_the_beginning(world: FreeSwitchWorld) -> None:
    serving = asyncio.create_task(_serve_all(world))
    for step in range(60):
        tag = f"early-{step}"
        await world.admin.bgapi(f"originate {{origination_uuid={tag}}}loopback/bot/caller &park()")
        await asyncio.sleep(step * 0.001)
        await world.admin.bgapi(f"uuid_kill {tag}")
    await world._until_quiet()
    serving.cancel()
    assert world.own.running
    assert world.pbx.running == 0


async def _serve_all(world: FreeSwitchWorld) -> None:
    running = set()
    async for call in world.pbx.calls():
        task = asyncio.create_task(call.release())
        running.add(task)
        task.add_done_callback(running.discard)


# --- sound that comes back


async def test_after_a_playback_in_mid_call_the_sound_comes_back(world: FreeSwitchWorld) -> None:
    call, person = await world.call()
    await assert_sound_both_ways(call, as_person(person))
    ear = asyncio.create_task(_drain(call))
    await world.admin.api(f"uuid_broadcast {call.unique_id} tone_stream://%(800,0,1200) aleg")
    await asyncio.sleep(3.5)
    ear.cancel()
    await assert_sound_both_ways(call, as_person(person))
    await call.set_result({"BOT_OUTCOME": "confirmed"})
    await call.release()
    after = await person.after()
    assert (after["status"], after["outcome"]) == ("OK", "confirmed")


async def test_after_a_bridge_the_sound_comes_back(world: FreeSwitchWorld) -> None:
    call, person = await world.call()
    ear = asyncio.create_task(_drain(call))
    await world.admin.api(f"uuid_setvar {call.unique_id} continue_on_fail true")
    said = "bridge::loopback/refuse_NORMAL_CLEARING/public"
    await world.admin.api(f"uuid_broadcast {call.unique_id} {said} aleg")
    await asyncio.sleep(3.5)
    ear.cancel()
    await assert_sound_both_ways(call, as_person(person))
    await call.hang_up()


async def test_after_a_change_of_codec_the_sound_comes_back_at_the_calls_rate(world: FreeSwitchWorld) -> None:
    call, person = await sip_call(world, "PCMU,G722")
    await assert_sound_both_ways(call, as_person(person))
    ear = asyncio.create_task(_drain(call))
    await world.admin.api(f"uuid_media_reneg {as_person(person).session.uuid} =G722")
    await asyncio.sleep(3)
    ear.cancel()
    assert call.media._adapter._form.rate == 16000  # type: ignore[attr-defined]
    assert call.rate == 8000
    assert {frame.rate for frame in await some(call.frames(), 20)} == {8000}
    await call.play(pace(tone(8000, 0.5)))
    await call.hang_up()


async def _drain(call: Call) -> None:
    async for _ in call.frames():
        pass


async def test_a_bot_that_dies_after_its_sound_came_back_loses_its_caller_to_the_dialplan(
    world: FreeSwitchWorld,
) -> None:
    call, person = await world.call()
    ear = asyncio.create_task(_drain(call))
    await world.admin.api(f"uuid_broadcast {call.unique_id} tone_stream://%(200,0,1200) aleg")
    await asyncio.sleep(3)
    ear.cancel()
    for task in world.pbx.server._running:
        task.cancel()  # the socket closes without a word, as when the process is killed
    after = await person.after()
    assert after["status"] in ("LOST", "DOWN")
    assert world.own.running


# --- strangers, keys, recordings


async def test_sound_of_a_stranger_is_not_heard(world: FreeSwitchWorld) -> None:
    call, person = await world.call()
    media = call.media  # type: ignore[attr-defined]
    port = media._transport.get_extra_info("sockname")[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        loud = tone(8000, 0.02, 1500)[0].pcm
        ear = call.frames()
        for _ in range(50):
            stranger.sendto(loud, ("127.0.0.1", port))
            await asyncio.sleep(0.01)
        heard = await some(ear, 40)
    assert media.strangers == 50
    assert max(int(np.abs(frame.samples).max()) for frame in heard) < 500
    await assert_sound_both_ways(call, as_person(person))
    await call.hang_up()


async def test_a_recording_beside_the_talk_holds_both_sides(world: FreeSwitchWorld, tmp_path: Path) -> None:
    call, person = await world.call()
    path = tmp_path / "talk.wav"
    await world.admin.api(f"uuid_setvar {call.unique_id} RECORD_STEREO true")
    await world.admin.api(f"uuid_record {call.unique_id} start {path}")
    await assert_sound_both_ways(call, as_person(person))
    await world.admin.api(f"uuid_record {call.unique_id} stop {path}")
    await call.hang_up()
    import soundfile

    sound, rate = soundfile.read(path)
    assert rate == 8000
    assert sound.shape[1] == 2
    assert np.abs(sound).max(axis=0).min() > 0.05


# --- the end


async def test_a_transfer_goes_to_the_extension_itself(world: FreeSwitchWorld) -> None:
    call, person = await world.call()
    await call.set_result({"BOT_OUTCOME": "transferred"})
    await call.transfer("agi_bot_after")
    after = await person.after()
    assert (after["outcome"], after["transfer"], after["status"]) == ("transferred", "agi_bot_after", "OK")


async def test_a_transfer_to_a_queue_ends_with_an_agent(world: FreeSwitchWorld) -> None:
    if "true" not in await world.admin.api("module_exists mod_fifo"):
        pytest.skip("this FreeSWITCH has no mod_fifo")
    call, person = await sip_call(world, "PCMU")
    await call.set_result({"BOT_OUTCOME": "transferred"})
    await call.transfer("sales")
    agent = await world.admin.bgapi("originate {loopback_bowout=false}loopback/echo/public '&fifo(sales out wait)'")
    assert (await agent.result(10)).startswith("+OK")
    speaking = asyncio.create_task(person.speak(tone(8000, 10, 700)))
    async with asyncio.timeout(30):  # the agent says what the caller says
        while pitch(await person.hear(25)) != pytest.approx(700, abs=30):
            continue
    speaking.cancel()
    await person.hang_up()


async def test_a_call_that_the_bot_cannot_serve_is_not_ok(world: FreeSwitchWorld) -> None:
    call, person = await world.call()
    await call.set_result({"BOT_OUTCOME": "error"})
    await call.release()
    after = await person.after()
    assert (after["status"], after["outcome"]) == ("FAILED", "error")


async def test_a_missing_module_gives_the_caller_to_the_dialplan(
    world: FreeSwitchWorld, caplog: pytest.LogCaptureFixture
) -> None:
    fork = FreeSwitchWorld(world.own, options={"media": "audio_fork"}, must_have_module=False)
    await fork.start()
    after = await fork.refused()
    assert (after.get("variable_BOT_STATUS"), after.get("variable_BOT_OUTCOME")) == ("FAILED", "error")
    [record] = [record for record in caplog.records if record.message == "call.no_sound"]
    assert "load mod_audio_fork" in record.reason  # type: ignore[attr-defined]
    await fork.stop()


async def test_no_loan_is_left_when_the_call_is_back(world: FreeSwitchWorld) -> None:
    call, person = await world.call()
    await asyncio.sleep(1.5)
    assert call.unique_id in await world.admin.api("show tasks")
    await call.release()
    await person.after()
    async with asyncio.timeout(30):  # FreeSWITCH clears its list twice a second
        while call.unique_id in await world.admin.api("show tasks"):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_a_link_that_is_lost_while_it_rings_does_not_dial_again(world: FreeSwitchWorld) -> None:
    call_id = "6f3c2b1e-0000-4000-8000-00000000abcd"
    created = await world.admin.subscribe("CHANNEL_CREATE")
    attempt = await world.pbx.originate("1003", call_id=call_id, ring_timeout_s=3)
    await asyncio.sleep(0.5)
    assert world.pbx.client is not None
    world.pbx.client._link._transport.abort()  # type: ignore[union-attr]
    verdict = await asyncio.wait_for(attempt.outcome(), 25)
    assert verdict.status in (Status.UNKNOWN, Status.NO_ANSWER)
    await world._until_quiet()
    uuids = []
    while (event := created.next_now()) is not None:
        uuids.append(event.uuid)
    assert uuids.count(call_id) == 1
    assert len(uuids) == 2  # the two halves of one loopback call
