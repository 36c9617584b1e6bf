"""Words that recognisers write for digits when digits were said: 要 for 幺, 儿 for 二, to for two.  Pure.

Only where a step waits for a run of digits, only beside other digits, and only when the number of digits
then comes out as the step wants it: no digit is made of anything that was not said as one.
"""

from __future__ import annotations

import re

from agi_bot.speech.bias.change import Change
from agi_bot.speech.bias.correct import SMALL_NUMBERS

_ALIKE = {
    "zh": {
        **dict.fromkeys("要腰夭妖邀药", "幺"), **dict.fromkeys("儿而耳尔", "二"), **dict.fromkeys("临灵林凌领", "零"),
        **dict.fromkeys("山散伞", "三"), **dict.fromkeys("是似时死事寺", "四"), **dict.fromkeys("无武午舞吴", "五"),
        **dict.fromkeys("流留刘溜柳", "六"), **dict.fromkeys("期其气起齐", "七"), **dict.fromkeys("吧巴把爸", "八"),
        **dict.fromkeys("就酒久旧", "九"), **dict.fromkeys("意以已亿依衣", "一"), "动": "洞", "东": "洞",
    },
    "en": {
        "o": "oh", "won": "one", "to": "two", "too": "two", "tree": "three", "free": "three", "for": "four",
        "fore": "four", "fife": "five", "sick": "six", "sicks": "six", "ate": "eight", "nein": "nine", "niner": "nine",
    },
}  # fmt: skip
_SAID = {
    "zh": frozenset("零〇洞幺一二两三四五六七拐八九勾0123456789"),
    "en": frozenset((*SMALL_NUMBERS[:11], "o", "double", "triple", "treble")),
}
SPOKEN_DIGITS = frozenset().union(*(own.values() for own in _ALIKE.values()))
"""What a change may make of a word that sounds like a digit."""
_PART = re.compile(r"[a-z']+|[^\sa-z]")
_FEWEST = 3
"""Digits beside it that make a word a digit: 就三点 is not 九三."""


def digit_changes(text: str, language: str, length: int) -> tuple[Change, ...]:
    """Where ``text`` has words for digits; ``length``: how many digits are wanted (0: not known).

    Without a length only words between digits are taken for digits.

    >>> [(change.heard, change.meant) for change in digit_changes("要三八零零儿三八零零零", "zh", 11)]
    [('要', '幺'), ('儿', '二')]
    """
    tongue = "en" if language.lower().startswith("en") else "zh"
    found = list(_PART.finditer(text.lower()))
    parts = [match[0] for match in found]
    alike, said = _ALIKE[tongue], _SAID[tongue]
    if sum(part in said for part in parts) < _FEWEST:
        return ()
    begin, end = _run(parts, said)
    inner = [at for at in range(begin, end) if parts[at] in alike and parts[at] not in said]
    if any(parts[at] not in said and at not in inner for at in range(begin, end)):
        return ()
    taken = _fitting(parts, alike, (begin, end), inner, length)
    return tuple(Change(found[at].start(), found[at].end(), parts[at], alike[parts[at]]) for at in taken)


def _run(parts: list[str], said: frozenset[str]) -> tuple[int, int]:
    """From the first digit to behind the last."""
    places = [at for at, part in enumerate(parts) if part in said]
    return places[0], places[-1] + 1


def _fitting(parts: list[str], alike: dict[str, str], run: tuple[int, int], inner: list[int], length: int) -> list[int]:
    """Places of the words that are digits: those inside of the run, and at its edges while digits are missing."""
    begin, end = run
    if not length:
        return inner
    if end - begin > length:
        return []
    if end - begin == length:
        return inner
    # 我要三八零 is no number of four digits: at an edge all that was said must be digits.
    edges = [*range(begin), *range(end, len(parts))]
    return (
        sorted([*inner, *edges])
        if len(edges) == length - (end - begin) and all(parts[at] in alike for at in edges)
        else []
    )
