"""How each word sounds: what espeak-ng was heard to say for it, in every accent."""

import math
import random
from collections import Counter, defaultdict
from dataclasses import dataclass

from .corpus import join
from .espeak import Manner, espeak
from .phrases import Language, Phrases, Words
from .units import UnknownSoundError, timed_units, word_units
from .voices import accents

_LEAST_SHARE = 0.04
_MOST_VARIANTS = 5


@dataclass(frozen=True)
class Pronunciation:
    word: str
    units: Words
    cost: float
    """-ln of how common it is, 0 for the commonest."""


def make_lexicon(phrases: Phrases, words: list[str], language: Language, rng: random.Random) -> list[Pronunciation]:
    """Speak sentences and single words, and count what each word became.

    Raises ValueError for a word that espeak-ng cannot say with the units of the model.
    """
    heard: dict[str, Counter[Words]] = defaultdict(Counter)
    alone = [(word,) for word in words] * 2
    sentences = phrases.sentences(1500, rng) + phrases.list_replies(rng) * 2
    for accent in accents(language):
        for sentence in sentences + alone:
            _listen(heard, sentence, language, Manner(accent))
    missing = set(words) - set(heard)
    if missing:
        raise ValueError(f"no pronunciation for {sorted(missing)}")
    return [entry for word in words for entry in _variants(word, heard[word])]


def _listen(heard: dict[str, Counter[Words]], words: Words, language: Language, manner: Manner) -> None:
    text = join(words, language)
    try:
        units = timed_units(espeak().say(text, manner), language)
    except UnknownSoundError:
        return
    for word, spoken in zip(words, word_units(words, text, units, language), strict=False):
        heard[word][spoken] += 1


def _variants(word: str, heard: Counter[Words]) -> list[Pronunciation]:
    most = heard.most_common(1)[0][1]
    total = heard.total()
    return [
        Pronunciation(word, units, math.log(most / count))
        for units, count in heard.most_common(_MOST_VARIANTS)
        if count >= _LEAST_SHARE * total
    ]
