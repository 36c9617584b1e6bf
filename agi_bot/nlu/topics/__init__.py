"""What people ask businesses of every kind, in several wordings (``zh-CN.txt``, ``en.txt``).

A knowledge file knows a few of these topics: their other wordings help to recognise what
it answers.  The others tell it what it does not answer: without them "how much is the
operation" would get the price of the examination.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from agi_bot.nlu.likeness import Floats, likeness

LIKE = 0.5
"""Cosine from which a topic is what an entry is about.  Measured: docs/nlu.md."""

CLEARLY = 0.1
"""By how much more it must be like that entry than like the next."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """``wordings`` (entry id -> more ways to ask for it) and ``foreign`` questions, which no entry answers."""

    wordings: Mapping[str, tuple[str, ...]]
    foreign: tuple[str, ...]


@lru_cache(maxsize=4)
def topics(language: str) -> tuple[tuple[str, ...], ...]:
    """The topics of ``language``, each with its wordings; none where we have no list."""
    name = "zh-CN" if language.startswith("zh") else language.split("-")[0]
    file = Path(__file__).parent / f"{name}.txt"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return tuple(tuple(line.split("|")) for line in lines if line and not line.startswith("#"))


def sort_out(questions: Mapping[str, Sequence[str]], language: str, common: Sequence[str]) -> Sorted:
    """Which topics the entries (id -> its questions) answer, and which they do not.

    A topic that is like an entry, but not clearly, is left out.  ``common``: see :func:`likeness`.
    """
    known = topics(language)
    owners = [name for name, asked in questions.items() for _ in asked]
    if not known or not owners:
        return Sorted({}, ())
    asked = [text for texts in questions.values() for text in texts]
    alike = likeness([wording for topic in known for wording in topic], asked, language, common)
    wordings: dict[str, tuple[str, ...]] = {}
    foreign: list[str] = []
    start = 0
    for topic in known:
        ranked = _by_entry(alike[start : start + len(topic)], owners)
        start += len(topic)
        if ranked[0][0] < LIKE:
            foreign += topic
        elif len(ranked) == 1 or ranked[0][0] - ranked[1][0] >= CLEARLY:
            wordings[ranked[0][1]] = (*wordings.get(ranked[0][1], ()), *topic)
    return Sorted(wordings, tuple(foreign))


def _by_entry(alike: Floats, owners: Sequence[str]) -> list[tuple[float, str]]:
    """How like each entry a topic is (its best wording with the entry's best), most alike first."""
    best: dict[str, float] = {}
    for owner, value in zip(owners, alike.max(axis=0).tolist(), strict=True):
        best[owner] = max(best.get(owner, 0.0), value)
    return sorted(((value, owner) for owner, value in best.items()), reverse=True)
