"""The promise Call, kept by fakes, by our servers on the wire, and with a real Asterisk between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from uuid import UUID

import numpy as np
import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Call, Digit
from agi_bot.conversation.mouth import REWIND_MS
from agi_bot.errors import CallGone
from tests.contracts.telephones import Person, World, pace

STEP = 400
"""Level between two numbered frames: survives a G.711 line."""


def numbered(count: int) -> list[Frame]:
    """Frames that can be told apart by their level: 1, 2, 3, ..."""
    return [Frame(np.full(160, STEP * number, dtype="<i2").tobytes()) for number in range(1, count + 1)]


def numbers(frames: list[Frame]) -> list[int]:
    """The numbers of the frames that are not silence."""
    found = [round(float(np.median(frame.samples)) / STEP) for frame in frames]
    return [number for number in found if number]


async def endless(level: int = 30) -> AsyncIterator[Frame]:
    while True:
        yield numbered(level)[-1]
        await asyncio.sleep(0)


async def listen(call: Call, into: list[Frame | Digit]) -> None:
    async for item in call.frames():
        into.append(item)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def heard_of_a_play(person: Person) -> list[int]:
    """The numbers of what the person hears, until it is silent for a fifth of a second."""
    got: list[int] = []
    async with asyncio.timeout(30):
        while (new := numbers(await person.hear(10))) or not got:
            got += new
    return got


async def test_it_tells_who_it_is(world: World) -> None:
    call, _ = await world.call()
    assert str(UUID(call.id)) == call.id
    assert (call.caller, call.rate, call.variables["flow"]) == ("1001", 8000, "contract")
    assert call.channel
    assert call.unique_id


async def test_two_calls_have_two_ids(world: World) -> None:
    (one, _), (two, _) = await world.call(), await world.call()
    assert one.id != two.id


async def test_the_caller_is_heard_in_order(world: World) -> None:
    call, person = await world.call()
    heard: list[Frame | Digit] = []
    ear = asyncio.create_task(listen(call, heard))
    await person.speak(numbered(50))
    await until(lambda: 50 in numbers([item for item in heard if isinstance(item, Frame)]))
    got = numbers([item for item in heard if isinstance(item, Frame)])
    assert got == sorted(got)
    assert len(set(got)) >= 48
    await call.release()
    await ear


async def test_keys_are_heard_between_the_sound(world: World) -> None:
    call, person = await world.call()
    heard: list[Frame | Digit] = []
    ear = asyncio.create_task(listen(call, heard))
    for key in "5#":
        await person.press(key)
        await until(lambda key=key: Digit(key) in heard)
    assert [item for item in heard if isinstance(item, Digit)] == [Digit("5"), Digit("#")]
    await call.release()
    await ear


async def test_what_is_played_reaches_the_person_whole_and_in_order(world: World) -> None:
    call, person = await world.call()
    began = asyncio.get_running_loop().time()
    await call.play(pace(numbered(50)))
    assert asyncio.get_running_loop().time() - began >= 0.7, "at the line's pace"
    got = await heard_of_a_play(person)
    assert got == sorted(got)
    assert len(set(got)) >= 48


async def test_a_cancelled_play_is_silent_at_once(world: World) -> None:
    call, person = await world.call()
    playing = asyncio.create_task(call.play(endless()))
    await asyncio.sleep(0.3)
    assert numbers(await person.hear(10))
    playing.cancel()
    with suppress(asyncio.CancelledError):
        await playing
    async with asyncio.timeout(30):
        while numbers(await person.hear(5)):  # what was on its way
            pass
    assert numbers(await person.hear(15)) == []


async def test_after_a_cancelled_play_another_one_plays(world: World) -> None:
    call, person = await world.call()
    playing = asyncio.create_task(call.play(endless(30)))
    await asyncio.sleep(0.1)
    playing.cancel()
    with suppress(asyncio.CancelledError):
        await playing
    await call.play(pace(numbered(20)))
    async with asyncio.timeout(30):
        while 20 not in (heard := numbers(await person.hear(10))):
            pass
    assert heard[-1] == 20


async def test_how_much_of_a_cancelled_play_was_not_heard_is_told(world: World) -> None:
    """To less than what a prompt is rewound by anyway."""
    call, person = await world.call()
    taken = 0

    async def counted() -> AsyncIterator[Frame]:
        nonlocal taken
        for frame in numbered(80):
            taken += 1
            yield frame

    assert call.unheard_ms == 0
    playing = asyncio.create_task(call.play(counted()))
    await asyncio.sleep(0.8)
    told_ms = taken * 20 - call.unheard_ms
    playing.cancel()
    with suppress(asyncio.CancelledError):
        await playing
    assert call.unheard_ms == 0
    heard_ms = max(await heard_of_a_play(person)) * 20
    assert abs(heard_ms - told_ms) <= REWIND_MS


async def test_frames_of_any_length_are_played(world: World) -> None:
    call, person = await world.call()
    whole = b"".join(frame.pcm for frame in numbered(20))
    uneven = [Frame(whole[start : start + 1998]) for start in range(0, len(whole), 1998)]
    await call.play(pace(uneven))
    assert max(await heard_of_a_play(person)) == 20


async def test_sound_at_another_rate_is_refused(world: World) -> None:
    call, _ = await world.call()
    with pytest.raises(ValueError, match="Hz"):
        await call.play(pace([Frame(bytes(640), 16000)]))


async def test_the_callers_hang_up_ends_frames_and_play(world: World) -> None:
    call, person = await world.call()
    heard: list[Frame | Digit] = []
    ear = asyncio.create_task(listen(call, heard))
    playing = asyncio.create_task(call.play(endless()))
    await asyncio.sleep(0.1)
    await person.hang_up()
    await asyncio.wait_for(ear, 30)
    with pytest.raises(CallGone):
        await asyncio.wait_for(playing, 30)
    with pytest.raises(CallGone):
        await call.play(pace(numbered(1)))
    assert call.lost == ""


async def test_after_the_caller_hung_up_the_call_still_ends_in_order(world: World) -> None:
    """Whether the dialplan can still be told is the exchange's matter; asking must not fail."""
    call, person = await world.call()
    await person.hang_up()
    await asyncio.wait_for(listen(call, []), 30)
    await call.set_result({"BOT_OUTCOME": "hung_up"})
    await call.release()
    assert (await person.after())["outcome"] in ("hung_up", "unavailable", "")


