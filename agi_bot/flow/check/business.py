"""The words of the business (``words:``): those that cannot help the recogniser."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agi_bot.flow.model import Flow
from agi_bot.flow.problem import Problem

LONGEST = 12
"""Characters of a Chinese word."""
MOST_WORDS = 5
"""Words of an English name."""
_HAN = re.compile(r"[\u3400-\u9fff]")
_LETTERS = re.compile(r"[A-Za-z]+")
_STRANGE = re.compile(r"[^\w '\-]")
_NUMBER = re.compile(r"[\d零〇一二两三四五六七八九十百千万亿]+")
_SENTENCE_CURE = "write the words alone; what is said at a step as a whole stands under its `hints:`"


def business_problems(flow: Flow) -> Iterator[Problem]:
    """Each of the flow's own ``words`` that cannot be put for what sounds like it."""
    seen: dict[str, str] = {}
    for number, word in enumerate(flow.script.words):
        wrong = _wrong(word.strip()) or _twice(word, seen)
        if wrong:
            path = ("words", number) if flow.tree.find(("words",)).items else ("words",)
            yield flow.problem(path, "useless-word", *wrong, text=word)
        seen.setdefault(word.strip().casefold(), word)


def _wrong(word: str) -> tuple[str, str] | None:
    """What is wrong with ``word``, and the cure."""
    if not word:
        return "an empty word", "remove it"
    if found := _STRANGE.search(word):
        return f"`{word}` has a `{found[0]}`, which nobody says", "write the word as it is spoken, without signs"
    if _NUMBER.fullmatch(word):
        return f"`{word}` is a number: numbers are never put for what sounds like them", "remove it"
    if _sounds(word) < 2:
        return f"`{word}` is too short: too much sounds like it", "write a longer word that has it in it"
    if len(_HAN.findall(word)) > LONGEST or len(word.split()) > MOST_WORDS:
        return f"`{word}` is a sentence, not a word", _SENTENCE_CURE
    return None


def _twice(word: str, seen: dict[str, str]) -> tuple[str, str] | None:
    first = seen.get(word.strip().casefold())
    return (f"`{word}` stands twice", "remove one") if first is not None else None


def _sounds(word: str) -> int:
    """Chinese characters, and letters (of CT each is a syllable, of an English word a sound)."""
    letters = sum(len(run) for run in _LETTERS.findall(word))
    return len(_HAN.findall(word)) + min(letters, 4)
