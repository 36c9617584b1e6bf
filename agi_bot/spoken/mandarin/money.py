"""Money in Mandarin."""

from __future__ import annotations

from decimal import Decimal

from agi_bot.spoken.mandarin.numbers import counted
from agi_bot.spoken.values import Amount

_CURRENCIES = {"": "元", "CNY": "元", "USD": "美元", "EUR": "欧元", "GBP": "英镑", "HKD": "港币", "JPY": "日元"}


def money(amount: Amount) -> str:
    """12.05 yuan: 十二元零五分; other currencies with decimals."""
    number, unit = amount.number, _CURRENCIES.get(amount.currency, amount.currency)
    if number < 0:
        return "负" + money(Amount(-number, amount.currency))
    cents = number * 100
    if unit != "元" or cents != int(cents):
        return f"{counted(number)}{unit}"
    return yuan(int(cents))


def yuan(cents: int) -> str:
    """1205: 十二元零五分."""
    whole, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    said = f"{counted(Decimal(whole))}元" if whole or not cents else ""
    said += f"{counted(Decimal(jiao))}角" if jiao else ("零" if whole and fen else "")
    return said + (f"{counted(Decimal(fen))}分" if fen else "")
