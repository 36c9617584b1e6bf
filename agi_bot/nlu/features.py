"""What the embedded interpreter looks at: pieces of words, and in Mandarin of their sound.

A recogniser's errors sound like the truth (homophones), so Mandarin is read twice, as
characters and as pinyin without tones.  Measured against word segmentation, which loses
7 points: ``docs/nlu.md``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from agi_bot.nlu.normal import is_han, tidy

Features = dict[str, list[str]]
"""Pieces of one utterance by block (``chars`` and ``sounds``, or ``words`` and ``letters``)."""

_CONTRACTIONS = (
    ("won't", "will not"), ("can't", "can not"), ("cannot", "can not"), ("n't", " not"), ("'re", " are"),
    ("'ll", " will"), ("'ve", " have"), ("'m", " am"), ("let's", "let us"),
    ("it's", "it is"), ("that's", "that is"), ("what's", "what is"), ("who's", "who is"), ("there's", "there is"),
    ("he's", "he is"), ("she's", "she is"), ("where's", "where is"), ("i'd", "i would"), ("gonna", "going to"),
)  # fmt: skip


def extractor(language: str) -> Callable[[str], Features]:
    """The function that cuts an utterance of ``language`` into pieces."""
    return mandarin if language.lower().startswith("zh") else spelled


def mandarin(text: str) -> Features:
    """Character and pinyin 1- to 3-grams of ``text``."""
    plain = tidy(text).text
    return {"chars": list(_grams(list(plain), 3)), "sounds": list(_grams(_sounds(plain), 3))}


def spelled(text: str) -> Features:
    """Word 1- to 2-grams of ``text`` and 2- to 5-grams of the letters inside its words."""
    plain = tidy(text).text
    for short, full in _CONTRACTIONS:
        plain = plain.replace(short, full)
    words = plain.split()
    letters = [gram for word in words for gram in _inside(f" {word} ")]
    return {"words": list(_grams(words, 2)), "letters": letters}


def _grams(parts: list[str], longest: int) -> Iterator[str]:
    """1- to ``longest``-grams; those at the ends also with a mark of the end."""
    padded = ["^", *parts, "$"]
    for size in range(1, longest + 1):
        source = parts if size == 1 else padded
        for start in range(len(source) - size + 1):
            yield "\x1f".join(source[start : start + size])


def _inside(word: str) -> Iterator[str]:
    for size in range(2, 6):
        for start in range(max(1, len(word) - size + 1)):
            yield word[start : start + size]


def _sounds(plain: str) -> list[str]:
    return [_pinyin(part) if is_han(part) else part for part in re.findall(r"[a-z0-9']+|.", plain)]


@lru_cache(maxsize=20_000)
def _pinyin(char: str) -> str:
    from pypinyin import Style, pinyin

    return str(pinyin(char, style=Style.NORMAL)[0][0])
