"""Bad sound, through the whole conversation with its real engines, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from agi_bot.audio import LINE_RATE, Frame
from agi_bot.demo.phone.patient import bot_ended
from agi_bot.record import CallRecord
from agi_bot.testing import VirtualTimeLoop
from tests.bench.lab import material
from tests.bench.lab.caller import BOT_PAUSE_MS
from tests.bench.lab.dry import DryPhone, DryPhoneCall, dry_phone
from tests.bench.lab.material import Utterance
from tests.bench.lab.verdict import active

Scene = Callable[[DryPhoneCall], Awaitable[None]]


@pytest.fixture(scope="module")
def words() -> dict[str, list[Utterance]]:
    return {str(kind): some for kind, some in material.load("tune", []).items()}


def on_the_phone(scene: Scene, folder: Path, flow: str = "lab_answers") -> tuple[CallRecord, np.ndarray]:
    """Play ``scene``; the record and what the caller heard, from the start of the call."""

    async def play() -> tuple[CallRecord, np.ndarray]:
        async with dry_phone(folder) as phone:
            return await _call(phone, flow, scene)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(play())


async def _call(phone: DryPhone, flow: str, scene: Scene) -> tuple[CallRecord, np.ndarray]:
    call = await phone.call(flow)
    async with asyncio.timeout(900):
        await scene(call)
        await call.hang_up()
    assert call.record is not None
    return call.record, np.concatenate([packet.samples for packet in call.line.heard])


def frame(samples: np.ndarray) -> Frame:
    return Frame(np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes())


def tone(seconds: float, *frequencies: float, level: float = 6000.0) -> Frame:
    at = np.arange(int(seconds * LINE_RATE)) / LINE_RATE
    waves = [np.sin(2 * np.pi * each * at) for each in frequencies]
    return frame(level / len(waves) * np.sum(waves, axis=0))


def music(seconds: float) -> Frame:
    """Chords of half a second each, without a pause."""
    chords = [(262, 330, 392), (294, 370, 440), (330, 415, 494), (349, 440, 523)]
    pieces = [tone(0.5, *chords[n % 4], level=9000).samples for n in range(int(seconds * 2))]
    return frame(np.concatenate(pieces).astype(float))


def notes(record: CallRecord) -> list[str]:
    return [note for turn in record.turns for note in turn.notes]


def heard(record: CallRecord) -> list[str]:
    return [turn.heard for turn in record.turns if turn.heard]


async def asked(call: DryPhoneCall) -> None:
    await bot_ended(call, BOT_PAUSE_MS)


def test_who_never_stops_talking_is_interrupted_politely(tmp_path: Path, words: dict[str, list[Utterance]]) -> None:
    rng = np.random.default_rng(4)
    fluent = [each.samples for each in words["when"] if "…" not in each.text]
    some = [fluent[at] for at in rng.integers(0, len(fluent), 40)]
    endless = frame(np.concatenate(some)[: 30 * LINE_RATE])
    spoken: list[float] = []

    async def scene(call: DryPhoneCall) -> None:
        await asked(call)
        began, ended = await call.line.play(endless)
        spoken.extend(at - call.line.heard[0].at for at in (began, ended))
        await asyncio.sleep(2)

    record, sound = on_the_phone(scene, tmp_path)
    first = active(sound)
    assert "interrupted: the caller spoke without end" in notes(record)
    assert record.counters["longest_turns"] == 1
    lengths = [(turn.heard_to_ms or 0) - (turn.heard_from_ms or 0) for turn in record.turns if turn.heard]
    assert max(lengths) < 21_000
    assert first[int(spoken[0] * 100) + 2000 : int(spoken[1] * 100)].sum() > 50, "the bot spoke before the caller ended"


def test_music_on_hold_is_noted_and_ends_nothing(tmp_path: Path) -> None:
    async def scene(call: DryPhoneCall) -> None:
        await asked(call)
        await call.line.play(music(30))
        assert not call.ended.is_set()
        await asyncio.sleep(1)

    record, _ = on_the_phone(scene, tmp_path)
    assert "line: music" in notes(record)
    assert record.ended_by == "caller"


@pytest.mark.parametrize(("frequency", "name"), [(1100, "fax"), (2100, "fax"), (1650, "modem")])
def test_the_tone_of_a_machine_is_noted_and_is_no_answer(tmp_path: Path, frequency: int, name: str) -> None:
    async def scene(call: DryPhoneCall) -> None:
        await asyncio.sleep(1)
        await call.line.play(tone(10, frequency))
        await asyncio.sleep(1)

    record, _ = on_the_phone(scene, tmp_path)
    assert f"line: {name}" in notes(record)
    assert heard(record) == []
    assert "barge_ins" not in record.counters


def test_in_half_a_minute_of_silence_the_bot_asks_again(tmp_path: Path) -> None:
    async def scene(call: DryPhoneCall) -> None:
        await asked(call)
        await asyncio.sleep(30)
        assert not call.ended.is_set()

    record, sound = on_the_phone(scene, tmp_path)
    assert record.counters["silences"] >= 3
    assert heard(record) == []
    assert active(sound)[-2500:].sum() > 100, "it spoke again in the silence"


def test_nobody_who_speaks_is_hung_up_on(tmp_path: Path, words: dict[str, list[Utterance]]) -> None:
    """The caller begins to speak just before the last silence is over."""
    long = frame(np.concatenate([each.samples for each in words["when"][:6]]))

    async def scene(call: DryPhoneCall) -> None:
        with call.line.watch() as packets:
            while not _about_to_end(call):
                await packets.get()
        await call.line.play(long)
        assert not call.ended.is_set()
        await asyncio.sleep(1)

    record, _ = on_the_phone(scene, tmp_path)
    assert record.counters["silences"] == 12
    assert record.ended_by == "caller"
    assert heard(record)


def _about_to_end(call: DryPhoneCall) -> bool:
    """The twelfth reprompt is over for 4.5 s: half a second is left of the silence."""
    counters = call.counters
    sound = call.line.heard[-225:]
    return counters.get("silences", 0) == 12 and all(not packet.samples.any() for packet in sound)


@pytest.mark.parametrize(("gain", "answers"), [(12, 3), (40, 1)], ids=["clipped", "nearly-square"])
def test_clipped_sound_is_noted_and_understood(
    tmp_path: Path, words: dict[str, list[Utterance]], gain: float, answers: int
) -> None:
    """What is left of sound that was 40 times too loud the demo model does not hear each time."""
    loud = next(each for each in words["yes_no"] if each.text == "没问题")

    async def scene(call: DryPhoneCall) -> None:
        for _ in range(3):
            await asked(call)
            await call.line.play(frame(loud.samples * gain))
        await asyncio.sleep(1.5)

    record, _ = on_the_phone(scene, tmp_path)
    assert "line: clipped_audio" in notes(record)
    assert len(heard(record)) >= answers
    assert any("问题" in text for text in heard(record))
    if gain < 40:
        assert any("没问题" in text for text in heard(record))


def test_a_caller_whose_sound_does_not_arrive_is_noted(tmp_path: Path) -> None:
    async def scene(call: DryPhoneCall) -> None:
        await asyncio.sleep(15)

    record, _ = on_the_phone(scene, tmp_path)
    assert "line: one_way_audio" in notes(record)


@pytest.mark.parametrize("stall_ms", [300, 800])
def test_frames_in_a_burst_after_a_stall_are_one_answer(
    tmp_path: Path, words: dict[str, list[Utterance]], stall_ms: int
) -> None:
    """What was said during the stall comes all at once: no end of turn in the hole, and the bot keeps its pace."""
    said = next(each for each in words["yes_no"] if "后天" in each.text)

    async def scene(call: DryPhoneCall) -> None:
        await asked(call)
        playing = asyncio.create_task(call.line.play(said.frame))
        await asyncio.sleep(0.4)
        call.line.stall()
        await asyncio.sleep(stall_ms / 1000)
        call.line.go_on()
        await playing
        await asyncio.sleep(4)

    record, sound = on_the_phone(scene, tmp_path)
    smooth, unhurried = on_the_phone(lambda call: _smooth(call, said), tmp_path)
    assert heard(record)[:1] == heard(smooth)[:1]
    assert abs(int(active(sound).sum()) - int(active(unhurried).sum())) < 40, "the bot neither hurries nor stutters"


async def _smooth(call: DryPhoneCall, said: Utterance) -> None:
    await asked(call)
    await call.line.play(said.frame)
    await asyncio.sleep(4)


def test_a_clock_that_is_set_in_mid_call_changes_nothing(
    tmp_path: Path, words: dict[str, list[Utterance]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wall clock back by a day and ahead by a day, as ``time.time`` and ``datetime.now`` tell it."""
    shift = [0.0]

    class SetClock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(days=shift[0])

    async def scene(call: DryPhoneCall) -> None:
        for days in (-1.0, 1.0):
            await asked(call)
            shift[0] = days
            await call.line.play(words["yes_no"][0].frame)
        await asked(call)

    for module in ("journal", "talk"):
        monkeypatch.setattr(f"agi_bot.conversation.{module}.datetime", SetClock)
    record, sound = on_the_phone(scene, tmp_path)
    times = [at for turn in record.turns for at in (turn.said_from_ms, turn.heard_to_ms) if at is not None]
    assert times == sorted(times)
    assert len(heard(record)) == 2
    assert record.ended_at is not None
    length_s = (record.ended_at - record.started_at).total_seconds()
    assert length_s == pytest.approx(len(sound) / LINE_RATE, abs=1)
