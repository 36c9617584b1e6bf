"""Reading English number words one after the other: a hundred and twenty, one thirty five, two and a half thousand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from agi_bot.nlu.entities.numerals_en import SCALES, SMALL, decimal_of

_WORD = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+|[a-z]+(?:'[a-z]+)?|[%$£€¥+-]")
_FRACTIONS = {("a", "half"): "0.5", ("a", "quarter"): "0.25", ("three", "quarters"): "0.75"}
_SCALES = {**SCALES, "dozen": 12, "dozens": 12}
_OH = frozenset({"oh", "o", "zero"})
_AMOUNTS = frozenset({"hundred", "thousand", "million", "billion", "grand", "k"})


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text and its place."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number read from words ``first`` up to (without) ``last``."""

    value: Decimal
    first: int
    last: int


def split(text: str) -> list[Word]:
    """Words, ASCII numbers and signs of ``text``."""
    return [Word(match[0], match.start(), match.end()) for match in _WORD.finditer(text)]


def read(words: Sequence[Word], first: int) -> Numeral | None:
    """The longest number that begins at word ``first``, ``None`` where none begins."""
    reader = _Reader([word.text for word in words], first)
    return reader.read()


class _Reader:
    def __init__(self, words: Sequence[str], first: int) -> None:
        self._words = words
        self._first = first
        self._at = first
        self._total = Decimal(0)
        self._group: Decimal | None = None
        self._last_tens = False

    def read(self) -> Numeral | None:
        if (fraction := self._fraction_first()) is not None:
            return fraction
        if self._peek() in ("a", "an") and self._peek(1) in _AMOUNTS:
            self._at, self._group = self._at + 1, Decimal(1)
        while self._step():
            pass
        if self._group is None and self._peek() != "point":
            return None
        value = self._total + (self._group or 0) + self._decimals()
        if self._at == self._first:
            return None
        return Numeral(self._scaled(value + self._and_fraction()), self._first, self._at)

    def _peek(self, ahead: int = 0) -> str:
        place = self._at + ahead
        return self._words[place] if place < len(self._words) else ""

    def _step(self) -> bool:
        word = self._peek()
        if word in SMALL:
            return self._small(SMALL[word])
        if word[:1].isdigit() or word[:1] == ".":
            return self._ascii(word)
        if word in SCALES and self._group is not None:
            return self._scale(SCALES[word])
        if word in _OH and self._group is not None and 0 < self._group < 100 and self._digit_follows():
            self._group = self._group * 100 + SMALL[self._peek(1)]
            self._at += 2
            return True
        if word == "and" and self._big() and (self._peek(1) in SMALL or self._peek(1).isdigit()):
            self._at += 1
            return True
        return False

    def _digit_follows(self) -> bool:
        return 0 < SMALL.get(self._peek(1), 0) < 10 and self._group is not None and self._group < 10

    def _big(self) -> bool:
        if self._group is None:
            return False
        return (self._group > 0 and self._group % 100 == 0) or (self._group == 0 and self._total > 0)

    def _small(self, value: int) -> bool:
        group = self._group
        if group is None or self._big():
            self._group = (group or 0) + Decimal(value)
        elif self._last_tens and 0 < value < 10 and group % 10 == 0:
            self._group = group + value
        elif 0 < group < 10 and value >= 10 and not self._total:
            self._group = group * 100 + value
        else:
            return False
        self._last_tens = value >= 20
        self._at += 1
        return True

    def _ascii(self, word: str) -> bool:
        if self._group is not None and not self._big():
            return False
        self._group = (self._group or 0) + decimal_of(word)
        self._at += 1
        return True

    def _scale(self, scale: int) -> bool:
        assert self._group is not None
        if scale == 100:
            if not 0 < self._group < 100:
                return False
            self._group *= 100
        else:
            self._total, self._group = self._total + (self._group or 1) * scale, Decimal(0)
        self._last_tens = False
        self._at += 1
        return True

    def _decimals(self) -> Decimal:
        digits, place = "", self._at + 1
        while self._peek() == "point" and place < len(self._words):
            word = self._words[place]
            value = 0 if word in _OH else SMALL.get(word, -1)
            if not (0 <= value < 10 or (value >= 10 and not digits)):
                break
            digits += str(value)
            place += 1
        if not digits:
            return Decimal(0)
        self._at = place
        return Decimal(f"0.{digits}")

    def _and_fraction(self) -> Decimal:
        """Two *and a half*; after a million it is half a million."""
        if self._peek() != "and" or not (fraction := _FRACTIONS.get((self._peek(1), self._peek(2)))):
            return Decimal(0)
        scale = SCALES.get(self._words[self._at - 1], 1)
        self._at += 3
        return Decimal(fraction) * (scale if scale >= 1000 else 1)

    def _scaled(self, value: Decimal) -> Decimal:
        """Two and a half *thousand*, one point two *million*."""
        while value % 100 != 0 and (scale := _SCALES.get(self._peek())):
            value *= scale
            self._at += 1
        return value

    def _fraction_first(self) -> Numeral | None:
        """Half a million, a quarter of a million, a couple of hundred, a dozen."""
        text = " ".join(self._words[self._first : self._first + 5])
        match = re.match(
            r"(?P<part>half|a quarter|three quarters|a couple|a dozen)(?: of)?(?: an?)? ?"
            r"(?P<scale>hundred|thousand|million|billion|dozen)?\b",
            text,
        )
        if not match or (not match["scale"] and match["part"] not in ("a couple", "a dozen")):
            return None
        part = {"half": "0.5", "a quarter": "0.25", "three quarters": "0.75", "a couple": "2"}.get(match["part"], "12")
        value = Decimal(part) * (_SCALES[match["scale"]] if match["scale"] else 1)
        return Numeral(value, self._first, self._first + len(match[0].split()))
