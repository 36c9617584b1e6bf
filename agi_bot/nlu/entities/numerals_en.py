"""Spoken English numerals: a hundred and twenty, two and a half thousand, nineteen eighty five, twenty-first."""

from __future__ import annotations

import re
from decimal import Decimal

ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]  # fmt: skip
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SMALL = {word: value for value, word in enumerate(ONES)} | {word: 10 * n for n, word in enumerate(TENS, 2)}
SMALL |= {"nought": 0, "naught": 0}
SCALES = {
    "hundred": 100,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "grand": 1000,
    "k": 1000,
}
_ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
             "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth",
             "eighteenth", "nineteenth", "twentieth"]  # fmt: skip

_DIGIT = "|".join(ONES[1:10])
TO_59 = rf"(?:(?:twenty|thirty|forty|fifty)(?: (?:{_DIGIT}))?|{'|'.join(sorted(ONES[1:], key=len, reverse=True))})"
"""Matches the words of 1 to 59, and not a part of a longer word when followed by a word's end."""

_ORDINAL = "|".join(sorted(_ORDINALS, key=len, reverse=True))
ORDINAL = rf"(?:(?:twenty|thirty) (?:{'|'.join(_ORDINALS[:9])})|thirtieth|{_ORDINAL}|\d{{1,2}}(?:st|nd|rd|th))"
"""Matches the ordinals of the days of a month."""


def below_hundred(words: str) -> int:
    """``twenty five`` or ``25``.  Raises :class:`ValueError`."""
    if words.isdigit():
        return int(words)
    try:
        return sum(SMALL[word] for word in words.split())
    except KeyError:
        raise ValueError(words) from None


def ordinal(words: str) -> int:
    """``twenty sixth`` or ``26th``.  Raises :class:`ValueError`."""
    if words[0].isdigit():
        return int(re.sub(r"\D", "", words))
    *tens, last = words.split()
    base = sum(SMALL[word] for word in tens)
    return base + (30 if last == "thirtieth" else _ORDINALS.index(last) + 1)


def year(words: str) -> int:
    """``nineteen eighty five``, ``two thousand and one``, ``twenty twenty seven``, ``2027``."""
    if words.isdigit():
        return int(words)
    if words.startswith("two thousand"):
        rest = words.removeprefix("two thousand").replace(" and ", " ").strip()
        return 2000 + (below_hundred(rest) if rest else 0)
    century, rest = words.split(" ", 1)
    return SMALL[century] * 100 + below_hundred(rest.replace("oh ", ""))


YEAR = rf"(?:(?:nineteen|twenty) (?:oh (?:{_DIGIT})|(?:{'|'.join(TENS)})(?: (?:{_DIGIT}))?|{'|'.join(ONES[10:])})|" \
       rf"two thousand(?:(?: and)? {TO_59})?|\d{{4}})"  # fmt: skip


def decimal_of(value: str) -> Decimal:
    """ASCII digits with commas as thousands marks."""
    return Decimal(value.replace(",", ""))
