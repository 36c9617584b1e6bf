"""When a sentence is heard a second time, against what, and when that counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agi_bot.contracts import Hints, Word
from agi_bot.speech.vosk import engine
from agi_bot.speech.vosk.second import LONGEST_MS, Narrow, SecondLook, narrow
from agi_bot.speech.vosk.vocabulary import Vocabulary

DIGITS = frozenset("零幺一二三四五六七八九")
KNOWN = Vocabulary(DIGITS | {"可以", "改", "时间"}, unknown=True)


def words(*spoken: str, confidence: float = 0.9) -> tuple[Word, ...]:
    return tuple(Word(text, 100 * at, 100 * at + 100, confidence) for at, text in enumerate(spoken))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Grammar -> words that the second decoder hears."""
    heard: dict[str, list[str]] = {}

    class Scripted:
        def __init__(self, model: Any, rate: int, grammar: str) -> None:
            self._words = heard[grammar]

        def whole(self, pcm: bytes) -> str:
            made = [{"word": word, "start": 0.1, "end": 0.2, "conf": 0.9} for word in self._words]
            return json.dumps({"result": made})

    monkeypatch.setattr(engine, "Decoder", Scripted)
    return heard


def looking(target: Narrow) -> SecondLook:
    look = SecondLook(None, 8000)
    look.expect(target)
    return look


def test_closed_phrases_become_a_grammar_with_unknown_words() -> None:
    made = narrow(KNOWN, Hints(("可以", "改时间", "不认识"), closed=True), "zh")
    assert json.loads(made.grammar) == ["可以", "改 时间", "[unk]"]


def test_open_questions_have_none() -> None:
    assert narrow(KNOWN, Hints(("可以",)), "zh") == Narrow()
    assert narrow(KNOWN, Hints(("不认识",), closed=True), "zh") == Narrow()


def test_a_model_without_unknown_words_has_none() -> None:
    assert narrow(Vocabulary(KNOWN.words), Hints(("可以",), closed=True, digits=4), "zh") == Narrow()


def test_a_number_is_pairs_of_digits() -> None:
    made = narrow(KNOWN, Hints(digits=4), "zh")
    assert made.digits == 4
    assert {"三 五", "[unk]"} < set(json.loads(made.grammar))
    assert "[unk]" not in json.loads(made.number)


@pytest.mark.parametrize(
    ("first", "wanted"),
    [
        (words("可以"), False),
        (words("可以", confidence=0.6), True),
        (words("可以", "[unk]"), True),
        ((), False),
    ],
    ids=["sure", "unsure", "partly unknown", "nothing"],
)
def test_only_an_unsure_answer_is_heard_again(first: tuple[Word, ...], wanted: bool) -> None:
    assert looking(Narrow("[...]")).wanted(first) is wanted
    assert not looking(Narrow()).wanted(first)


@pytest.mark.parametrize(
    ("heard", "counts"), [(["可以"], True), (["可以", "[unk]"], False), ([], False)], ids=["sure", "unknown", "nothing"]
)
def test_a_second_look_counts_when_every_word_is_known(
    answers: dict[str, list[str]], heard: list[str], counts: bool
) -> None:
    answers["closed"] = heard
    assert bool(looking(Narrow("closed")).look(b"\0\0", words("[unk]"))) is counts


def test_a_number_counts_only_with_as_many_digits_as_are_waited_for(answers: dict[str, list[str]]) -> None:
    look = looking(Narrow("any", 4, "number"))
    answers.update({"any": list("三五七"), "number": list("三五七九")})
    assert not look.look(b"\0\0", words("[unk]"))
    assert [word.text for word in look.look(b"\0\0", words(*"三五七九四"))] == list("三五七九")
    answers["number"] = list("三五七")
    assert not look.look(b"\0\0", words(*"三五七九四"))
    assert look.wanted(words(*"三五七九四"))
    assert not look.wanted(words(*"三五七九"))


def test_long_speech_is_no_short_answer() -> None:
    look = looking(Narrow("closed"))
    for _ in range(2 * LONGEST_MS // 100):
        look.keep(bytes(1600))
    assert look.kept_ms < LONGEST_MS + 200
    assert look.forget() == b""
    look.keep(bytes(1600))
    assert look.forget() == bytes(1600)


def test_nothing_is_kept_where_there_is_nothing_to_look_for() -> None:
    look = looking(Narrow())
    look.keep(bytes(1600))
    assert look.forget() == b""
