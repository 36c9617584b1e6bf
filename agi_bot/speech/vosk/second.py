"""A second look: a sentence that was heard unsurely is heard again with nothing but the expected phrases.

Only where a model takes grammars.  The first look uses the model's own language, so that whatever
callers say is heard; a grammar alone would turn other words into expected ones.  So the second one
counts only when it is sure, knows every word, and has as many digits as are waited for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from agi_bot.contracts import Hints, Word
from agi_bot.speech.vosk import engine, results
from agi_bot.speech.vosk.vocabulary import UNKNOWN, Vocabulary

LONGEST_MS = 8000
"""Longer speech is no short answer, and is not heard twice."""

SURE = 0.85
"""Mean word confidence of a first look that needs no second one."""

ENOUGH = 0.8
"""Mean word confidence of a second look that counts."""

MOSTLY = 0.75
"""Share of digits among the words from which on the speech surely was a number."""

_DIGITS = {
    "zh": tuple("零幺一二三四五六七八九"),
    "en": ("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
}
_UNKNOWN_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Narrow:
    """The grammar of one step (JSON, empty: none); ``digits``: how many it waits for (0: it does not).

    ``number`` is the grammar for speech that surely was a number.
    """

    grammar: str = ""
    digits: int = 0
    number: str = ""


@lru_cache(maxsize=256)
def narrow(vocabulary: Vocabulary, hints: Hints, language: str) -> Narrow:
    """What may be said where the phrases of ``hints`` are all, or a number of digits is waited for."""
    digits = [digit for digit in _DIGITS.get(language, ()) if digit in vocabulary.words]
    if hints.digits and len(digits) >= 10 and vocabulary.unknown:
        # Pairs: libvosk makes a bigram of them; of single words each would end the sentence.
        pairs = [" ".join(pair) for pair in product(digits, digits)]
        return Narrow(_grammar(pairs, 1), hints.digits, _grammar(pairs, 0))
    cuts = (vocabulary.cut(phrase) for phrase in hints.phrases) if hints.closed and vocabulary.unknown else ()
    phrases = dict.fromkeys(" ".join(cut) for cut in cuts if cut)
    return Narrow(_grammar(phrases, 1 + int(len(phrases) * _UNKNOWN_SHARE))) if phrases else Narrow()


def _grammar(phrases: Iterable[str], unknown: int) -> str:
    return json.dumps([*phrases, *[UNKNOWN] * unknown], ensure_ascii=False)


class SecondLook:
    """Keeps an utterance and hears it again.  Everything here blocks: call it in a thread."""

    def __init__(self, model: Any, rate: int) -> None:
        self._model = model
        self._rate = rate
        self._narrow = Narrow()
        self._sound = bytearray()

    def expect(self, narrow: Narrow) -> None:
        """Hold the next utterances against ``narrow``."""
        self._narrow = narrow

    def keep(self, pcm: bytes) -> None:
        """A piece of the utterance."""
        if self._narrow.grammar and self.kept_ms <= LONGEST_MS:
            self._sound += pcm

    @property
    def kept_ms(self) -> float:
        return len(self._sound) / 2 * 1000 / self._rate

    def forget(self) -> bytes:
        """The utterance is over; its sound, empty when it was too long."""
        sound, self._sound = (bytes(self._sound) if self.kept_ms <= LONGEST_MS else b""), bytearray()
        return sound

    def wanted(self, words: Sequence[Word]) -> bool:
        """Whether the first look, ``words``, leaves anything to be wished for."""
        if not self._narrow.grammar or not words:
            return False
        if self._narrow.digits:
            return not self._is_number(words)
        return any(word.text == UNKNOWN for word in words) or results.mean_confidence(words) < SURE

    def look(self, sound: bytes, first: Sequence[Word]) -> tuple[Word, ...]:
        """The words of ``sound``, times from its beginning; empty when they do not count."""
        text = self._narrow.number if self._was_number(first) else self._narrow.grammar
        words = results.parse_words(engine.Decoder(self._model, self._rate, text).whole(sound))
        return words if self._counts(words) else ()

    def _counts(self, words: Sequence[Word]) -> bool:
        if not words or any(word.text == UNKNOWN for word in words):
            return False
        if self._narrow.digits and not self._is_number(words):
            return False
        return results.mean_confidence(words) >= ENOUGH

    def _is_number(self, words: Sequence[Word]) -> bool:
        return len(words) == self._narrow.digits and _share(words) == 1.0

    def _was_number(self, words: Sequence[Word]) -> bool:
        return bool(self._narrow.digits) and _share(words) >= MOSTLY


def _share(words: Sequence[Word]) -> float:
    digits = {digit for own in _DIGITS.values() for digit in own} | {"两", "洞", "拐", "勾", "o"}
    return sum(word.text in digits for word in words) / max(1, len(words))
