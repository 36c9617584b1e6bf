from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.speech.vosk.vocabulary import Vocabulary, grammar, join

CHINESE = Vocabulary(frozenset({"可以", "改", "时间", "改时间", "我", "没空", "ct", "检查", "三", "点"}), True)
ENGLISH = Vocabulary(frozenset({"not", "today", "to", "day", "i'm", "busy"}), True)


def test_words_file_loses_numbers_and_labels() -> None:
    words = Vocabulary.parse(["<eps> 0", "[unk] 1", "可以 2", "#0 3", "<s> 4", "!SIL 5", "", "yes 6"])
    assert words == Vocabulary(frozenset({"可以", "yes"}), unknown=True)


def test_a_model_without_unk_says_so() -> None:
    assert not Vocabulary.parse(["<eps> 0", "yes 1"]).unknown


def test_language_keeps_its_own_words_only() -> None:
    assert CHINESE.only(["可以", "nothing"]).words == {"可以"}


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("可以改时间", ("可以", "改时间")),
        ("我没空", ("我", "没空")),
        ("可以 改 时间", ("可以", "改", "时间")),
        ("CT检查", ("ct", "检查")),
        ("可以吗", ()),
        ("", ()),
        ("   ", ()),
    ],
)
def test_chinese_is_cut_into_the_fewest_words(phrase: str, words: tuple[str, ...]) -> None:
    assert CHINESE.cut(phrase) == words


def test_english_words_are_never_cut_inside() -> None:
    assert ENGLISH.cut("Not today") == ("not", "today")
    assert Vocabulary(frozenset({"to", "day"})).cut("today") == ()
    assert ENGLISH.cut("I'm busy") == ("i'm", "busy")


@given(st.lists(st.sampled_from(sorted(CHINESE.words)), min_size=1, max_size=12))
def test_whatever_is_made_of_words_can_be_cut_again(words: list[str]) -> None:
    text = join(words)
    cut = CHINESE.cut(text)
    if not any(a == b == "ct" for a, b in pairwise(words)):
        assert join(cut) == text
    assert set(cut) <= CHINESE.words


@given(st.text(max_size=30))
def test_any_text_is_cut_or_refused(text: str) -> None:
    assert set(CHINESE.cut(text)) <= CHINESE.words


def test_join_writes_each_script_its_own_way() -> None:
    assert join(["做", "ct", "检查"]) == "做ct检查"
    assert join(["not", "today"]) == "not today"
    assert join([]) == ""


def test_whole_grammar_holds_every_word_the_phrases_and_unk() -> None:
    lines = json.loads(grammar(CHINESE, ["我没空", "听不懂"], whole=True))
    assert lines[0] == "我 没空"
    assert set(lines) == CHINESE.words | {"我 没空", "[unk]"}


def test_fence_holds_the_phrases_alone() -> None:
    assert json.loads(grammar(CHINESE, ["我没空"], whole=False)) == ["我 没空", "[unk]"]


def test_grammar_is_never_an_empty_list() -> None:
    assert grammar(CHINESE, ["听不懂"], whole=False) == ""
    assert grammar(Vocabulary(frozenset()), [], whole=True) == ""


def test_grammar_keeps_chinese_as_it_is() -> None:
    """libvosk drops every word that comes as \\uXXXX."""
    assert "我" in grammar(CHINESE, ["我没空"], whole=True)
    assert "\\u" not in grammar(CHINESE, ["我没空"], whole=True)


def test_unk_is_left_out_where_the_model_has_none() -> None:
    assert "[unk]" not in grammar(Vocabulary(frozenset({"yes"})), [], whole=True)
