from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.speech.words import CHINESE, ENGLISH, ends_with, is_made_of, plain, words_of


@pytest.mark.parametrize("text", ["嗯", "嗯，对。", "好的好的", "对对对", "是的，明白", "嗯 好的"])
def test_chinese_backchannels(text: str) -> None:
    assert is_made_of(text, CHINESE.backchannel)


@pytest.mark.parametrize("text", ["", "。", "好的但是", "对不起", "不对", "行程", "嗯我想改时间"])
def test_what_is_more_than_a_chinese_backchannel(text: str) -> None:
    assert not is_made_of(text, CHINESE.backchannel)


@pytest.mark.parametrize("text", ["Yeah.", "yeah yeah", "Uh huh, okay", "I see", "oh right"])
def test_english_backchannels(text: str) -> None:
    assert is_made_of(text, ENGLISH.backchannel)


@pytest.mark.parametrize("text", ["rightly", "see", "no", "yeah but", "okay tomorrow", "hmmm what"])
def test_what_is_more_than_an_english_backchannel(text: str) -> None:
    assert not is_made_of(text, ENGLISH.backchannel)


@given(st.lists(st.sampled_from(sorted(ENGLISH.backchannel)), min_size=1, max_size=6))
def test_backchannels_one_after_another_are_backchannels(words: list[str]) -> None:
    assert is_made_of(", ".join(words), ENGLISH.backchannel)


@given(st.text(max_size=40))
def test_any_text_is_judged(text: str) -> None:
    for words in (CHINESE, ENGLISH):
        assert isinstance(is_made_of(text, words.backchannel), bool)
        assert isinstance(ends_with(text, words.open), bool)


def test_endings_are_whole_words_in_english_and_any_ending_in_chinese() -> None:
    assert ends_with("yes, but", ENGLISH.open)
    assert not ends_with("a button", frozenset({"on"}))
    assert ends_with("我想改到", CHINESE.open)


def test_plain_text_has_no_punctuation() -> None:
    assert plain("  Yes, I'm OK. ") == "yes i'm ok"
    assert plain("好的，谢谢！") == "好的 谢谢"


def test_an_unknown_language_has_no_words_but_works() -> None:
    assert words_of("fr") == words_of("de-DE")
    assert words_of("zh_CN") is CHINESE
    assert words_of("en-GB") is ENGLISH
