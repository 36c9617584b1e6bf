"""Which word follows which: a bigram with absolute discounting, as arcs of an acceptor."""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .phrases import Phrases, Words

UNKNOWN = "[unk]"
START, END = "<s>", "</s>"
ALONE = ""
"""The history that forgets everything."""

_DISCOUNT = 0.6
_REPLY_WEIGHT = 6
_PATTERN_SENTENCES = 12_000
EMPTY_SHARE = 0.05
"""How likely nothing is said: what else would make a word of silence."""

_UNKNOWN_SHARE = 0.02
"""How much of the unigrams is for words outside of the vocabulary."""


@dataclass
class Bigram:
    """Probabilities: ``follow[history][word]``, what is left goes back to ``alone``."""

    follow: dict[str, dict[str, float]] = field(default_factory=dict)
    back: dict[str, float] = field(default_factory=dict)
    alone: dict[str, float] = field(default_factory=dict)


def lm_sentences(phrases: Phrases, rng: random.Random) -> list[Words]:
    """What the bigram is counted on: each reply some times, and many sentences of the patterns."""
    replies = phrases.list_replies(rng) * _REPLY_WEIGHT
    unknown: list[Words] = [(UNKNOWN,)] * (len(replies) // 40)
    return replies + phrases.sentences(_PATTERN_SENTENCES, rng) + unknown


def count_bigram(sentences: Iterable[Words]) -> Bigram:
    """Interpolated absolute discounting; unigrams by how many words stand before (Kneser-Ney)."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for words in sentences:
        for history, word in zip((START, *words), (*words, END), strict=True):
            counts[history][word] += 1
    model = Bigram(alone=_unigram(counts))
    for history, following in counts.items():
        total = following.total()
        left = _DISCOUNT * len(following) / total
        model.back[history] = left
        model.follow[history] = {
            word: (count - _DISCOUNT) / total + left * model.alone[word] for word, count in following.items()
        }
    return model


def _unigram(counts: dict[str, Counter[str]]) -> dict[str, float]:
    before = Counter(word for following in counts.values() for word in following)
    share = {word: (1 - _UNKNOWN_SHARE) * n / before.total() for word, n in before.items()}
    share[UNKNOWN] = share.get(UNKNOWN, 0.0) + _UNKNOWN_SHARE
    return share


def acceptor(models: Sequence[Bigram], ids: dict[str, int]) -> list[str]:
    """The lines of an OpenFst text acceptor: one language or the other, never both at once.

    State 0 is the start and goes to each model's own start for a fair share.
    """
    lines = [f"0 {-math.log(EMPTY_SHARE):.4f}"]
    starts, used = [], 1
    for model in models:
        arcs, start, used = _model_arcs(model, ids, used)
        lines += arcs
        starts.append(start)
    return [_line(0, start, 0, 1 / len(models)) for start in starts] + lines


def _model_arcs(model: Bigram, ids: dict[str, int], first: int) -> tuple[list[str], int, int]:
    """Arcs of one bigram. Returns them, its start state, and the first state that is free."""
    histories = [START, *sorted(set(model.follow) - {START})]
    states = {word: first + index for index, word in enumerate([*histories, ALONE])}
    alone = states[ALONE]
    lines = []
    for history in histories:
        state = states[history]
        for word, share in sorted(model.follow[history].items()):
            lines.append(_arc(state, word, share, states, ids))
        lines.append(_line(state, alone, 0, model.back[history]))
    for word, share in sorted(model.alone.items()):
        lines.append(_arc(alone, word, share, states, ids))
    return lines, first, alone + 1


def _arc(state: int, word: str, share: float, states: dict[str, int], ids: dict[str, int]) -> str:
    if word == END:
        return f"{state} {-math.log(share):.4f}"
    return _line(state, states.get(word, states[ALONE]), ids[word], share)


def _line(state: int, target: int, label: int, share: float) -> str:
    return f"{state} {target} {label} {-math.log(share):.4f}"
