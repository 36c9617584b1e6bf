"""The words a model knows, and grammars made of them.  Pure.

A Vosk grammar is a list of phrases from which libvosk builds a bigram language model; a
phrase with a word outside of the model's vocabulary loses that word silently.  So phrases
are cut into known words here, and what cannot be cut is left out and told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

UNKNOWN = "[unk]"
_NOT_SPOKEN = ("<", "[", "#", "!")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """``words`` that can be recognised; ``unknown`` tells whether the model has ``[unk]``."""

    words: frozenset[str]
    unknown: bool = False

    @property
    def longest(self) -> int:
        """Characters of the longest word."""
        return _longest(self.words)

    @classmethod
    def parse(cls, lines: Iterable[str]) -> Vocabulary:
        """From ``words.txt`` (``word id`` a line) or a plain list of words."""
        names = {line.split()[0] for line in lines if line.strip()}
        return cls(frozenset(name for name in names if not name.startswith(_NOT_SPOKEN)), UNKNOWN in names)

    def only(self, names: Iterable[str]) -> Vocabulary:
        """The part of it that is also in ``names``."""
        return Vocabulary(self.words & frozenset(names), self.unknown)

    def cut(self, phrase: str) -> tuple[str, ...]:
        """``phrase`` as known words, the fewest possible; empty when it cannot be cut.

        >>> Vocabulary(frozenset({"可以", "改", "时间", "ct"})).cut("可以改时间")
        ('可以', '改', '时间')
        """
        words: list[str] = []
        for piece in phrase.lower().split():
            cut = (piece,) if piece in self.words else self._cut_piece(piece)
            if not cut:
                return ()
            words.extend(cut)
        return tuple(words)

    def _cut_piece(self, piece: str) -> tuple[str, ...]:
        best: list[tuple[str, ...] | None] = [()] + [None] * len(piece)
        longest = self.longest
        for end in range(1, len(piece) + 1):
            for start in range(max(0, end - longest), end):
                before, word = best[start], piece[start:end]
                if before is None or word not in self.words or (start and not _may_join(piece, start)):
                    continue
                current = best[end]
                if current is None or len(before) + 1 < len(current):
                    best[end] = (*before, word)
        return best[-1] or ()


@lru_cache(maxsize=16)
def _longest(words: frozenset[str]) -> int:
    return max(map(len, words), default=0)


def _may_join(piece: str, at: int) -> bool:
    """Latin letters are not cut inside of a run: ``today`` is never ``to`` + ``day``."""
    return not (_latin(piece[at - 1]) and _latin(piece[at]))


def _latin(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char == "'")


def is_cjk(char: str) -> bool:
    """True for Chinese, Japanese and Korean characters, which are written without spaces."""
    return "\u2e80" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff" or "\U00020000" <= char <= "\U0003ffff"


def join(words: Sequence[str]) -> str:
    """Words as text: no spaces beside Chinese characters.

    >>> join(["做", "ct", "检查"]), join(["not", "today"])
    ('做ct检查', 'not today')
    """
    text = ""
    for word in words:
        gap = "" if not text or is_cjk(text[-1]) or is_cjk(word[0]) else " "
        text += gap + word
    return text


def grammar(vocabulary: Vocabulary, phrases: Iterable[str], *, whole: bool) -> str:
    """A Vosk grammar (JSON list), or ``""`` when nothing would be in it.

    ``whole``: every word of the vocabulary can be heard and ``phrases`` only make their
    sequences likelier; else nothing but ``phrases`` can be heard.
    """
    cuts = (vocabulary.cut(phrase) for phrase in phrases)
    lines = dict.fromkeys(" ".join(cut) for cut in cuts if cut)
    if whole:
        lines.update(dict.fromkeys(sorted(vocabulary.words)))
    if not lines:
        return ""
    ending = [UNKNOWN] if vocabulary.unknown else []
    return json.dumps([*lines, *ending], ensure_ascii=False)
