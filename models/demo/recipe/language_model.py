"""What callers say: whole replies, known by heart, beside a trigram with absolute discounting.

The replies by heart tell words apart that sound alike (是 and 十, no and now) when they are said
alone, which a trigram cannot.
"""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .phrases import Phrases, Words

UNKNOWN = "[unk]"
START, END = "<s>", "</s>"
_DISCOUNT = 0.3
_LEAST_HISTORY = 3
"""Pairs of words that were counted less often are no history."""

_REPLY_WEIGHT = 6
_COMMON_WEIGHT = 20
_BY_HEART_SHARE = 0.4
_PATTERN_SENTENCES = 12_000
EMPTY_SHARE = 0.05
"""How likely nothing is said: what else would make a word of silence."""

_UNKNOWN_SHARE = 0.02
"""How much of the unigrams is for words outside of the vocabulary."""


@dataclass
class Trigram:
    """Probabilities after up to two words: ``follow[history][word]``.

    ``back[history]`` is what is left for the history without its first word; that of ``()`` is 0.
    """

    follow: dict[Words, dict[str, float]] = field(default_factory=dict)
    back: dict[Words, float] = field(default_factory=dict)

    def share(self, history: Words, word: str) -> float:
        """How likely ``word`` is after ``history``."""
        following = self.follow.get(history, {})
        if word in following or not history:
            return following.get(word, 0.0)
        return self.back.get(history, 1.0) * self.share(history[1:], word)


@dataclass
class Speech:
    """What is said in one language."""

    sentences: Trigram
    by_heart: Counter[Words]


def expect_speech(phrases: Phrases, words: Sequence[str], rng: random.Random) -> Speech:
    """Count replies, every word alone, and many sentences of the patterns."""
    replies = [*phrases.list_replies(rng), *((word,) for word in words)]
    unknown: list[Words] = [(UNKNOWN,)] * (len(replies) * _REPLY_WEIGHT // 40)
    sentences = phrases.sentences(_PATTERN_SENTENCES, rng)
    counted = count_trigram(replies * _REPLY_WEIGHT + sentences + unknown)
    return Speech(counted, Counter(replies + phrases.common * _COMMON_WEIGHT))


def count_trigram(sentences: Iterable[Words]) -> Trigram:
    """Interpolated absolute discounting; single words by how many stand before (Kneser-Ney)."""
    counts: dict[Words, Counter[str]] = defaultdict(Counter)
    for words in sentences:
        padded = (START, *words, END)
        for end in range(1, len(padded)):
            for start in range(max(0, end - 2), end):
                counts[padded[start:end]][padded[end]] += 1
    model = Trigram({(): _single_words(counts)}, {})
    for history in sorted(counts, key=len):
        if len(history) == 1 or counts[history].total() >= _LEAST_HISTORY:
            _add_history(model, history, counts[history])
    return model


def _add_history(model: Trigram, history: Words, following: Counter[str]) -> None:
    total = following.total()
    left = _DISCOUNT * len(following) / total
    model.back[history] = left
    model.follow[history] = {
        word: (count - _DISCOUNT) / total + left * model.share(history[1:], word) for word, count in following.items()
    }


def _single_words(counts: dict[Words, Counter[str]]) -> dict[str, float]:
    before = Counter(word for history, following in counts.items() if len(history) == 1 for word in following)
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
            (*_model_arcs(speech.sentences, ids, used), 1 - _BY_HEART_SHARE),
            (*_tree_arcs(speech.by_heart, ids, used + _states(speech.sentences)), _BY_HEART_SHARE),
        ):
            starts.append(_line(0, used, 0, share / len(languages)))
            lines += arcs
            used += states
    return starts + lines


def _states(model: Trigram) -> int:
    return len(model.follow)


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


def _model_arcs(model: Trigram, ids: dict[str, int], first: int) -> tuple[list[str], int]:
    """Arcs of a trigram, from its start ``first``, and how many states it has."""
    start = (START,)
    histories = [start, *sorted(set(model.follow) - {start})]
    states = {history: first + index for index, history in enumerate(histories)}
    lines = []
    for history, state in states.items():
        for word, share in sorted(model.follow[history].items()):
            lines.append(_arc(states, history, word, share, ids))
        if history:
            lines.append(_line(state, states[history[1:]], 0, model.back[history]))
    return lines, len(states)


def _arc(states: dict[Words, int], history: Words, word: str, share: float, ids: dict[str, int]) -> str:
    if word == END:
        return f"{states[history]} {-math.log(share):.4f}"
    target = (*history, word)[-2:]
    while target not in states:
        target = target[1:]
    return _line(states[history], states[target], ids[word], share)


def _line(state: int, target: int, label: int, share: float) -> str:
    return f"{state} {target} {label} {-math.log(share):.4f}"
