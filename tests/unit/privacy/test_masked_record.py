"""A whole call is masked: words, entities, slots, and the spans of its sound."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from agi_bot.contracts import Entity, Word
from agi_bot.errors import StoreError
from agi_bot.privacy.audio_masking import silence_spans
from agi_bot.privacy.masked_record import Silenced, mask_record
from agi_bot.record import CallRecord, Turn

PHONE = "13812345678"


def record(*turns: Turn) -> CallRecord:
    return CallRecord("c1", "demo", "zh-CN", datetime(2026, 11, 21, tzinfo=UTC), turns=list(turns))


def words(text: str, first_ms: int = 1000, each_ms: int = 300) -> tuple[Word, ...]:
    """One word a character."""
    times = range(first_ms, first_ms + each_ms * len(text), each_ms)
    return tuple(Word(one, at, at + each_ms) for one, at in zip(text, times, strict=True))


def test_words_entities_slots_task_and_notes() -> None:
    text = f"我的电话是{PHONE}，一共1234567元"
    entities = (
        Entity("phone", PHONE, PHONE, text.index(PHONE), text.index(PHONE) + 11),
        Entity("money", 1234567, "1234567元"),
    )
    call = record(Turn(said=f"您的电话是{PHONE}吗", heard=text, entities=entities, notes=[f"hook got {PHONE}"]))
    call.slots = {"phone": PHONE, "amount": 1234567, "guests": 4}
    call.task = {"name": "张伟", "account": "6222021234567"}
    call.caller = PHONE
    found = mask_record(call).record
    turn = found.turns[0]
    assert turn.said == "您的电话是***********吗"
    assert turn.heard == "我的电话是***********，一共1234567元"
    assert [entity.value for entity in turn.entities] == ["*" * 11, 1234567]
    assert turn.entities[0].text == "*" * 11
    assert turn.notes == ["hook got ***********"]
    assert found.slots == {"phone": "*" * 11, "amount": 1234567, "guests": 4}
    assert found.task == {"name": "张伟", "account": "*" * 13}
    assert found.caller == PHONE
    assert call.turns[0].heard == text


def test_a_number_over_several_turns_and_the_bot_that_repeats_it() -> None:
    call = record(
        Turn(
            said="您的电话？",
            heard="幺三八",
            said_from_ms=0,
            heard_from_ms=900,
            heard_to_ms=2000,
            words=words("幺三八"),
        ),
        Turn(said="幺三八，请继续", heard="一二三四", said_from_ms=2500, heard_from_ms=4000, heard_to_ms=5200),
        Turn(said="好的", heard="五六七八", said_from_ms=5500, heard_from_ms=6000, heard_to_ms=7000),
    )
    call.turns[0].entities = (Entity("digits", "138", "幺三八", 0, 3),)
    call.slots = {"first": "138"}
    masking = mask_record(call)
    assert [turn.heard for turn in masking.record.turns] == ["***", "****", "****"]
    assert [turn.said for turn in masking.record.turns] == ["您的电话？", "***，请继续", "好的"]
    assert masking.record.slots == {"first": "***"}
    assert masking.record.turns[0].entities[0].value == "***"
    assert Silenced(0, 880, 2020) in masking.silenced
    assert Silenced(1, 2380, 5380) in masking.silenced
    assert masking.kinds == {"phone": 3}


def test_keys_are_masked() -> None:
    assert mask_record(record(Turn(keys="62220212345678#"))).record.turns[0].keys == "**************#"
    assert mask_record(record(Turn(keys="1234#"))).record.turns[0].keys == "1234#"


def test_only_the_numbers_words_are_silenced() -> None:
    text = "电话一三八一二三四谢谢"
    turn = Turn(heard=text, heard_from_ms=900, heard_to_ms=4500, words=words(text))
    assert mask_record(record(turn)).silenced == (Silenced(0, 1600 - 120, 1600 + 7 * 300 + 120),)


@pytest.mark.parametrize("known", [(), words("电话一三")])
def test_without_fitting_word_times_the_whole_utterance_is_silenced(known: tuple[Word, ...]) -> None:
    turn = Turn(heard="电话一三八一二三四", heard_from_ms=900, heard_to_ms=4500, words=known)
    assert mask_record(record(turn)).silenced == (Silenced(0, 780, 4620),)


def test_a_clean_call_is_left_alone() -> None:
    call = record(Turn(said="您好", heard="明天下午三点", heard_from_ms=0, heard_to_ms=900))
    masking = mask_record(call)
    assert masking.clean
    assert masking.record.turns[0].heard == "明天下午三点"


def loud(path: Path, seconds: int = 25, rate: int = 8000) -> Path:
    subtype = "OPUS" if path.suffix == ".ogg" else "PCM_16"
    tone = (8000 * np.sin(np.arange(seconds * rate) * 440 * 2 * np.pi / rate)).astype(np.int16)
    sf.write(path, np.stack([tone, tone], axis=1), rate, subtype)
    return path


@pytest.mark.parametrize("form", ["wav", "flac", "ogg"])
def test_spans_are_silent_on_their_channel_only(tmp_path: Path, form: str) -> None:
    path = loud(tmp_path / f"a.{form}")
    silence_spans(path, [Silenced(0, 9500, 11000), Silenced(1, 24000, 2**31)])
    sound, rate = sf.read(path, dtype="int16")
    assert rate == 8000
    assert abs(len(sound) - 25 * rate) <= 160
    level = np.sqrt(np.mean(sound.astype(float) ** 2, axis=0))
    assert (level > 4000).all()
    margin = rate // 20
    assert np.abs(sound[int(9.5 * rate) + margin : 11 * rate - margin, 0]).max() <= 40
    assert np.abs(sound[int(9.5 * rate) + margin : 11 * rate - margin, 1]).max() > 4000
    assert np.abs(sound[24 * rate + margin :, 1]).max() <= 40
    if form != "ogg":
        assert not sound[int(9.5 * rate) : 11 * rate, 0].any()
        assert sound[int(9.5 * rate) - 9 : int(9.5 * rate), 0].any()
    assert list(tmp_path.iterdir()) == [path]


def test_a_recording_that_cannot_be_rewritten_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"no sound")
    with pytest.raises(StoreError, match="could not be silenced"):
        silence_spans(path, [Silenced(0, 0, 10)])
    assert path.read_bytes() == b"no sound"
    assert list(tmp_path.iterdir()) == [path]
