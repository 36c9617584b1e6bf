"""Speech to learn from: sentences spoken by espeak-ng, at 8 kHz, with the time of every unit."""

import random
import re
from dataclasses import dataclass
from pydoc_data import topics

import numpy as np
import numpy.typing as npt
import soxr
from pypinyin.phrases_dict import phrases_dict

from .espeak import Manner, Samples, espeak
from .phrases import Language, Phrases, Words
from .units import INDEX, SILENCE, Timed, UnknownSoundError, timed_units
from .voices import training_manner

RATE = 8000
"""Hz; the telephone's."""

FOREIGN_HELD_OUT = 10
"""One foreign word of so many is kept for the evaluation."""


@dataclass(frozen=True)
class Item:
    """One utterance: samples at 8 kHz, its units and where each starts, in samples."""

    samples: Samples
    units: npt.NDArray[np.int16]
    starts: npt.NDArray[np.int32]


def join(words: Words, language: Language, rng: random.Random | None = None) -> str:
    """The text for espeak-ng, with a comma here and there if ``rng`` is given."""
    gap = "" if language == "zh" else " "
    comma = "，" if language == "zh" else ", "
    text = words[0] if words else ""
    for word in words[1:]:
        text += (comma if rng and rng.random() < 0.06 else gap) + word
    return text


def telephone(samples: Samples, rate: int, warp: float = 1.0) -> Samples:
    """Bring espeak-ng's samples to 8 kHz; ``warp`` above 1 makes the speaker larger and slower."""
    return np.asarray(soxr.resample(samples, rate / warp, RATE), np.int16)


def make_item(text: str, language: Language, manner: Manner, warp: float = 1.0) -> Item | None:
    """Speak a text; None where espeak-ng used a sound that the model has no unit for."""
    utterance = espeak().say(text, manner)
    try:
        units = timed_units(utterance, language)
    except UnknownSoundError:
        return None
    if not any(name != SILENCE for name, _, _ in units):
        return None
    return Item(telephone(utterance.samples, utterance.rate, warp), *_arrays(units, warp))


def _arrays(units: list[Timed], warp: float) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int32]]:
    names = np.array([INDEX[name] for name, _, _ in units], np.int16)
    starts = np.array([start * warp * RATE / 1000 for _, _, start in units], np.int32)
    return names, starts


class TextSource:
    """Sentences to speak: replies, patterns, words in any order, and words of no flow."""

    def __init__(self, phrases: Phrases, language: Language, rng: random.Random) -> None:
        self._rng = rng
        self._phrases = phrases
        self._language = language
        self._replies = phrases.list_replies(rng)
        self.words = vocabulary(phrases, rng)
        self._foreign = foreign_words(language, self.words, held_out=False)

    def draw(self) -> str:
        """One text."""
        kind = self._rng.random()
        if kind < 0.30:
            words = self._phrases.sentences(1, self._rng)[0]
        elif kind < 0.56:
            words = self._rng.choice(self._replies)
        elif kind < 0.73:
            words = tuple(self._rng.choices(self.words, k=self._rng.randint(1, 4)))
        else:
            words = tuple(self._rng.choices(self._foreign, k=self._rng.randint(1, 3)))
        return join(words, self._language, self._rng)


def vocabulary(phrases: Phrases, rng: random.Random) -> list[str]:
    """Every word that the phrases can produce."""
    drawn = phrases.list_replies(rng) + phrases.sentences(20_000, rng)
    return sorted({word for words in drawn for word in words})


def foreign_words(language: Language, known: list[str], *, held_out: bool) -> list[str]:
    """Words outside of the vocabulary, from what Python and pypinyin carry with them."""
    if language == "zh":
        pool = [word for word in phrases_dict if 2 <= len(word) <= 4]
    else:
        text = " ".join(topics.topics.values())
        pool = sorted(set(re.findall(r"\b[a-z]{4,}\b", text)))
    pool = [word for word in pool if not _resembles(word, known, language)]
    rest = random.Random(20).sample(pool, len(pool))
    cut = len(rest) // FOREIGN_HELD_OUT
    return rest[:cut] if held_out else rest[cut:]


def _resembles(word: str, known: list[str], language: Language) -> bool:
    if language == "zh":
        return any(other in word for other in known)
    return word in known


def speak_many(source: TextSource, language: Language, count: int, rng: random.Random) -> list[Item]:
    """``count`` utterances in voices, speeds, pitches and throat lengths of the training set."""
    items: list[Item] = []
    while len(items) < count:
        manner = training_manner(language, rng)
        item = make_item(source.draw(), language, manner, rng.uniform(0.87, 1.15))
        if item is not None:
            items.append(item)
    return items
