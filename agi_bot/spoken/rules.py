"""Rules that turn what is written into what is said, applied one after another."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Match = re.Match[str]

NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
"""A number with or without separators and decimals."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Wherever ``pattern`` fits, ``words`` says what to put there; None leaves it."""

    pattern: re.Pattern[str]
    words: Callable[[Match], str | None]


def rule(pattern: str, words: Callable[[Match], str | None] | str, flags: int = 0) -> Rule:
    """A rule; ``words`` may be the words themselves (then as :func:`re.sub` takes them)."""
    if isinstance(words, str):
        template = words
        return Rule(re.compile(pattern, flags), lambda match: match.expand(template))
    return Rule(re.compile(pattern, flags), words)


def apply(rules: Sequence[Rule], text: str) -> str:
    """``text`` after all ``rules`` in order."""
    for each in rules:
        text = each.pattern.sub(lambda match, each=each: _said(match, each), text)  # type: ignore[misc]
    return text


def _said(match: Match, each: Rule) -> str:
    words = each.words(match)
    return match.group() if words is None else words


def grouped(digits: str) -> list[str]:
    """A string of digits in the groups in which it is read aloud.

    3-3 for six, 4-4-... with the rest last for longer ones, 6-4-4-4 for an identity number.
    """
    if len(digits) < 6:
        return [digits]
    if len(digits) == 18:
        return [digits[:6], digits[6:10], digits[10:14], digits[14:]]
    size = 3 if len(digits) == 6 else 4
    return [digits[start : start + size] for start in range(0, len(digits), size)]
