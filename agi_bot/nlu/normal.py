"""Words as recognisers and chat windows write them, brought to one form.

Lower case, half width, no punctuation (kept inside numbers such as ``15:30`` or
``6.5``), and no blanks beside Chinese characters: recognisers write ``我 那天 没空``.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_UNKNOWN = re.compile(r"\[unk\]|<unk>|\[noise\]|<noise>|\[spn\]", re.IGNORECASE)
_INSIDE_NUMBERS = frozenset(".:/-,")
_AROUND_NUMBERS = frozenset("%$£€¥￥")


@dataclass(frozen=True, slots=True)
class Tidy:
    """``text`` in one form; ``offsets[i]`` is where its character ``i`` stood in the original."""

    text: str
    offsets: tuple[int, ...]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Original offsets of the span ``start``..``end`` (not empty) of :attr:`text`."""
        return self.offsets[start], self.offsets[end - 1] + 1


def is_han(char: str) -> bool:
    """Whether ``char`` is a Chinese character."""
    return "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf" or char == "〇"


def tidy(text: str) -> Tidy:
    """``text`` in the one form that features, grammars and exact matches work on."""
    chars = _folded(_UNKNOWN.sub(lambda match: " " * len(match[0]), text))
    kept: list[tuple[str, int]] = []
    for index, (char, offset) in enumerate(chars):
        char = char if _is_kept(chars, index) else " "
        if char != " ":
            kept.append((char, offset))
        elif kept and kept[-1][0] != " " and not is_han(kept[-1][0]) and not _han_follows(chars, index):
            kept.append((" ", offset))
    while kept and kept[-1][0] == " ":
        kept.pop()
    return Tidy("".join(char for char, _ in kept), tuple(offset for _, offset in kept))


def _folded(text: str) -> list[tuple[str, int]]:
    folded: list[tuple[str, int]] = []
    for offset, char in enumerate(text):
        char = "'" if char in "’‘`" else unicodedata.normalize("NFKC", char).lower()
        folded.extend((part, offset) for part in char)
    return folded


def _is_kept(chars: list[tuple[str, int]], index: int) -> bool:
    char = chars[index][0]
    if char.isalnum() or char in _AROUND_NUMBERS:
        return True
    before = chars[index - 1][0] if index else ""
    after = chars[index + 1][0] if index + 1 < len(chars) else ""
    if char == "'":
        return before.isalpha() and after.isalpha()
    if char in "-+" and after.isdigit():
        return True
    return char in _INSIDE_NUMBERS and before.isdigit() and after.isdigit()


def _han_follows(chars: list[tuple[str, int]], index: int) -> bool:
    following = (chars[i][0] for i in range(index, len(chars)) if _is_kept(chars, i))
    return is_han(next(following, " "))
