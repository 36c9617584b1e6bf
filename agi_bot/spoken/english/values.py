"""Typed values in English."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from agi_bot.contracts import Value
from agi_bot.spoken.english.money import money
from agi_bot.spoken.english.numbers import code, number_words, ordinal, phone
from agi_bot.spoken.english.text import speakable
from agi_bot.spoken.english.times import clock, day_words
from agi_bot.spoken.values import as_amount, as_date, as_datetime, as_decimal, as_time, kind_of


def say(value: Value, kind: str, now: datetime | None) -> str:
    """See :func:`agi_bot.spoken.say_value`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    known = _SAYERS.get(kind) or _SAYERS[kind_of(value)]
    said = known(value, now)
    return said if said is not None else speakable(str(value))


def _date(value: Value, now: datetime | None) -> str | None:
    day = as_date(value, now)
    return day_words(day, now) if day else None


def _time(value: Value, now: datetime | None) -> str | None:
    point = as_time(value, now)
    return clock(point.hour, point.minute, point.second) if point else None


def _datetime(value: Value, now: datetime | None) -> str | None:
    point = as_datetime(value, now)
    if point is None:
        return _date(value, now)
    return f"{day_words(point.date(), now)} at {clock(point.hour, point.minute, point.second)}"


def _number(value: Value, _now: datetime | None) -> str | None:
    number = as_decimal(value)
    return number_words(number) if number is not None else None


def _percent(value: Value, _now: datetime | None) -> str | None:
    number = as_decimal(value)
    return f"{number_words(number)} percent" if number is not None else None


def _ordinal(value: Value, _now: datetime | None) -> str | None:
    number = as_decimal(value)
    if number is None or number < 0 or number != int(number):
        return None
    return ordinal(int(number))


def _money(value: Value, _now: datetime | None) -> str | None:
    amount = as_amount(value)
    return money(amount) if amount else None


_SAYERS: dict[str, Callable[[Value, datetime | None], str | None]] = {
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "money": _money,
    "number": _number,
    "percent": _percent,
    "ordinal": _ordinal,
    "phone": lambda value, _: phone(str(value)),
    "code": lambda value, _: code(str(value)),
    "id": lambda value, _: code(str(value)),
    "text": lambda value, _: speakable(str(value)),
}
