"""Typed values and free text as people say them, in Mandarin and English.  Pure.

``say_value(Decimal("2350"), "money", "zh-CN")`` is 两千三百五十元.  What it says holds no
digit that a voice could misread; saying it again changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from types import ModuleType

from agi_bot.contracts import Value
from agi_bot.spoken import english, mandarin

KINDS = ("date", "time", "datetime", "money", "number", "percent", "ordinal", "phone", "code", "id", "text")
"""The kinds that :func:`say_value` knows; any other one goes by the value's type."""

_LANGUAGES: dict[str, ModuleType] = {"zh": mandarin, "cmn": mandarin, "yue": mandarin, "en": english}


def say_value(value: Value, kind: str, language: str, now: datetime | None = None) -> str:
    """``value`` in words of ``language`` (a tag: ``zh-CN``, ``en``).

    With ``now`` (the call's clock) near days are said as 明天, 周五, tomorrow; a value with a
    zone is said in the zone of ``now``.  Numbers of ``percent`` are in percent; money without
    a currency is in yuan (Mandarin) or dollars (English).  A value that is not of its kind
    is said as free text.  A language that is not known gets ``str(value)``.
    """
    room = _room(language)
    words: str = room.say(value, kind, now) if room else str(value)
    return words


def speakable(text: str, language: str) -> str:
    """``text`` with its digits, dates, amounts, phone numbers, units and acronyms in words."""
    room = _room(language)
    words: str = room.speakable(text) if room else text
    return words


def _room(language: str) -> ModuleType | None:
    return _LANGUAGES.get(language.lower().replace("_", "-").split("-")[0])
