"""The list of words that must not be said, by language and industry (``flow/data/forbidden.yml``)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from agi_bot.flow.tree import Node, parse


@dataclass(frozen=True, slots=True)
class BadWord:
    """A word, the longer harmless words it may be part of, and what to do instead."""

    word: str
    harmless: tuple[str, ...]
    cure: str
    forbidden: bool


@dataclass(frozen=True, slots=True)
class WordList:
    """Words of one language: ``notice`` are signs of a recording notice."""

    notice: tuple[str, ...]
    words: tuple[tuple[str, BadWord], ...]

    def found(self, text: str, industry: str) -> Iterator[BadWord]:
        """Bad words of ``text``, forbidden ones first."""
        lowered = text.casefold()
        for group, bad in self.words:
            if group in ("general", industry) and _occurs(bad, lowered):
                yield bad


@lru_cache(maxsize=4)
def word_list(language: str) -> WordList:
    """The list for ``language``."""
    name = "forbidden.yml"
    text = files("agi_bot.flow").joinpath("data", name).read_text(encoding="utf-8")
    node = parse(text, name).child(language)
    assert node is not None, f"{name} has no {language}"
    cure = _text(node.child("cure"))
    words = [
        *_group(node.child("forbidden"), cure, forbidden=True),
        *_group(node.child("sensitive"), cure, forbidden=False),
    ]
    return WordList(_texts(node.child("notice")), tuple(words))


def _group(node: Node | None, cure: str, *, forbidden: bool) -> Iterator[tuple[str, BadWord]]:
    for industry, (_, entries) in (node.pairs or {}).items() if node else ():
        for entry in entries.items or []:
            yield industry, _word(entry, cure, forbidden)


def _word(entry: Node, cure: str, forbidden: bool) -> BadWord:
    if entry.pairs is None:
        return BadWord(entry.source.casefold(), (), cure, forbidden)
    harmless = tuple(text.casefold() for text in _texts(entry.child("except")))
    own = entry.child("cure")
    return BadWord(_text(entry.child("word")).casefold(), harmless, _text(own) if own else cure, forbidden)


def _text(node: Node | None) -> str:
    return node.source if node else ""


def _texts(node: Node | None) -> tuple[str, ...]:
    return tuple(item.source for item in (node.items or [])) if node else ()


def _occurs(bad: BadWord, text: str) -> bool:
    if bad.word not in text:
        return False
    for harmless in bad.harmless:
        text = text.replace(harmless, " ")
    if not bad.word.isascii() or not bad.word[-1].isalpha():
        return bad.word in text
    return re.search(rf"(?<![a-z]){re.escape(bad.word)}(?![a-z])", text) is not None
