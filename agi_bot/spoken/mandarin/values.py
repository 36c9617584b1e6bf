"""Typed values in Mandarin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time

from agi_bot.contracts import Value
from agi_bot.spoken.mandarin.money import money
from agi_bot.spoken.mandarin.numbers import (
    code,
    digits,
    identity,
    integer,
    number_words,
    phone,
)
from agi_bot.spoken.mandarin.text import speakable
from agi_bot.spoken.mandarin.times import clock
from agi_bot.spoken.values import as_amount, as_date, as_datetime, as_decimal, as_time, days_ahead, kind_of

_NEAR = {-2: "前天", -1: "昨天", 0: "今天", 1: "明天", 2: "后天"}
_WEEKDAYS = "一二三四五六日"
_YEARS = {-1: "去年", 0: "", 1: "明年"}


def say(value: Value, kind: str, now: datetime | None) -> str:
    """See :func:`agi_bot.spoken.say_value`."""
    if isinstance(value, bool):
        return "是" if value else "否"
    known = _SAYERS.get(kind) or _SAYERS[kind_of(value)]
    said = known(value, now)
    return said if said is not None else speakable(str(value))


def _date(value: Value, now: datetime | None) -> str | None:
    day = as_date(value, now)
    return day_words(day, now) if day else None


def day_words(day: date, now: datetime | None) -> str:
    """明天, 周六, 下周二, 十二月一号, 明年一月五号; with its year without a clock."""
    ahead = days_ahead(day, now)
    plain = f"{integer(day.month)}月{integer(day.day)}号".replace("两", "二")
    if ahead is None or now is None:
        return f"{digits(str(day.year))}年{plain}"
    if ahead in _NEAR:
        return _NEAR[ahead]
    weeks = (day.toordinal() - 1) // 7 - (now.date().toordinal() - 1) // 7
    if ahead > 0 and weeks <= 1:
        return f"{'下' if weeks else ''}周{_WEEKDAYS[day.weekday()]}"
    return _YEARS.get(day.year - now.year, f"{digits(str(day.year))}年") + plain


def _time(value: Value, now: datetime | None) -> str | None:
    point = as_time(value, now)
    return time_words(point) if point else None


def time_words(point: time) -> str:
    """15:30: 下午三点半."""
    return clock(point.hour, point.minute, point.second)


def _datetime(value: Value, now: datetime | None) -> str | None:
    point = as_datetime(value, now)
    if point is None:
        return _date(value, now)
    return day_words(point.date(), now) + time_words(point.time())


def _number(value: Value, _now: datetime | None) -> str | None:
    number = as_decimal(value)
    return number_words(number) if number is not None else None


def _percent(value: Value, _now: datetime | None) -> str | None:
    number = as_decimal(value)
    if number is None:
        return None
    return f"{'负' if number < 0 else ''}百分之{number_words(abs(number))}"


def _ordinal(value: Value, _now: datetime | None) -> str | None:
    number = as_decimal(value)
    return f"第{number_words(number)}" if number is not None else None


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
    "id": lambda value, _: identity(str(value)),
    "text": lambda value, _: speakable(str(value)),
}
