"""Which runs of digits and letters are telephone numbers, and which are IDs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agi_bot.nlu.entities.found import Found

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_LONGEST_PHONE = 15
"""Digits of an international number (ITU-T E.164)."""


@dataclass(frozen=True, slots=True)
class Spelled:
    """A run of digits, letters and ``+`` at ``start``..``end`` of a text."""

    value: str
    start: int
    end: int


def telephone(spelled: Spelled) -> Found | None:
    """A telephone number of 3 to 15 digits, with or without a leading ``+``."""
    if re.fullmatch(rf"\+?\d{{3,{_LONGEST_PHONE}}}", spelled.value):
        return Found("phone", spelled.value, spelled.start, spelled.end)
    return None


def identity(spelled: Spelled) -> Found | None:
    """An ID of 3 or more characters with at least one digit; 18 characters need a right check digit (GB 11643)."""
    value = spelled.value.replace("+", "")
    if len(value) < 3 or not re.search(r"\d", value):
        return None
    if len(value) == 18 and re.fullmatch(r"\d{17}[\dX]", value) and not checked(value):
        return None
    return Found("id", value, spelled.start, spelled.end)


def checked(card: str) -> bool:
    """Whether the last character of a Chinese ID card number of 18 is its check digit."""
    total = sum(int(digit) * weight for digit, weight in zip(card, _WEIGHTS, strict=False))
    return _CHECKS[total % 11] == card[-1]


def likeliest(found: list[Found]) -> list[Found]:
    """Without runs that are too short for a telephone number, where there are longer ones."""
    lengths = [len(str(one.value).lstrip("+")) for one in found]
    enough = 7 if max(lengths, default=0) >= 7 else 5 if max(lengths, default=0) >= 5 else 3
    return [one for one, length in zip(found, lengths, strict=True) if length >= enough]
