"""Numbers of seven and more digits, masked in text, values and across utterances.  Pure.

What counts as digits that belong together is told in :mod:`agi_bot.privacy.digits`.  A
checksum (identity card GB 11643-1999, Luhn ISO/IEC 7812-1) only labels the kind: a wrong
digit makes a number no less private.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal

from agi_bot.contracts import Value
from agi_bot.privacy.digits import Run, runs, with_last_x

LEAST = 7
"""A run of so many digits is masked."""

MASK = "*"

_CARDS = range(15, 20)

_ASKS_FOR_MORE = re.compile(
    r"位|继续|后面|后半|接着|接下来|剩|下面|前面|还有|请说[。.]?$|请讲|然后呢"
    r"|digits?|\brest\b|\bnext\b|go on|continue|and then",
    re.IGNORECASE,
)
_LISTENS = re.compile(
    r"[\s,.，。！!？?]*(?:(?:嗯|好的|好|是的|对|哦|明白|ok|okay|yes|right|mhm)[\s,.，。！!？?]*)*", re.I
)


def kind_of(digits: str) -> str:
    """``id``, ``phone``, ``card`` or ``number``."""
    if _is_id(digits):
        return "id"
    if re.fullmatch(r"(?:0?0?86)?1[3-9]\d{9}|0\d{9,11}|[48]00\d{7}", digits):
        return "phone"
    return "card" if 13 <= len(digits) <= 19 and digits.isdigit() and _luhn(digits) else "number"


def _is_id(digits: str) -> bool:
    if not re.fullmatch(r"\d{17}[\dX]", digits):
        return False
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(digits[:17]))
    return "10X98765432"[total % 11] == digits[17]


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


@dataclass(frozen=True, slots=True)
class Hidden:
    """Characters ``start:end`` of an utterance are (part of) a number of ``kind``."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Masked:
    """``text`` with every digit of ``hidden`` as ``*``; ``hidden`` counts characters of the original."""

    text: str
    hidden: tuple[Hidden, ...] = ()


def mask_text(text: str) -> str:
    """``text`` without its numbers of seven and more digits; separators stay."""
    return masked(text).text


def masked(text: str) -> Masked:
    """One utterance on its own."""
    return cover(text, [(run, kind_of(run.digits)) for run in runs(text) if len(run.digits) >= LEAST])


def cover(text: str, hidden: Sequence[tuple[Run, str]]) -> Masked:
    """``text`` with the digits of the given runs (in order, each with its kind) as ``*``."""
    parts, at = [], 0
    for run, _ in hidden:
        for token in run.tokens:
            parts += [text[at : token.start], MASK * len(token.digits)]
            at = token.end
    spans = tuple(Hidden(run.start, run.end, kind) for run, kind in hidden)
    return Masked("".join([*parts, text[at:]]), spans)


def mask_value(value: Value) -> Value:
    """A slot's or task's value: text and whole numbers are masked, dates and amounts are not."""
    if isinstance(value, bool | float | Decimal | datetime | date | time):
        return value
    return mask_text(value) if isinstance(value, str) else _mask_whole(value)


def _mask_whole(value: int) -> Value:
    return MASK * len(str(abs(value))) if len(str(abs(value))) >= LEAST else value


@dataclass(slots=True)
class _Piece:
    """A run at a place of the talk.  ``bridge``: what the bot said between it and the piece before."""

    utterance: int
    run: Run
    bridge: str = ""


@dataclass(slots=True)
class Masker:
    """One speaker's utterances in order; numbers that are spread across them are found as well.

    :meth:`hear` answers at once what is certain so far; :meth:`finish` masks the earlier
    pieces of numbers too, whose end was not known when they were heard.
    """

    _texts: list[str] = field(default_factory=list)
    _chains: list[list[_Piece]] = field(default_factory=list)
    _open: bool = False
    _bridge: str = ""

    def hear(self, text: str, between: str = "") -> str:
        """The next utterance, masked; ``between`` is what the other side said since the last one."""
        self._bridge = f"{self._bridge}{between}"
        number = len(self._texts)
        self._texts.append(text)
        for place, run in enumerate(found := runs(text)):
            piece = _Piece(number, run, self._bridge if place == 0 else "")
            if place == 0 and self._open and run.opens:
                piece.run = with_last_x(text, run, len(_digits(self._chains[-1])))
                self._chains[-1].append(piece)
            else:
                self._chains.append([piece])
        if found or (text.strip() and not _LISTENS.fullmatch(text)):
            self._open = bool(found) and found[-1].closes
            self._bridge = ""
        return self._masked(number).text

    def finish(self) -> list[Masked]:
        """Every utterance, masked with what is known now."""
        return [self._masked(number) for number in range(len(self._texts))]

    def _masked(self, number: int) -> Masked:
        hidden = [
            (piece.run, kind)
            for chain in self._chains
            if any(piece.utterance == number for piece in chain)
            for part, kind in _numbers(chain)
            for piece in part
            if piece.utterance == number
        ]
        return cover(self._texts[number], hidden)


def _numbers(chain: Sequence[_Piece]) -> list[tuple[Sequence[_Piece], str]]:
    """What of ``chain`` is to be masked, and as which kind."""
    whole = _digits(chain)
    if len(chain) == 1 or _whole(whole) or (len(whole) in _CARDS and _luhn(whole)):
        return [(chain, kind_of(whole))] if len(whole) >= LEAST else []
    parts: list[list[_Piece]] = [[chain[0]]]
    for piece in chain[1:]:
        if _goes_on(parts[-1][-1].run.digits, piece):
            parts[-1].append(piece)
        else:
            parts.append([piece])
    return [(part, kind_of(_digits(part))) for part in parts if len(_digits(part)) >= LEAST and not _two_answers(part)]


def _digits(pieces: Sequence[_Piece]) -> str:
    return "".join(piece.run.digits for piece in pieces)


def _two_answers(pieces: Sequence[_Piece]) -> bool:
    """An order number of six digits, and then "2"."""
    sizes = [len(piece.run.digits) for piece in pieces]
    return len(sizes) == 2 and 4 <= sizes[0] < LEAST and sizes[1] <= 2


def _goes_on(before: str, then: _Piece) -> bool:
    """The bot only listened, asked for more, or repeated what it had heard; neither number is whole already."""
    if _whole(before) or _whole(then.run.digits):
        return False
    if _LISTENS.fullmatch(then.bridge) or _ASKS_FOR_MORE.search(then.bridge):
        return True
    return any(run.digits == before for run in runs(then.bridge))


def _whole(digits: str) -> bool:
    """A mobile or an identity card, which nobody says in front of or behind another piece."""
    return _is_id(digits) or re.fullmatch(r"1[3-9]\d{9}", digits) is not None
