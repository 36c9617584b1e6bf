"""Numbers in English, as they are said in America."""

from __future__ import annotations

import re
from decimal import Decimal

from agi_bot.spoken.rules import grouped

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_LARGEST = 10**15
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def integer(number: int) -> str:
    """1234: one thousand two hundred thirty-four.  From ten to the fifteenth on digit by digit."""
    if number < 0:
        return "minus " + integer(-number)
    if number >= _LARGEST:
        return digits(str(number))
    for scale, name in _SCALES:
        if number >= scale:
            rest = number % scale
            return f"{integer(number // scale)} {name}" + (f" {integer(rest)}" if rest else "")
    if number < 20:
        return _ONES[number]
    return _TENS[number // 10 - 1] + (f"-{_ONES[number % 10]}" if number % 10 else "")


def number_words(number: Decimal) -> str:
    """3.14: three point one four; trailing zeros are not said."""
    if number < 0:
        return "minus " + number_words(-number)
    whole, _, part = f"{number:f}".partition(".")
    part = part.rstrip("0")
    return integer(int(whole)) + (f" point {digits(part)}" if part else "")


def ordinal(number: int) -> str:
    """21: twenty-first."""
    head, last = re.fullmatch(r"(.*?)([a-z]+)", integer(number)).groups()  # type: ignore[union-attr]
    if last in _ORDINALS:
        return f"{head}{_ORDINALS[last]}"
    return f"{head}{last[:-1]}ieth" if last.endswith("y") else f"{head}{last}th"


def year(number: int) -> str:
    """2026: twenty twenty-six; 2005: two thousand five; 1905: nineteen oh five."""
    century, rest = divmod(number, 100)
    if not 1000 <= number <= 9999 or (century % 10 == 0 and rest < 10):
        return integer(number)
    if not rest:
        return f"{integer(century)} hundred"
    return f"{integer(century)} {'oh ' if rest < 10 else ''}{integer(rest)}"


def digits(text: str) -> str:
    """Digit by digit."""
    return " ".join(_ONES[int(char)] for char in text)


def phone(text: str) -> str:
    """(212) 555-0100: two one two, five five five, zero one zero zero."""
    numbers = re.findall(r"\d+", text)
    if len(numbers) == 1:
        numbers = _phone_split(numbers[0])
    elif not numbers:
        return text
    said = ", ".join(digits(number) for number in numbers)
    return f"plus {said}" if text.strip().startswith("+") else said


def code(text: str) -> str:
    """A8K2: A eight K two; long runs of digits in groups."""
    parts = re.findall(r"[0-9]+|[^\W\d_]", text)
    return " ".join(_run(part) if part.isdecimal() else part.upper() for part in parts)


def _run(text: str) -> str:
    return ", ".join(digits(group) for group in grouped(text))


def _phone_split(number: str) -> list[str]:
    if len(number) == 11:
        return [number[:3], number[3:7], number[7:]]
    if len(number) == 10:
        return [number[:3], number[3:6], number[6:]]
    return [number[:3], number[3:]] if len(number) == 7 else [number]
