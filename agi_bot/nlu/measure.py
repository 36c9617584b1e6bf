"""How well an interpreter does on sentences whose intent is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Judged:
    """One sentence: the right ``intent`` (empty: none fits), the ``answer`` (empty: rejected), the ``best`` guess."""

    text: str
    intent: str
    answer: str
    best: str
    confidence: float = 0.0
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Confusion:
    """``count`` sentences of ``intent`` were taken for ``answer`` (empty: rejected)."""

    intent: str
    answer: str
    count: int
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Shares are 0..1; times are ms a sentence.

    ``accuracy`` counts a rejection as wrong, ``accuracy_of_best`` takes the best guess
    whether it was rejected or not.  ``outside_rejected`` is the share of the ``outside``
    sentences, which fit no intent, that were rejected (1 where there are none).
    """

    sentences: int
    accuracy: float
    accuracy_of_best: float
    rejected: float
    macro_f1: float
    outside: int
    outside_rejected: float
    ms_p50: float
    ms_p99: float
    confusions: tuple[Confusion, ...]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def score(judged: Sequence[Judged]) -> Score:
    """Sum up ``judged``."""
    inside = [one for one in judged if one.intent]
    outside = [one for one in judged if not one.intent]
    times = sorted(one.ms for one in judged) or [0.0]
    return Score(
        len(inside),
        _share([one.answer == one.intent for one in inside]),
        _share([one.best == one.intent for one in inside]),
        _share([not one.answer for one in inside], 0.0),
        round(_macro_f1(inside), 4),
        len(outside),
        _share([not one.answer for one in outside]),
        round(times[len(times) // 2], 3),
        round(times[min(len(times) - 1, len(times) * 99 // 100)], 3),
        confusions(judged),
    )


def confusions(judged: Sequence[Judged]) -> tuple[Confusion, ...]:
    """What was taken for what, most frequent first."""
    pairs = Counter((one.intent, one.answer) for one in judged if one.intent != one.answer)
    return tuple(
        Confusion(intent, answer, count, tuple(_texts(judged, intent, answer)))
        for (intent, answer), count in pairs.most_common()
    )


def _texts(judged: Sequence[Judged], intent: str, answer: str) -> list[str]:
    return [one.text for one in judged if (one.intent, one.answer) == (intent, answer)]


def _macro_f1(judged: Sequence[Judged]) -> float:
    names = sorted({one.intent for one in judged})
    return sum(_f1(judged, name) for name in names) / len(names) if names else 0.0


def _f1(judged: Sequence[Judged], name: str) -> float:
    both = sum(one.intent == name == one.answer for one in judged)
    either = sum(one.intent == name for one in judged) + sum(one.answer == name for one in judged)
    return 2 * both / either if either else 0.0


def _share(hits: Sequence[bool], empty: float = 1.0) -> float:
    return round(sum(hits) / len(hits), 4) if hits else empty
