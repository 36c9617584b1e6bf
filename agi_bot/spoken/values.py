"""What a slot holds, whatever its type, as the type that its kind asks for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from agi_bot.contracts import Value

_Parsed = TypeVar("_Parsed")

_SYMBOLS = {"¥": "CNY", "￥": "CNY", "元": "CNY", "$": "USD", "€": "EUR", "£": "GBP"}
_CURRENCY = re.compile(r"[¥￥元$€£]|\b(?:CNY|RMB|USD|EUR|GBP|HKD|JPY)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Amount:
    """Money; ``currency`` is an ISO 4217 code, empty where none was told."""

    number: Decimal
    currency: str = ""


def as_decimal(value: Value) -> Decimal | None:
    """A number, also from text with separators or a percent sign; None for what is none."""
    if isinstance(value, bool | date | time):
        return None
    text = str(value).strip().rstrip("%％").replace(",", "").replace("，", "")
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def as_amount(value: Value) -> Amount | None:
    """Money, with its currency where the text names one."""
    if not isinstance(value, str):
        number = as_decimal(value)
        return Amount(number) if number is not None else None
    found = _CURRENCY.search(value)
    number = as_decimal(_CURRENCY.sub("", value).strip())
    if number is None:
        return None
    name = found.group().upper() if found else ""
    return Amount(number, {"RMB": "CNY"}.get(name, _SYMBOLS.get(name, name)))


def as_datetime(value: Value, now: datetime | None) -> datetime | None:
    """A point in time, in the zone of ``now`` where both have one."""
    if isinstance(value, str):
        parsed = _parsed(datetime.fromisoformat, value)
        if parsed is None or not re.search(r"\d[T ]\d", value):
            return None
        value = parsed
    if not isinstance(value, datetime):
        return None
    if value.tzinfo and now is not None and now.tzinfo:
        return value.astimezone(now.tzinfo)
    return value


def as_date(value: Value, now: datetime | None) -> date | None:
    """A day."""
    point = as_datetime(value, now)
    if point is not None:
        return point.date()
    if isinstance(value, str):
        return _parsed(date.fromisoformat, value)
    return value if isinstance(value, date) else None


def as_time(value: Value, now: datetime | None) -> time | None:
    """A time of day."""
    point = as_datetime(value, now)
    if point is not None:
        return point.time()
    if isinstance(value, str):
        return _parsed(time.fromisoformat, value)
    return value if isinstance(value, time) else None


def days_ahead(day: date, now: datetime | None) -> int | None:
    """Days from today to ``day``; None without a clock."""
    return (day - now.date()).days if now is not None else None


def kind_of(value: Value) -> str:
    """The kind of a value whose kind is not told."""
    for kind, type_ in (("datetime", datetime), ("date", date), ("time", time), ("text", str)):
        if isinstance(value, type_):
            return kind
    return "number"


def _parsed(parse: Callable[[str], _Parsed], text: str) -> _Parsed | None:
    try:
        return parse(text.strip())
    except ValueError:
        return None
