"""Spoken Mandarin numerals: 三百五, 两万三千, 一三八零, 六点五, 12万8, 5万4千."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

DIGITS = {"零": 0, "〇": 0, "幺": 1, "一": 1, "二": 2, "两": 2, "俩": 2, "三": 3, "四": 4, "五": 5, "六": 6,
          "七": 7, "八": 8, "九": 9, "壹": 1, "贰": 2, "叁": 3, "肆": 4, "伍": 5, "陆": 6, "柒": 7, "捌": 8, "玖": 9,
          "仨": 3}  # fmt: skip
UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
LARGE = {"万": 10**4, "亿": 10**8, "兆": 10**12}
_TOKEN = re.compile(r"\d[\d,]*(?:\.\d+)?|.")
Tokens = Sequence[Decimal | str]


def whole(text: str) -> int:
    """The whole number ``text``.  Raises :class:`ValueError` for what is none."""
    value = number(text)
    if value != value.to_integral_value():
        raise ValueError(text)
    return int(value)


def number(text: str) -> Decimal:
    """``text`` with or without decimals (点 or ``.``).  Raises :class:`ValueError`."""
    text = text.replace("廿", "二十").replace("个亿", "亿")
    if "点" in text:
        return _pointed(*text.split("点", 1))
    if all(char in DIGITS or char.isdigit() for char in text):
        return Decimal(digits(text))
    return _large(_tokens(text))


def digits(text: str) -> str:
    """Digit by digit: 一三八零 is ``1380``.  Raises :class:`ValueError`."""
    if not text or not all(char in DIGITS or char.isdigit() for char in text):
        raise ValueError(text)
    return "".join(str(DIGITS[char]) if char in DIGITS else char for char in text)


def _pointed(before: str, after: str) -> Decimal:
    scale = 1
    while after and (after[-1] in LARGE or after[-1] in UNITS):
        scale *= LARGE.get(after[-1]) or UNITS[after[-1]]
        after = after[:-1]
    return Decimal(f"{whole(before)}.{digits(after)}") * scale


def _tokens(text: str) -> list[Decimal | str]:
    return [_token(part) for part in _TOKEN.findall(text)]


def _token(part: str) -> Decimal | str:
    if part[0].isdigit():
        return Decimal(part.replace(",", ""))
    if part in DIGITS:
        return Decimal(DIGITS[part])
    if part not in UNITS and part not in LARGE:
        raise ValueError(part)
    return part


def _large(tokens: Tokens) -> Decimal:
    """Splits at the largest sign: what stands before it is multiplied, what stands after it is added."""
    for sign in ("兆", "亿", "万"):
        if sign in tokens:
            place = len(tokens) - 1 - list(tokens)[::-1].index(sign)
            before = _large(tokens[:place]) if place else Decimal(1)
            return before * LARGE[sign] + _rest(tokens[place + 1 :], LARGE[sign])
    return _small(tokens)


def _rest(tokens: Tokens, unit: int) -> Decimal:
    """What follows a unit: 五 in 一万五 is five of the next smaller unit; 零五 is five."""
    if len(tokens) == 1 and isinstance(tokens[0], Decimal) and 0 < tokens[0] < 10:
        return tokens[0] * unit / 10
    return _large(tokens) if tokens else Decimal(0)


def _small(tokens: Tokens) -> Decimal:
    total, pending, last = Decimal(0), None, 0
    for token in tokens:
        if isinstance(token, str):
            total += (pending or 1) * UNITS[token]
            pending, last = None, UNITS[token]
        elif pending:
            raise ValueError(token)
        else:
            last = 0 if token == 0 else last
            pending = token
    if pending is None:
        return total
    colloquial = last > 10 and pending < 10
    return total + pending * (last // 10 if colloquial else 1)
