"""What callers say: whole replies, known by heart, beside a bigram with absolute discounting.

The replies by heart tell words apart that sound alike (是 and 十, no and now) when they are said
alone, which a bigram cannot.
"""

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

_DISCOUNT = 0.3
_REPLY_WEIGHT = 6
_COMMON_WEIGHT = 10
_BY_HEART_SHARE = 0.4
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


@dataclass
class Speech:
    """What is said in one language."""

    bigram: Bigram
    by_heart: Counter[Words]


def expect_speech(phrases: Phrases, rng: random.Random) -> Speech:
    """Count replies and many sentences of the patterns."""
    replies = phrases.list_replies(rng)
    unknown: list[Words] = [(UNKNOWN,)] * (len(replies) * _REPLY_WEIGHT // 40)
    sentences = phrases.sentences(_PATTERN_SENTENCES, rng)
    bigram = count_bigram(replies * _REPLY_WEIGHT + sentences + unknown)
    return Speech(bigram, Counter(replies + phrases.common * _COMMON_WEIGHT))


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


def acceptor(languages: Sequence[Speech], ids: dict[str, int]) -> list[str]:
    """The lines of an OpenFst text acceptor: one language or the other, never both at once.

    State 0 is the start; from it every language has a fair share.
    """
    starts, lines, used = [], [f"0 {-math.log(EMPTY_SHARE):.4f}"], 1
    for speech in languages:
        for arcs, states, share in (
            (*_model_arcs(speech.bigram, ids, used), 1 - _BY_HEART_SHARE),
            (*_tree_arcs(speech.by_heart, ids, used + _states(speech.bigram)), _BY_HEART_SHARE),
        ):
            starts.append(_line(0, used, 0, share / len(languages)))
            lines += arcs
            used += states
    return starts + lines


def _states(model: Bigram) -> int:
    return 1 + len(model.follow)


def _tree_arcs(replies: Counter[Words], ids: dict[str, int], first: int) -> tuple[list[str], int]:
    """Arcs of a tree of whole replies, from its start ``first``, and how many states it has."""
    through: Counter[Words] = Counter()
    for words, count in replies.items():
        for length in range(len(words) + 1):
            through[words[:length]] += count
    states = {prefix: first + index for index, prefix in enumerate(sorted(through))}
    lines = []
    for prefix, state in states.items():
        if prefix:
            share = through[prefix] / through[prefix[:-1]]
            lines.append(_line(states[prefix[:-1]], state, ids[prefix[-1]], share))
        if prefix in replies:
            lines.append(f"{state} {-math.log(replies[prefix] / through[prefix]):.4f}")
    return lines, len(states)


def _model_arcs(model: Bigram, ids: dict[str, int], first: int) -> tuple[list[str], int]:
    """Arcs of a bigram, from its start ``first``, and how many states it has."""
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
    return lines, len(states)


def _arc(state: int, word: str, share: float, states: dict[str, int], ids: dict[str, int]) -> str:
    if word == END:
        return f"{state} {-math.log(share):.4f}"
    return _line(state, states.get(word, states[ALONE]), ids[word], share)


def _line(state: int, target: int, label: int, share: float) -> str:
    return f"{state} {target} {label} {-math.log(share):.4f}"
