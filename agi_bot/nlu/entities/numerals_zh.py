"""Spoken Mandarin numerals: 三百五, 两万三千, 一三八零, 六点五, 12."""

from __future__ import annotations

from decimal import Decimal

DIGITS = {"零": 0, "〇": 0, "幺": 1, "一": 1, "二": 2, "两": 2, "俩": 2, "三": 3, "四": 4, "五": 5, "六": 6,
          "七": 7, "八": 8, "九": 9, "壹": 1, "贰": 2, "叁": 3, "肆": 4, "伍": 5, "陆": 6, "柒": 7, "捌": 8, "玖": 9,
          "仨": 3}  # fmt: skip
UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
LARGE = {"万": 10**4, "亿": 10**8}
NUMERAL = "[零〇幺一二两俩三仨四五六七八九十百千万亿廿\\d]"
"""A character of a whole number, for use inside patterns."""


def whole(text: str) -> int:
    """The whole number ``text``.  Raises :class:`ValueError` for what is none."""
    if text.isascii():
        return int(text)
    text = text.replace("廿", "二十")
    if all(char in DIGITS or char.isdigit() for char in text):
        return int(digits(text))
    return _large(text)


def number(text: str) -> Decimal:
    """``text`` with or without decimals (点 or ``.``).  Raises :class:`ValueError`."""
    for point in "点.":
        if point in text:
            before, after = text.split(point, 1)
            return Decimal(f"{whole(before) if before else 0}.{digits(after)}")
    return Decimal(whole(text))


def digits(text: str) -> str:
    """Digit by digit: 一三八零 is ``1380``.  Raises :class:`ValueError`."""
    if not text or not all(char in DIGITS or char.isdigit() for char in text):
        raise ValueError(text)
    return "".join(str(DIGITS[char]) if char in DIGITS else char for char in text)


def _large(text: str) -> int:
    for sign, value in (("亿", LARGE["亿"]), ("万", LARGE["万"])):
        if sign in text:
            before, after = text.rsplit(sign, 1)
            return _large(before) * value + _rest(after, value)
    return _small(text)


def _rest(text: str, unit: int) -> int:
    """What follows a unit: 五 in 一万五 is five of the next smaller unit, 零五 is five."""
    if len(text) == 1 and text in DIGITS:
        return DIGITS[text] * unit // 10
    return _large(text) if text else 0


def _small(text: str) -> int:
    total, pending, last = 0, None, 0
    for position, char in enumerate(text):
        if char in UNITS:
            total += (1 if pending is None else pending) * UNITS[char]
            pending, last = None, UNITS[char]
        elif char in DIGITS:
            if pending is not None and pending != 0:
                raise ValueError(text)
            pending = DIGITS[char]
            last = 0 if pending == 0 else last
        elif char.isdigit():
            return _ascii_head(text, position)
        else:
            raise ValueError(text)
    if pending is None:
        return total
    return total + pending * (last // 10 if last > 10 else 1)


def _ascii_head(text: str, position: int) -> int:
    """3千, 12万: ASCII digits before a unit."""
    end = position
    while end < len(text) and text[end].isdigit() and text[end] not in DIGITS:
        end += 1
    if position or (text[end:] and text[end] not in UNITS):
        raise ValueError(text)
    head, rest = int(text[:end]), text[end:]
    return head if not rest else head * UNITS[rest[0]] + _rest(rest[1:], UNITS[rest[0]])
