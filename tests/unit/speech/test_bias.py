"""Words of the business for what sounds like them, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.contracts import Transcript, Word
from agi_bot.speech.bias import Change, Lexicon, changed, digit_changes
from agi_bot.speech.bias.english import english
from agi_bot.speech.bias.sounds import NEAR, distance, mandarin, syllable_cost

HOSPITAL = Lexicon("zh-CN", ["CT检查", "处方药", "血常规", "二甲双胍", "复查"], known=["我去厨房要水"])
SHOP = Lexicon("en", ["air fryer", "rice cooker", "prescription"])


def heard(*words: str, confidence: float = 0.6) -> Transcript:
    """A transcript of ``words``, 300 ms each, in Mandarin."""
    made = tuple(Word(word, 300 * at, 300 * at + 300, confidence) for at, word in enumerate(words))
    return Transcript("".join(words), final=True, confidence=confidence, words=made)


def corrected(lexicon: Lexicon, transcript: Transcript) -> str:
    return changed(transcript, lexicon.changes(transcript)).text


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("我", "的", "厨房", "要", "吃完", "了"), "我的处方药吃完了"),
        (("我", "的", "出", "放", "要", "吃完", "了"), "我的处方药吃完了"),
        (("做", "西提", "检查"), "做CT检查"),
        (("做", "c", "t", "检查"), "做CT检查"),
        (("雪", "长轨"), "血常规"),
        (("二", "加", "双", "瓜", "一天", "几次"), "二甲双胍一天几次"),
    ],
)
def test_what_sounds_like_a_word_of_the_business_becomes_it(words: tuple[str, ...], text: str) -> None:
    assert corrected(HOSPITAL, heard(*words)) == text


@pytest.mark.parametrize(
    "words",
    [
        ("我", "想", "改", "时间"),
        ("我", "的", "处方药", "吃完", "了"),
        ("我", "去", "厨房", "要", "水"),
        ("两", "三", "天", "以后"),
        ("一", "甲", "双", "瓜"),
        ("付", "账"),
    ],
    ids=["other words", "already there", "known as it stands", "numbers", "another number", "a short word, only near"],
)
def test_all_else_stays(words: tuple[str, ...]) -> None:
    assert HOSPITAL.changes(heard(*words)) == ()


def test_a_sure_word_gives_way_to_its_exact_sound_only() -> None:
    near, same = heard("出", "饭", "要", confidence=0.99), heard("厨房", "要", confidence=0.99)
    assert HOSPITAL.changes(near) == ()
    assert corrected(HOSPITAL, same) == "处方药"


def test_a_correction_begins_and_ends_with_words_that_were_heard() -> None:
    assert HOSPITAL.changes(heard("大厨房", "要点")) == ()


def test_the_words_keep_their_times() -> None:
    transcript = heard("我", "的", "厨房", "要", "没", "了")
    after = changed(transcript, HOSPITAL.changes(transcript))
    assert [(word.text, word.start_ms, word.end_ms) for word in after.words] == [
        ("我", 0, 300), ("的", 300, 600), ("处方药", 600, 1200), ("没", 1200, 1500), ("了", 1500, 1800),
    ]  # fmt: skip
    assert HOSPITAL.changes(transcript) == (Change(2, 5, "厨房要", "处方药"),)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("is the air friar in stock", "is the air fryer in stock"),
        ("a rise cooker please", "a rice cooker please"),
        ("my perscription is empty", "my prescription is empty"),
        ("the fire was near", "the fire was near"),
        ("i have no time", "i have no time"),
    ],
)
def test_english_words_by_their_rough_sound(text: str, meant: str) -> None:
    assert corrected(SHOP, Transcript(text, confidence=0.6)) == meant


@given(st.text("我的一二三四五六七八九十不没有百千万点厨房处方药要双瓜甲", max_size=20), st.floats(0, 1))
def test_numbers_and_negations_are_never_added_dropped_or_changed(text: str, confidence: float) -> None:
    after = corrected(HOSPITAL, Transcript(text, confidence=confidence))
    kept = "一二三四五六七八九十百千万点不没"
    assert [char for char in after if char in kept] == [char for char in text if char in kept]


@pytest.mark.parametrize(
    ("text", "language", "length", "meant"),
    [
        ("要三八零零儿三八零零零", "zh", 11, "幺三八零零二三八零零零"),
        ("一三是五", "zh", 4, "一三四五"),
        ("一三是五", "zh", 0, "一三四五"),
        ("二零零就", "zh", 4, "二零零九"),
        ("我要三八零零", "zh", 4, "我要三八零零"),
        ("我要三八零", "zh", 4, "我要三八零"),
        ("一三我五六", "zh", 5, "一三我五六"),
        ("就三点", "zh", 4, "就三点"),
        ("five to seven for nine", "en", 5, "five two seven four nine"),
        ("double three five", "en", 3, "double three five"),
        ("i want to go", "en", 4, "i want to go"),
    ],
)
def test_words_for_digits_where_digits_are_waited_for(text: str, language: str, length: int, meant: str) -> None:
    transcript = Transcript(text)
    assert changed(transcript, digit_changes(text, language, length)).text == meant


def test_sounds_that_the_telephone_confuses_are_near() -> None:
    assert syllable_cost("zhan", "zan") == syllable_cost("xin", "xing") == NEAR
    assert syllable_cost("ni", "li") == NEAR
    assert syllable_cost("ma", "ba") == 1.0
    assert distance(["chu", "fang", "yao"], ["cu", "fan", "yao"], 2) == pytest.approx(2 * NEAR)
    assert distance(["yi"] * 9, ["ma"] * 9, 1.0) == 1.0


def test_letters_sound_as_they_are_named() -> None:
    assert [sound.key for sound in mandarin("B超")] == ["bi", "chao"]
    assert [(sound.key, sound.start, sound.end) for sound in english("knife")] == [("nafa", 0, 5)]
