"""The leg of a call with FreeSWITCH's part played on the wire: guard, loan, recovery, ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from agi_bot.contracts import Call
from agi_bot.pbx.freeswitch import FreeSwitchOptions, FreeSwitchPbx
from agi_bot.pbx.freeswitch.guard import Answered
from esl.testing import Asked
from tests.contracts.freeswitch_wire import FreeSwitchWireWorld, WireCall, WirePerson


@pytest.fixture
async def world() -> AsyncIterator[FreeSwitchWireWorld]:
    world = FreeSwitchWireWorld()
    world.pbx = FreeSwitchPbx(FreeSwitchOptions(port=0, audio_wait_s=2.0, finish_wait_s=1.0, quiet_s=0.3))
    await world.start()
    yield world
    await world.stop()


def said(call: WireCall, verb: str = "api") -> list[str]:
    return [asked.line for asked in call.asked if asked.line.startswith(verb)]


def test_nobody_but_answer_can_make_the_proof() -> None:
    with pytest.raises(TypeError, match="answer"):
        Answered(None, 8000, object())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "told",
    [
        {"variable_endpoint_disposition": "EARLY MEDIA", "Answer-State": "early"},
        {"variable_endpoint_disposition": "ANSWER", "Answer-State": "hangup"},
        {"Answer-State": "answered"},
        {},
    ],
)
async def test_a_call_that_is_not_answered_never_gets_unicast(world: FreeSwitchWireWorld, told: dict[str, str]) -> None:
    call = WireCall()
    call.completions["answer"] = told
    await call.connect("127.0.0.1", world.pbx.port)
    await asyncio.wait_for(call.closed.wait(), 30)
    assert call.sound is None
    assert "unicast" not in [asked.headers.get("call-command") for asked in call.asked]


async def test_an_answer_that_never_ends_never_gets_unicast(world: FreeSwitchWireWorld) -> None:
    call = WireCall()
    call.durations["answer"] = 60
    await call.connect("127.0.0.1", world.pbx.port)
    await asyncio.wait_for(call.closed.wait(), 30)
    assert call.sound is None


async def test_a_freeswitch_that_sends_no_sound(
    world: FreeSwitchWireWorld, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WireCall, "open_sound", lambda self, asked: None)
    call = await world.ring()
    await asyncio.wait_for(call.closed.wait(), 30)
    [record] = [record for record in caplog.records if record.message == "call.no_sound"]
    assert "async full" in record.reason  # type: ignore[attr-defined]


async def test_the_loan_is_renewed_and_given_back(world: FreeSwitchWireWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agi_bot.pbx.freeswitch.loan.RENEW_S", 0.05)
    call, person = await world.call()
    wire = world.calls[0]
    async with asyncio.timeout(30):
        while sum("sched_api" in line for line in said(wire)) < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    armed = [line for line in said(wire) if "sched_api" in line]
    assert all("uuid_broadcast" in line and "uuid_transfer" not in line for line in armed)
    groups = [line.split()[3] for line in armed]
    assert groups[:4] == [f"agi-bot-{wire.uuid}-2", f"agi-bot-{wire.uuid}"] * 2
    await call.release()
    await person.after()
    rest = said(wire)[max(place for place, line in enumerate(said(wire)) if "sched_api" in line) + 1 :]
    deleted = {line.split()[2] for line in rest if "sched_del" in line}
    assert deleted == {f"agi-bot-{wire.uuid}", f"agi-bot-{wire.uuid}-2"}


async def test_the_first_word_after_the_handshake_is_the_loan(world: FreeSwitchWireWorld) -> None:
    await world.call()
    lines = [asked.line for asked in world.calls[0].asked]
    assert [line.split()[0] for line in lines[:4]] == ["connect", "linger", "myevents", "event"]
    assert lines[4].startswith("api sched_api +4 ")


async def test_results_are_set_before_the_dialplan_goes_on(world: FreeSwitchWireWorld) -> None:
    call, person = await world.call()
    await call.set_result({"BOT_OUTCOME": "confirmed", "BOT_INTENT": ""})
    await call.release()
    assert (await person.after())["status"] == "OK"
    lines = [asked.line for asked in world.calls[0].asked]
    place = lines.index("resume")
    assert any("BOT_OUTCOME confirmed" in line for line in lines[:place])
    assert lines[place + 1 :] == [line for line in lines[place + 1 :] if "sched_del" in line]


async def test_sound_that_is_lost_is_opened_again(world: FreeSwitchWireWorld) -> None:
    call, person = await world.call()
    wire = world.calls[0]
    park_again(wire)
    wire.close_sound()
    wire.sounding.clear()
    await asyncio.wait_for(wire.sounding.wait(), 30)
    assert ("transfer", "'park,transfer:agi_bot_back XML agi_bot' inline") in wire.executed()
    assert wire.variables["socket_resume"] == "false"
    assert isinstance(person, WirePerson)
    assert len(await person.hear(3)) == 3
    await call.release()
    await person.after()
    assert "resume" not in [asked.line for asked in wire.asked]  # it would leave the channel in CS_RESET


async def test_a_silent_telephone_is_left_alone(world: FreeSwitchWireWorld) -> None:
    """It sends no packets while its owner is silent; the path is open all the same."""
    _, person = await world.call()
    wire = world.calls[0]
    assert wire.sound is not None
    wire.sound.pause = True
    await asyncio.sleep(1.0)
    assert wire.executed() == [("answer", "")]
    assert isinstance(person, WirePerson)
    assert len(await person.hear(20)) == 20


async def test_sound_is_not_opened_again_while_the_channel_is_busy(world: FreeSwitchWireWorld) -> None:
    await world.call()
    wire = world.calls[0]
    park_again(wire)
    wire.fire("CHANNEL_BRIDGE")
    await asyncio.sleep(0.2)
    wire.close_sound()
    wire.sounding.clear()
    await asyncio.sleep(0.8)
    assert "transfer" not in [name for name, _ in wire.executed()]
    wire.fire("CHANNEL_UNBRIDGE")
    await asyncio.wait_for(wire.sounding.wait(), 30)


# --- what is lost


async def heard_out(call: Call) -> str:
    """Why the call's sound ended, once it has."""
    async with asyncio.timeout(30):
        async for _ in call.frames():
            pass
    return call.lost