async def test_a_released_call_goes_back_with_its_results(world: World) -> None:
    call, person = await world.call()
    await call.set_result({"BOT_OUTCOME": "confirmed", "BOT_SLOT_NAME": '张伟 "(x), \\y"'})
    await call.release()
    after = await person.after()
    assert (after["outcome"], after["slot"], after["transfer"]) == ("confirmed", '张伟 "(x), \\y"', "")
    assert [item async for item in call.frames() if isinstance(item, Digit)] == []


async def test_a_transfer_tells_the_dialplan_where_to(world: World) -> None:
    call, person = await world.call()
    await call.set_result({"BOT_OUTCOME": "transferred"})
    await call.transfer("nurses")
    after = await person.after()
    assert (after["outcome"], after["transfer"]) == ("transferred", "nurses")


async def test_hang_up_ends_the_call_with_its_results(world: World) -> None:
    call, person = await world.call()
    await call.set_result({"BOT_OUTCOME": "refused"})
    await call.hang_up()
    assert (await person.after())["outcome"] == "refused"


async def test_only_the_first_end_counts(world: World) -> None:
    call, person = await world.call()
    await call.release()
    await call.transfer("nurses")
    await call.hang_up()
    await call.release()
    assert (await person.after())["transfer"] == ""


@pytest.mark.parametrize("target", ["nurses\r\nAction: Hangup", "a\0b", "\n"])
async def test_a_transfer_with_a_line_end_is_refused(world: World, target: str) -> None:
    call, person = await world.call()
    with pytest.raises(ValueError, match="line end"):
        await call.transfer(target)
    await call.release()
    assert (await person.after())["transfer"] == ""


async def test_the_end_of_the_bots_part_ends_frames(world: World) -> None:
    call, _ = await world.call()
    ear = asyncio.create_task(listen(call, []))
    await asyncio.sleep(0)
    await call.release()
    await asyncio.wait_for(ear, 30)
    with pytest.raises(CallGone):
        await call.play(pace(numbered(1)))
