"""Money in English."""

from __future__ import annotations

from decimal import Decimal

from agi_bot.spoken.english.numbers import integer, number_words
from agi_bot.spoken.values import Amount

_UNITS = {
    "": ("dollar", "dollars", "cent", "cents"),
    "USD": ("dollar", "dollars", "cent", "cents"),
    "GBP": ("pound", "pounds", "penny", "pence"),
    "EUR": ("euro", "euros", "cent", "cents"),
    "CNY": ("yuan", "yuan", "", ""),
    "JPY": ("yen", "yen", "", ""),
    "HKD": ("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
}


def money(amount: Amount) -> str:
    """12.5 dollars: twelve dollars and fifty cents."""
    number = amount.number
    if number < 0:
        return "minus " + money(Amount(-number, amount.currency))
    one, many, cent, cents = _UNITS.get(amount.currency, (amount.currency, amount.currency, "", ""))
    small = number * 100
    if not cent or small != int(small) or number == int(number):
        return f"{number_words(number)} {one if number == 1 else many}"
    whole, part = divmod(int(small), 100)
    said = [_counted(whole, one, many)] if whole else []
    return " and ".join([*said, _counted(part, cent, cents)])


def _counted(number: int, one: str, many: str) -> str:
    return f"{integer(number)} {one if number == 1 else many}"


def plain(number: Decimal, currency: str) -> str:
    """``number`` of ``currency`` (ISO 4217)."""
    return money(Amount(number, currency))
