"""Numbers in Mandarin, with 两 where it is said and 幺 where digits are read one by one."""

from __future__ import annotations

import re
from decimal import Decimal

import cn2an

from agi_bot.spoken.rules import grouped

_DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
_LARGEST = 10**16
_TWO = re.compile(r"^二(?=[百万亿])|(?<!十)二(?=千)")


def integer(number: int) -> str:
    """2350: 两千三百五十.  From ten to the sixteenth on digit by digit."""
    if number < 0:
        return "负" + integer(-number)
    if number >= _LARGEST:
        return digits(str(number))
    return _TWO.sub("两", cn2an.an2cn(number, "low"))


def number_words(number: Decimal) -> str:
    """3.14: 三点一四; trailing zeros are not said."""
    if number < 0:
        return "负" + number_words(-number)
    whole, _, part = f"{number:f}".partition(".")
    part = part.rstrip("0")
    return integer(int(whole)) + (f"点{digits(part)}" if part else "")


def counted(number: Decimal) -> str:
    """A number before a measure word: 2 is 两."""
    return "两" if number == 2 else number_words(number)


def digits(text: str) -> str:
    """Digit by digit with 一: years, decimals."""
    return "".join(_DIGITS.get(char, char) for char in text)


def dialled(text: str) -> str:
    """Digit by digit with 幺: phones, codes, rooms."""
    return digits(text).replace("一", "幺")


def phone(text: str) -> str:
    """138 1234 5678: 幺三八，幺二三四，五六七八; an extension after 转."""
    main, _, extension = text.partition("转")
    plus = "加" if main.strip().startswith("+") and not main.strip().startswith("+86") else ""
    numbers = re.findall(r"\d+", re.sub(r"^\s*(\+|00)?86(?=\D?1\d|[- ])", "", main))
    said = "，".join([dialled(group) for group in _phone_groups(numbers)])
    tail = f"，转{dialled(re.sub(r'[^0-9]', '', extension))}" if extension else ""
    return f"{plus}{said}{tail}"


def code(text: str) -> str:
    """A8K2: A 八 K 二; long runs of digits in groups."""
    parts = re.findall(r"\d+|[^\W\d_]", text)
    return " ".join(_run(part) if part.isdecimal() else part.upper() for part in parts)


def identity(text: str) -> str:
    """An identity number: 6-4-4-4, the check letter after a space."""
    if re.fullmatch(r"\d{17}[\dXx]", text):
        return re.sub(r"[Xx]$", " X", "，".join(dialled(group) for group in grouped(text)))
    return code(text)


def _run(text: str) -> str:
    return "，".join(dialled(group) for group in grouped(text))


def _phone_groups(numbers: list[str]) -> list[str]:
    if len(numbers) == 1:
        return _phone_split(numbers[0])
    return [group for number in numbers for group in _phone_split(number)]


def _phone_split(number: str) -> list[str]:
    if len(number) == 11:
        return [number[:3], number[3:7], number[7:]]
    if len(number) == 10:
        return [number[:3], number[3:6], number[6:]]
    if len(number) in (7, 8):
        return [number[:-4], number[-4:]]
    return [number]
