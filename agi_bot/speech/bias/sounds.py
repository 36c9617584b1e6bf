"""How words sound on the telephone: Mandarin syllables without tones, English words as rough letters.  Pure.

A telephone's band (300-3400 Hz) takes away what tells s from f and n from ng, and many speakers of
Mandarin do not tell zh from z, n from l, or in from ing; such pairs count as near.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

NEAR = 0.3
"""Cost of one confusion between sounds that are taken for one another; others cost 1."""

_LETTERS = {
    "a": "ei", "b": "bi", "c": "xi", "d": "di", "e": "yi", "f": "ai fu", "g": "ji", "h": "ai qi", "i": "ai",
    "j": "jie", "k": "kai", "l": "ai lu", "m": "ai mu", "n": "en", "o": "ou", "p": "pi", "q": "kou", "r": "a",
    "s": "ai si", "t": "ti", "u": "you", "v": "wei", "w": "da bu liu", "x": "ai ke si", "y": "wai", "z": "zei",
}  # fmt: skip
"""Latin letters as Mandarin speakers name them: CT is ``xi ti``."""

_INITIALS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
_NEAR_INITIALS = frozenset(
    frozenset(pair)
    for pair in (
        *(("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("f", "h"), ("r", "l"), ("zh", "j"), ("ch", "q")),
        *(("sh", "x"), ("z", "j"), ("c", "q"), ("s", "x"), ("b", "p"), ("d", "t"), ("g", "k"), ("zh", "ch")),
        *(("z", "c"), ("j", "q"), ("m", "n"), ("r", "y"), ("h", "")),
    )
)
_NEAR_FINALS = frozenset(
    frozenset(pair)
    for pair in (
        *(("an", "ang"), ("en", "eng"), ("in", "ing"), ("ian", "iang"), ("uan", "uang"), ("ong", "eng")),
        *(("ian", "in"), ("e", "uo"), ("uo", "o"), ("ui", "ei"), ("un", "en"), ("ao", "ou"), ("an", "en")),
        *(("ang", "eng"), ("ie", "ian"), ("i", "v"), ("u", "v"), ("ue", "ve"), ("i", "ei"), ("u", "ou")),
    )
)
_TOKEN = re.compile(r"[a-z']+|[\u3400-\u9fff]|\S", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sound:
    """One syllable (Mandarin) or word (else) and where it is written, as character offsets."""

    key: str
    start: int
    end: int


def mandarin(text: str) -> tuple[Sound, ...]:
    """The syllables of ``text``; Latin letters as they are named in Mandarin.

    >>> [sound.key for sound in mandarin("CT检查")]
    ['xi', 'ti', 'jian', 'cha']
    """
    return tuple(_mandarin(text))


def _mandarin(text: str) -> Iterator[Sound]:
    for match in _TOKEN.finditer(text):
        if match[0][0].isascii() and match[0][0].isalpha():
            for offset, letter in enumerate(match[0].lower(), match.start()):
                yield from (Sound(key, offset, offset + 1) for key in _LETTERS.get(letter, "").split())
        else:
            yield Sound(_pinyin(match[0]), match.start(), match.end())


@lru_cache(maxsize=20_000)
def _pinyin(char: str) -> str:
    from pypinyin import Style, pinyin  # starts slowly

    return str(pinyin(char, style=Style.NORMAL, errors="default")[0][0])


def distance(one: Sequence[str], other: Sequence[str], limit: float) -> float:
    """Edits between two runs of syllables; ``limit`` or more: at least ``limit``."""
    before = [float(column) for column in range(len(other) + 1)]
    for row, key in enumerate(one, 1):
        now = [float(row)]
        for column, wanted in enumerate(other, 1):
            swapped = before[column - 1] + syllable_cost(key, wanted)
            now.append(min(swapped, before[column] + 1, now[-1] + 1))
        if min(now) >= limit:
            return limit
        before = now
    return before[-1]


@lru_cache(maxsize=100_000)
def syllable_cost(one: str, other: str) -> float:
    """0 for the same syllable, :data:`NEAR` for each near part, 1 for another one."""
    if one == other:
        return 0.0
    (first, ending), (second, other_ending) = _parts(one), _parts(other)
    costs = (_part_cost(first, second, _NEAR_INITIALS), _part_cost(ending, other_ending, _NEAR_FINALS))
    return min(1.0, sum(costs))


def _part_cost(one: str, other: str, near: frozenset[frozenset[str]]) -> float:
    if one == other:
        return 0.0
    return NEAR if frozenset((one, other)) in near else 1.0


def _parts(syllable: str) -> tuple[str, str]:
    initial = next((initial for initial in _INITIALS if syllable.startswith(initial)), "")
    return initial, syllable[len(initial) :]
