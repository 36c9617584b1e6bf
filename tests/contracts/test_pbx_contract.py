"""The promise Pbx: calls come, calls are placed once, everything ends."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from agi_bot.contracts import Call, Pbx, Status
from agi_bot.errors import CallGone, PbxError
from tests.contracts.telephones import AsteriskWorld, World, some


async def test_it_has_a_name_and_a_version(dialling_world: World) -> None:
    assert dialling_world.pbx.name
    assert dialling_world.pbx.version


async def test_calls_end_after_stop(world: World) -> None:
    waiting = asyncio.create_task(_all(world.pbx))
    await asyncio.sleep(0)
    await world.pbx.stop()
    assert await asyncio.wait_for(waiting, 30) == []


async def test_a_running_call_outlives_stop_and_ends_with_close(world: World) -> None:
    call, person = await world.call()
    await world.pbx.stop()
    await call.set_result({"BOT_OUTCOME": "cut_short"})
    assert await person.hear(5)
    await world.pbx.close()
    assert (await person.after())["outcome"] == "cut_short"
    with pytest.raises(CallGone):
        await call.play(_nothing())


async def test_an_answered_attempt_arrives_under_its_id(dialling_world: World) -> None:
    call_id, variables = str(uuid4()), {"BOT_FLOW": "contract", "NAME": '张伟, "(x) \\y'}
    if isinstance(dialling_world, AsteriskWorld):
        uuid, _ = dialling_world.expect()
        variables["PERSON"] = str(uuid)
    number = dialling_world.numbers()[Status.ANSWERED]
    attempt = await dialling_world.pbx.originate(number, call_id=call_id, caller_id="400", variables=variables)
    assert attempt.call_id == call_id
    verdict = await asyncio.wait_for(attempt.outcome(), 30)
    assert verdict.status is Status.ANSWERED
    assert verdict == await attempt.outcome()
    call = await asyncio.wait_for(anext(aiter(dialling_world.pbx.calls())), 30)
    assert (call.id, call.caller) == (call_id, number)
    assert variables.items() <= call.variables.items()
    assert await _speaks(call)
    await attempt.cancel()
    await call.hang_up()


@pytest.mark.parametrize(
    "status", [Status.BUSY, Status.REJECTED, Status.CONGESTION, Status.INVALID_NUMBER], ids=lambda status: status.value
)
async def test_a_failed_attempt_tells_why(dialling_world: World, status: Status) -> None:
    number = dialling_world.numbers().get(status)
    if number is None:
        return  # the fake ends as its test says
    attempt = await dialling_world.pbx.originate(number, call_id=str(uuid4()))
    assert (await asyncio.wait_for(attempt.outcome(), 30)).status is status


async def test_nobody_answers(dialling_world: World) -> None:
    attempt = await dialling_world.pbx.originate("1003", call_id=str(uuid4()), ring_timeout_s=1)
    if not isinstance(dialling_world, AsteriskWorld):
        await attempt.cancel()
    assert (await asyncio.wait_for(attempt.outcome(), 30)).status in (Status.NO_ANSWER, Status.CANCELLED)


async def test_ringing_can_be_cancelled(dialling_world: World) -> None:
    number = dialling_world.numbers()[Status.CANCELLED]
    attempt = await dialling_world.pbx.originate(number, call_id=str(uuid4()))
    await asyncio.sleep(0.2)
    await attempt.cancel()
    await attempt.cancel()
    assert (await asyncio.wait_for(attempt.outcome(), 30)).status is Status.CANCELLED


async def test_one_id_is_placed_once(dialling_world: World) -> None:
    number, call_id = dialling_world.numbers()[Status.CANCELLED], str(uuid4())
    attempt = await dialling_world.pbx.originate(number, call_id=call_id)
    with pytest.raises(PbxError, match="placed already"):
        await dialling_world.pbx.originate(number, call_id=call_id)
    await attempt.cancel()


@pytest.mark.parametrize(
    ("number", "caller_id", "value"),
    [
        ("100\r\nChannel: Local/9@x", "400", ""),
        ("", "400", ""),
        ("1001", "400\r\nAction: Logoff", ""),
        ("1001", "400", "a\nb"),
        ("1001\0", "400", ""),
    ],
)
async def test_line_ends_are_refused_and_nothing_is_placed(
    dialling_world: World, number: str, caller_id: str, value: str
) -> None:
    with pytest.raises(ValueError, match=r"."):
        await dialling_world.pbx.originate(number, call_id=str(uuid4()), caller_id=caller_id, variables={"NAME": value})


async def _all(pbx: Pbx) -> list[Call]:
    return [call async for call in pbx.calls()]


async def _speaks(call: Call) -> bool:
    """The person's sound comes; a fake person says nothing."""
    return call.channel.startswith("Fake/") or bool(await some(call.frames(), 5))


async def _nothing():  # type: ignore[no-untyped-def]
    return
    yield
