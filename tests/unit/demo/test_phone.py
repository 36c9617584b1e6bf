"""The telephone of the demo: RTP packets, tapes, two telephones that call each other, and the people who use them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.audio import Frame, rms_dbfs, silence
from agi_bot.demo.measure import read, replies
from agi_bot.demo.phone import (
    CallRefused,
    HangUp,
    Interrupt,
    Listen,
    Patient,
    PhoneCall,
    Press,
    Say,
    Softphone,
    rtp,
)
from agi_bot.demo.phone.tape import Tape, save, stereo


def noise(ms: int) -> Frame:
    """Speech as far as a telephone can tell."""
    return Frame(np.random.default_rng(3).integers(-8000, 8000, ms * 8).astype("<i2").tobytes())


# --- packets ---


@given(st.integers(0, 127), st.integers(0, 65535), st.integers(0, 2**32 - 1), st.binary(max_size=200), st.booleans())
def test_packets_survive_the_wire(kind: int, sequence: int, timestamp: int, payload: bytes, marker: bool) -> None:
    packet = rtp.Packet(kind, sequence, timestamp, 7, payload, marker)
    back = rtp.parse(packet.pack())
    assert back == (None if 72 <= kind <= 76 else packet)


@given(st.binary(max_size=60))
def test_garbage_is_no_crash(data: bytes) -> None:
    packet = rtp.parse(data)
    assert packet is None or len(packet.payload) <= len(data) - 12


def test_extension_padding_and_contributors_are_taken_off() -> None:
    head = bytes([0x80 | 0x20 | 0x10 | 1, 0]) + bytes(10)
    body = bytes(4) + b"\xbe\xde\x00\x01" + bytes(4) + b"sound" + b"\x00\x00\x03"
    packet = rtp.parse(head + body)
    assert packet is not None
    assert packet.payload == b"sound"


def test_a_key_is_one_event_with_three_ends() -> None:
    events = [payload for payload, _ in rtp.key_events("#", ms=100)]
    assert [rtp.key_end(payload) for payload in events] == ["", "", "", "", "", "#", "#", "#"]
    assert [int.from_bytes(payload[2:], "big") for payload in events] == [160, 320, 480, 640, 800, 800, 800, 800]
    assert [first for _, first in rtp.key_events("1")].count(True) == 1
    with pytest.raises(ValueError, match="substring not found"):
        list(rtp.key_events("x"))


# --- tapes ---


def test_late_packets_are_put_where_they_belong_and_gaps_are_kept() -> None:
    tape = Tape()
    for at, stamp in ((10.0, 0), (10.5, 160), (10.5, 320), (10.501, 480), (10.4, 8000)):
        tape.add(at, np.full(160, 5, dtype=np.int16), stamp)
    samples = tape.samples(10.0, 10.6)
    assert np.flatnonzero(samples).tolist() == [*range(640), *range(3200, 3360)]
    assert tape.samples(10.01, 10.015).tolist() == [5] * 40
    assert tape.samples(9.99, 10.0).tolist() == [0] * 80
    assert (tape.start, tape.end) == (10.0, pytest.approx(10.42))


def test_the_quickest_packet_tells_when_the_sound_began() -> None:
    tape = Tape()
    for at, stamp in ((10.08, 0), (10.09, 160), (10.04, 320)):
        tape.add(at, np.full(160, 5, dtype=np.int16), stamp)
    assert tape.start == pytest.approx(10.0)


def test_pieces_without_a_stamp_lie_where_they_were_heard() -> None:
    tape = Tape()
    for at in (1.0, 1.02, 1.5):
        tape.add(at, np.full(160, 5, dtype=np.int16))
    assert np.flatnonzero(tape.samples(1.0, 1.6)).tolist() == [*range(320), *range(4000, 4160)]


def test_two_tapes_side_by_side(tmp_path: Path) -> None:
    left, right = Tape(), Tape()
    left.add(5.0, np.full(800, 1, dtype=np.int16))
    right.add(5.05, np.full(800, 2, dtype=np.int16))
    both, since = stereo(left, right)
    assert (since, both.shape) == (5.0, (1200, 2))
    save(tmp_path / "both.wav", both)
    samples, rate = read(tmp_path / "both.wav")
    assert rate == 8000
    assert samples.tolist() == both.tolist()
    assert stereo(Tape(), Tape())[0].shape == (0, 2)


# --- two telephones ---


@pytest.fixture
async def phones() -> AsyncIterator[tuple[Softphone, Softphone]]:
    async with Softphone("100") as one, Softphone("200") as two:
        yield one, two


async def connect(phones: tuple[Softphone, Softphone]) -> tuple[PhoneCall, PhoneCall]:
    """The first calls the second, who answers."""
    calling = asyncio.create_task(phones[0].call("200", phones[1].port))
    theirs = await phones[1].incoming()
    await theirs.answer()
    return await calling, theirs


def loud(call: PhoneCall) -> int:
    """How many loud packets were heard."""
    return sum(rms_dbfs(Frame(heard.samples.tobytes())) > -30 for heard in call.line.heard)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_call_with_sound_both_ways(phones: tuple[Softphone, Softphone]) -> None:
    ours, theirs = await connect(phones)
    assert (theirs.caller, theirs.called, theirs.id) == ("100", "200", ours.id)
    await asyncio.gather(ours.line.play(noise(200)), theirs.line.play(noise(300)))
    for call, ms in ((ours, 300), (theirs, 200)):
        await until(lambda call=call, ms=ms: loud(call) >= ms // 20)
        assert loud(call) == ms // 20
    await ours.hang_up()
    await asyncio.wait_for(theirs.ended.wait(), 30)
    assert (ours.hung_up_by, theirs.hung_up_by) == ("us", "them")


async def test_the_called_one_hangs_up(phones: tuple[Softphone, Softphone]) -> None:
    ours, theirs = await connect(phones)
    await theirs.hang_up()
    await theirs.hang_up()
    await asyncio.wait_for(ours.ended.wait(), 30)
    assert ours.hung_up_by == "them"


async def test_refused_and_given_up(phones: tuple[Softphone, Softphone]) -> None:
    calling = asyncio.create_task(phones[0].call("200", phones[1].port))
    (await phones[1].incoming()).reject(486)
    with pytest.raises(CallRefused) as refused:
        await calling
    assert refused.value.status == 486
    giving_up = asyncio.create_task(phones[0].call("200", phones[1].port, answer_s=0.1))
    ringing = await phones[1].incoming()
    with pytest.raises(CallRefused):
        await giving_up
    await asyncio.wait_for(ringing.ended.wait(), 30)


async def test_keys_arrive_once_and_in_order(phones: tuple[Softphone, Softphone]) -> None:
    ours, theirs = await connect(phones)
    await ours.line.press("1#10")
    assert theirs.line.keys == "1#10"


async def test_speech_can_be_cut(phones: tuple[Softphone, Softphone]) -> None:
    ours, _ = await connect(phones)
    speaking = asyncio.create_task(ours.line.play(noise(60_000)))
    await asyncio.sleep(0.1)
    ours.line.silence()
    began, ended = await asyncio.wait_for(speaking, 30)
    assert ended - began < 30, "it was a minute"


async def test_a_closed_telephone_ends_its_calls() -> None:
    async with Softphone("100") as one:
        async with Softphone("200") as two:
            ours, theirs = await connect((one, two))
            speaking = asyncio.create_task(theirs.line.play(noise(60_000)))
        await asyncio.wait_for(speaking, 30)
        await asyncio.wait_for(ours.ended.wait(), 30)


# --- people ---


async def act_on(phones: tuple[Softphone, Softphone], patient: Patient, *prompts: Frame) -> tuple[PhoneCall, PhoneCall]:
    """``patient`` is called; the other side speaks ``prompts`` with a second for an answer after each."""
    bot, theirs = await connect(phones)
    talking = asyncio.create_task(patient.talk(theirs))
    for prompt in prompts:
        await bot.line.play(prompt)
        await asyncio.sleep(1.0)
    await bot.hang_up()
    await asyncio.wait_for(talking, 30)
    return bot, theirs


async def test_the_patient_answers_when_the_bot_has_ended(phones: tuple[Softphone, Softphone], tmp_path: Path) -> None:
    patient = Patient([Say(noise(200), "yes"), Listen(), Say(noise(100), "no")], pause_ms=200)
    long_prompt = Frame(noise(200).pcm + silence(100).pcm + noise(200).pcm)
    _, theirs = await act_on(phones, patient, long_prompt, noise(200), noise(200))
    assert [text for text, _, _ in patient.spoken] == ["yes", "no"]
    theirs.save(tmp_path / "call.wav")
    samples, rate = read(tmp_path / "call.wav")
    first, *_ = replies(samples[:, ::-1], rate)
    assert first.ms > 100, "after the end of the prompt, not in its pause"


async def test_the_patient_interrupts_presses_and_hangs_up(phones: tuple[Softphone, Softphone]) -> None:
    patient = Patient([Interrupt(noise(100), after_ms=200), Press("5"), HangUp()], pause_ms=200)
    bot, theirs = await connect(phones)
    talking = asyncio.create_task(patient.talk(theirs))
    began, ended = await bot.line.play(noise(2000))
    ((_, spoke, _),) = patient.spoken
    assert began < spoke < ended, "while the bot spoke"
    await bot.line.play(noise(300))
    await until(lambda: bot.line.keys)
    assert bot.line.keys == "5"
    await bot.line.play(noise(300))
    await asyncio.wait_for(talking, 30)
    assert bot.hung_up_by == "them"