async def lost_in(options: FreeSwitchOptions, lose: Callable[[WireCall], None]) -> tuple[str, str]:
    """What a call tells whose sound is lost, and the ``BOT_STATUS`` of its channel."""
    world = FreeSwitchWireWorld()
    world.pbx = FreeSwitchPbx(options)
    await world.start()
    try:
        call, person = await world.call()
        lose(world.calls[0])
        why = await heard_out(call)
        await call.set_result({"BOT_OUTCOME": "error"})
        await call.release()
        return why, (await person.after())["status"]
    finally:
        await world.stop()


async def test_sound_that_does_not_come_back_is_told_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agi_bot.pbx.freeswitch.unicast_carrier.IN_VAIN", 1)
    options = FreeSwitchOptions(port=0, audio_wait_s=3.0, finish_wait_s=30.0, quiet_s=0.1)
    why, status = await lost_in(options, lambda wire: wire.close_sound())
    assert why.startswith("the sound did not come back: ")
    assert status == "FAILED"


async def test_a_line_on_which_nothing_comes_for_long_is_told_as_lost() -> None:
    def hush(wire: WireCall) -> None:
        assert wire.sound is not None
        wire.sound.pause = True

    why, status = await lost_in(FreeSwitchOptions(port=0, finish_wait_s=30.0, lost_s=0.5), hush)
    assert (why, status) == ("nothing came for 0.5 s", "FAILED")


async def test_an_event_socket_that_ends_in_mid_call_is_told_as_lost() -> None:
    why, status = await lost_in(FreeSwitchOptions(port=0, finish_wait_s=0.2), lambda wire: wire.drop())
    assert why.startswith("the event socket of the call ended: ")
    assert status == "LOST", "nobody could be told any more"


async def test_who_hangs_up_loses_nothing(world: FreeSwitchWireWorld) -> None:
    call, person = await world.call()
    await person.hang_up()
    assert await heard_out(call) == ""


def park_again(call: WireCall) -> None:
    """A transfer to park parks, as FreeSWITCH does."""
    answer = call._answer

    def parking(asked: Asked) -> None:
        answer(asked)
        if asked.headers.get("execute-app-name") == "transfer":
            call.fire("CHANNEL_PARK", {"Answer-State": "answered", "Channel-Read-Codec-Rate": "8000"})

    call._answer = parking  # type: ignore[method-assign]


async def test_who_calls() -> None:
    world = FreeSwitchWireWorld()
    await world.start()
    wire = await world.ring({"Channel-Caller-ID-Number": "0000000000", "variable_BOT_LANGUAGE": "en"})
    call = await asyncio.wait_for(anext(aiter(world.pbx.calls())), 30)
    assert (call.caller, call.called, call.unique_id) == ("", "contract", wire.uuid)
    assert call.variables == {"BOT_FLOW": "contract", "BOT_LANGUAGE": "en", "flow": "contract"}
    await world.stop()


async def test_a_callers_name_and_number_forge_nothing() -> None:
    """``%0A`` comes from FreeSWITCH as a newline in the value: it ends no line of ours."""
    world = FreeSwitchWireWorld()
    await world.start()
    forged = "1001\nBOT_FLOW: other\nHangup-Cause: FAKED\n\nContent-Type: auth/request"
    wire = await world.ring(
        {
            "Channel-Caller-ID-Number": forged,
            "Caller-Caller-ID-Name": forged,
            "Channel-Destination-Number": "contract\napi hupall",
        }
    )
    call = await asyncio.wait_for(anext(aiter(world.pbx.calls())), 30)
    assert call.caller == forged.replace("\n", " ")
    assert call.called == "contract api hupall"
    assert call.variables["flow"] == "contract"
    await call.set_result({"BOT_NAME": forged})
    await call.release()
    await asyncio.wait_for(wire.closed.wait(), 30)
    assert wire.variables["BOT_NAME"] == forged.replace("\n", " ")
    assert not [asked.line for asked in wire.asked if asked.line.startswith(("api hupall", "BOT_FLOW", "Content-Type"))]
    await world.stop()


async def test_a_foreign_attempt_id_is_not_taken_for_ours(world: FreeSwitchWireWorld) -> None:
    await world.ring({"variable_BOT_ATTEMPT": "not a uuid"})
    call = await asyncio.wait_for(anext(aiter(world.pbx.calls())), 30)
    assert call.id != "not a uuid"
