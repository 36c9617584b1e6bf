"""Questions that nobody could answer: grouped by likeness, counted, most frequent first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from agi_bot.nlu.likeness import likeness
from agi_bot.nlu.normal import tidy

ALIKE = 0.15
"""Mean similarity (cosine) that joins two groups."""

MOST = 2000
"""Most different questions that are grouped; of more, the most frequent ones."""


@dataclass(frozen=True, slots=True)
class Gap:
    """``count`` callers asked something like ``texts`` (most frequent first)."""

    count: int
    texts: tuple[str, ...]

    @property
    def title(self) -> str:
        """The question that was asked most."""
        return self.texts[0]


def gaps(questions: Iterable[str], language: str, common: Sequence[str] = ()) -> list[Gap]:
    """Groups of ``questions``, largest first.

    ``common`` is ordinary speech: what occurs in it often ("do you have") says little.
    """
    counted = Counter(text for question in questions if (text := tidy(question).text))
    texts = [text for text, _ in counted.most_common(MOST)]
    groups: dict[int, list[str]] = {}
    for text, group in zip(texts, _grouped(texts, language, common), strict=True):
        groups.setdefault(group, []).append(text)
    found = [Gap(sum(counted[text] for text in members), tuple(members)) for members in groups.values()]
    return sorted(found, key=lambda gap: -gap.count)


def as_entries(found: Sequence[Gap], examples: int = 5) -> str:
    """``found`` as entries of a knowledge file, answers left to write."""
    lines = ["answers:"]
    for gap in found:
        listed = ", ".join(_quoted(text) for text in gap.texts[:examples])
        lines += [f"- questions: [{listed}]  # asked {gap.count} times", "  answer: "]
    return "\n".join(lines) + "\n"


def _grouped(texts: Sequence[str], language: str, common: Sequence[str]) -> list[int]:
    if len(texts) < 2:
        return list(range(len(texts)))
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distances = 1 - np.clip(likeness(texts, texts, language, common), 0, 1)
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), method="average")
    return [int(group) for group in fcluster(tree, 1 - ALIKE, criterion="distance")]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
