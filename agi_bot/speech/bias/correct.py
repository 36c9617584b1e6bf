"""Words of the business in place of what sounds like them.

A recogniser that does not know 处方药 writes what it knows: 厨房要.  Where a run of recognised words
sounds like an expected word, or nearly so and the recogniser was not sure, the expected word is put
there.  Nothing else is touched: a sentence that is known as it stands, numbers, and negations stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from agi_bot.contracts import Transcript
from agi_bot.speech.bias.change import Change, spans
from agi_bot.speech.bias.english import english, letters
from agi_bot.speech.bias.sounds import Sound, distance, mandarin

SURE = 0.95
"""A word that was heard with this confidence or more gives way to what sounds exactly like it only."""

FEWEST = {"zh": 3, "en": 4}
"""Syllables (Mandarin) or sounds (English) that a word needs to replace what only nearly sounds like it."""

LIMIT = {"zh": 0.34, "en": 0.25}
"""Cost of the differences to a syllable or sound of the word, at most."""

SMALL_NUMBERS = (
    *("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty"),
    *("forty", "fifty", "sixty", "seventy", "eighty", "ninety"),
)
"""Names of English numbers."""

_KEPT = {
    "zh": frozenset("零〇一二两三四五六七八九十百千万亿半幺点不没别无未非否0123456789"),
    "en": frozenset((*SMALL_NUMBERS, "hundred", "thousand", "no", "not", "never", "don't", "can't", "won't")),
}
"""Signs and words that no correction may add, drop or change: numbers and negations."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Characters ``start``..``end`` that sound like ``word``, ``cost`` a syllable away."""

    start: int
    end: int
    word: str
    cost: float
    size: int


class Lexicon:
    """The words of one business, and how they sound.

    ``known`` are whole sentences that are understood as they stand, written without punctuation.
    """

    def __init__(self, language: str, words: Iterable[str], known: Iterable[str] = ()) -> None:
        self._tongue = "en" if language.lower().startswith("en") else "zh"
        self._sounds: Callable[[str], tuple[Sound, ...]] = english if self._tongue == "en" else mandarin
        self._keys = {word: self._heard_as(self._sounds(word)) for word in dict.fromkeys(words) if word.strip()}
        self._known = frozenset(map(_plain, known))

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self._keys)

    def changes(self, heard: Transcript) -> tuple[Change, ...]:
        """Where words of the business belong in ``heard``, in order."""
        if not self._keys or not heard.text or _plain(heard.text) in self._known:
            return ()
        text = heard.text
        places = _apart([*self._already(text), *self._places(heard)])
        found = [Change(place.start, place.end, text[place.start : place.end], place.word) for place in places]
        return tuple(change for change in found if change.heard != change.meant)

    def _already(self, text: str) -> Iterator[_Place]:
        """Words that stand there as they should: nothing may replace a part of them."""
        for word, keys in self._keys.items():
            start = text.find(word)
            while start >= 0:
                yield _Place(start, start + len(word), word, 0.0, len(keys) + 1)
                start = text.find(word, start + 1)

    def _places(self, heard: Transcript) -> Iterator[_Place]:
        sounds = self._sounds(heard.text)
        if not sounds:
            return
        bounds, sure = _bounds(heard), _confidences(heard)
        for word, keys in self._keys.items():
            for first, last in self._windows(sounds, len(self._sounds(word))):
                start, end = sounds[first].start, sounds[last - 1].end
                if start not in bounds or end not in bounds or not self._may(heard.text[start:end], word):
                    continue
                limit = self._limit(len(keys), min(sure[start:end]))
                cost = distance(self._heard_as(sounds[first:last]), keys, limit + 0.01)
                if cost <= limit:
                    yield _Place(start, end, word, cost / len(keys), len(keys))

    def _windows(self, sounds: Sequence[Sound], size: int) -> Iterator[tuple[int, int]]:
        for length in (size, size - 1, size + 1):
            for first in range(len(sounds) - length + 1 if length else 0):
                yield first, first + length

    def _heard_as(self, sounds: Sequence[Sound]) -> list[str]:
        keys = [sound.key for sound in sounds]
        return letters(keys) if self._tongue == "en" else keys

    def _limit(self, size: int, confidence: float) -> float:
        unsure = confidence < SURE
        return LIMIT[self._tongue] * size if unsure and size >= FEWEST[self._tongue] else 0.0

    def _may(self, heard: str, word: str) -> bool:
        """Numbers and negations must be the same in both, and in the same order."""
        return self._fixed(heard) == self._fixed(word)

    def _fixed(self, text: str) -> list[str]:
        parts = text.lower().split() if self._tongue == "en" else text
        return [part for part in parts if part in _KEPT[self._tongue]]


def _plain(text: str) -> str:
    return "".join(text.lower().split())


def _apart(places: list[_Place]) -> list[_Place]:
    """Places that do not overlap: the nearest and longest first."""
    taken: list[_Place] = []
    for place in sorted(places, key=lambda place: (-place.size, place.cost)):
        if all(place.end <= other.start or place.start >= other.end for other in taken):
            taken.append(place)
    return sorted(taken, key=lambda place: place.start)


def _bounds(heard: Transcript) -> set[int]:
    """Where recognised words begin and end; anywhere when they are not known."""
    edges = {edge for start, end, _ in spans(heard) for edge in (start, end)}
    return edges or set(range(len(heard.text) + 1))


def _confidences(heard: Transcript) -> list[float]:
    """Of each character; the sentence's own where no word is known."""
    sure = [heard.confidence] * len(heard.text)
    for start, end, word in spans(heard):
        sure[start:end] = [word.confidence] * (end - start)
    return sure
