"""Kinds of values that task fields and slots have, and reading them from JSON or YAML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation

from agi_bot.contracts import Value

KINDS: Mapping[str, str] = {
    "text": "any words",
    "number": "3 or 2.5",
    "integer": "3",
    "money": "199 or 199.90",
    "percent": "3.5 (for 3.5 %)",
    "date": "2026-11-24",
    "time": "10:00",
    "datetime": "2026-11-24T10:00",
    "phone": "13800138000",
    "id": "110101199003078888",
    "digits": "8888 in quotes",
    "boolean": "true or false",
    "choice": "one of its choices",
}
"""Kind -> an example as it is written in JSON or YAML."""

ENTITY_OF_KIND: Mapping[str, str] = {
    "number": "number", "integer": "number", "percent": "number", "digits": "digits", "money": "money",
    "date": "date", "time": "time", "datetime": "datetime", "phone": "phone", "id": "id",
}  # fmt: skip
"""Which entity an interpreter must find for a slot of this kind."""

NUMERIC = frozenset({"number", "integer", "money", "percent"})

_BOOLEANS = {"true": True, "false": False}
_PHONE = re.compile(r"\+?[0-9]{3,20}\Z")
_ID = re.compile(r"[0-9A-Za-z]{2,40}\Z")
_DIGITS = re.compile(r"[0-9]{1,40}\Z")


def read_value(raw: object, kind: str) -> Value:
    """``raw`` as a value of ``kind``.  Raises :class:`ValueError` saying what it should look like."""
    if raw is None or isinstance(raw, list | dict):
        raise ValueError(_wanted(raw, kind))
    try:
        return _READERS.get(kind, _text)(raw)
    except (ValueError, TypeError, KeyError, InvalidOperation):
        raise ValueError(_wanted(raw, kind)) from None


def _wanted(raw: object, kind: str) -> str:
    shown = str(raw)
    shown = shown if len(shown) <= 60 else f"{shown[:59]}…"
    return f"`{shown}` is not a {kind}; write it like {KINDS.get(kind, 'text')}"


def _text(raw: object) -> Value:
    if isinstance(raw, bool):
        raise ValueError
    text = str(raw)
    if len(text) > 500 or any(ord(sign) < 32 and sign not in "\t\n" for sign in text):
        raise ValueError
    return text


def _decimal(raw: object) -> Value:
    if isinstance(raw, bool):
        raise ValueError
    number = Decimal(str(raw).replace(",", "").strip())
    if not number.is_finite() or number.adjusted() > 15 or number.adjusted() < -15:
        raise ValueError
    return number


def _number(raw: object) -> Value:
    number = _decimal(raw)
    assert isinstance(number, Decimal)
    return int(number) if number == number.to_integral_value() else float(number)


def _integer(raw: object) -> Value:
    number = _number(raw)
    if not isinstance(number, int):
        raise ValueError
    return number


def _boolean(raw: object) -> Value:
    return raw if isinstance(raw, bool) else _BOOLEANS[str(raw).lower()]


def _date(raw: object) -> Value:
    if isinstance(raw, datetime):
        raise ValueError
    return raw if isinstance(raw, date) else date.fromisoformat(str(raw).strip())


def _time(raw: object) -> Value:
    return raw if isinstance(raw, time) else time.fromisoformat(str(raw).strip())


def _datetime(raw: object) -> Value:
    if isinstance(raw, datetime):
        return raw
    text = str(raw).strip()
    if len(text) <= 10:
        raise ValueError
    return datetime.fromisoformat(text)


def _pattern(pattern: re.Pattern[str]) -> Callable[[object], Value]:
    def read(raw: object) -> Value:
        text = re.sub(r"[\s-]", "", str(raw)) if not isinstance(raw, bool) else ""
        if not pattern.match(text):
            raise ValueError
        return text

    return read


_READERS: Mapping[str, Callable[[object], Value]] = {
    "text": _text,
    "number": _number,
    "integer": _integer,
    "money": _decimal,
    "percent": _decimal,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "phone": _pattern(_PHONE),
    "id": _pattern(_ID),
    "digits": _pattern(_DIGITS),
    "boolean": _boolean,
}
