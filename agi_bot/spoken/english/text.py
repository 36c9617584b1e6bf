"""Free text in English: everything that a voice would misread, in words.

Order matters: what has a shape of its own (dates, times, money, phones) goes before the
plain numbers, and nothing that was turned into words is looked at again.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from agi_bot.spoken.english.money import plain
from agi_bot.spoken.english.numbers import code, digits, integer, number_words, ordinal, phone, year
from agi_bot.spoken.english.times import MONTHS, calendar_day, clock
from agi_bot.spoken.rules import NUMBER, Match, Rule, apply, rule

_SCALES = {"K": "thousand", "M": "million", "B": "billion"}
_CURRENCIES = {"$": "USD", "¥": "CNY", "￥": "CNY", "€": "EUR", "£": "GBP"}
_UNITS = {
    "kg": ("kilogram", "kilograms"),
    "g": ("gram", "grams"),
    "mg": ("milligram", "milligrams"),
    "km": ("kilometer", "kilometers"),
    "m": ("meter", "meters"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "ml": ("milliliter", "milliliters"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "ft": ("foot", "feet"),
    "h": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "min": ("minute", "minutes"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
}
_TEMPERATURES = {"°C": "degrees Celsius", "°F": "degrees Fahrenheit", "℃": "degrees Celsius", "℉": "degrees Fahrenheit"}
_WORDS = {
    r"Dr\.": "Doctor",
    r"Mr\.": "Mister",
    r"Mrs\.": "Missus",
    r"Ms\.": "Miz",
    r"Ave\.": "Avenue",
    r"Blvd\.": "Boulevard",
    r"e\.g\.": "for example",
    r"i\.e\.": "that is",
    r"etc\.": "et cetera",
}
_PARTS = {2: ("half", "halves"), 4: ("quarter", "quarters")}
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" if name[3:] else name for name in MONTHS)
_CODED = (
    r"code|PIN|pin|order|account|room|Room|flight|Flight|Order|Account|Code|reference|extension|ending|[Ss]uite|[Aa]pt"
)
_DASH = r"\s*[-~–—]\s*"
_HALF = r"([aApP])(?:\.[mM]\.|[mM]\b)"
_SPOKEN_AS_WORDS = {"OK", "AM", "PM", "A", "I"}


def speakable(text: str) -> str:
    """See :func:`agi_bot.spoken.speakable`."""
    return apply(_RULES, text)


def _iso_day(match: Match) -> str | None:
    return _day(int(match[1]), int(match[3]), int(match[4]))


def _american_day(match: Match) -> str | None:
    return _day(int(match[3]), int(match[1]), int(match[2]))


def _day(year_number: int, month: int, day: int) -> str | None:
    try:
        date(year_number, month, day)
    except ValueError:
        return None
    return calendar_day(month, day, year_number)


def _named_day(match: Match) -> str | None:
    month = next(index for index, name in enumerate(MONTHS, 1) if name[:3].lower() == match[1][:3].lower())
    if not 1 <= int(match[2]) <= 31:
        return None
    return calendar_day(month, int(match[2]), int(match[3] or 0))


def _half_day(match: Match) -> str | None:
    hour, minute = int(match[1]), int(match[2] or 0)
    if not 1 <= hour <= 12:
        return None
    return clock(hour % 12 + (12 if match[3] in "pP" else 0), minute)


def _clock(match: Match) -> str | None:
    return clock(int(match[1]), int(match[2]), int(match[3] or 0)) if int(match[1]) < 24 else None


def _money(match: Match) -> str:
    number, currency, scale = _decimal(match[3]), _CURRENCIES[match[2]], match[4]
    said = plain(number, currency)
    if scale:
        unit = plain(Decimal(2), currency).partition(" ")[2]
        said = f"{number_words(number)} {_SCALES.get(scale.upper(), scale)} {unit}"
    return f"minus {said}" if match[1] else said


def _decade(match: Match) -> str:
    said = year(int(match[1]))
    return f"{said[:-1]}ies" if said.endswith("y") else f"{said}s"


def _percent(match: Match) -> str:
    return f"{'minus ' if match[1] else ''}{number_words(_decimal(match[2]))} percent"


def _temperature(match: Match) -> str:
    return f"{'minus ' if match[1] else ''}{number_words(_decimal(match[2]))} {_TEMPERATURES[match[3]]}"


def _fraction(match: Match) -> str:
    top, bottom = int(match[1]), int(match[2])
    if top >= bottom:
        return f"{integer(top)} {'' if match[0] == '24/7' else 'over '}{integer(bottom)}"
    one, many = _PARTS.get(bottom) or (ordinal(bottom), ordinal(bottom) + "s")
    return f"{integer(top)} {one if top == 1 else many}"


def _unit(match: Match) -> str:
    number = _decimal(match[1])
    return f"{number_words(number)} {_UNITS[match[2]][number != 1]}"


def _number(match: Match) -> str:
    return f"{'minus ' if match[1] else ''}{number_words(_decimal(match[2]))}"


def _acronym(match: Match) -> str:
    return match[0] if match[0] in _SPOKEN_AS_WORDS else " ".join(match[0])


def _decimal(written: str) -> Decimal:
    return Decimal(written.replace(",", ""))


_SHAPES: tuple[Rule, ...] = (
    rule(r"(?<![\w.])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d.]\d|\d)", _iso_day),
    rule(r"(?<![\w.])(\d{1,2})/(\d{1,2})/(\d{4})(?!\d)", _american_day),
    rule(rf"\b({_MONTH})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+([12]\d{{3}})\b)?", _named_day),
    rule(rf"(?<=:\d\d){_DASH}(?=\d{{1,2}}:\d\d)", " to "),
    rule(rf"(?<=[ap]m){_DASH}(?=\d{{1,2}})", " to "),
    rule(rf"(?<![\d:])(\d{{1,2}})(?::([0-5]\d))?\s*{_HALF}", _half_day),
    rule(r"(?<![\d:])(\d{1,2}):([0-5]\d)(?::([0-5]\d))?(?!\d)", _clock),
    rule(rf"((?<!\w)-)?([$¥￥€£])\s*({NUMBER})(?: ?(million|billion|thousand|[MBKk])(?!\w))?", _money),
    rule(rf"(?<=%){_DASH}(?=\d)", " to "),
    rule(rf"((?<!\w)-)?({NUMBER})\s*[%％]", _percent),
    rule(rf"((?<!\w)-)?({NUMBER})\s*(°[CF]|℃|℉)(?!\w)", _temperature),
    rule(r"(?<![\w.])(?:\+1[ -]?)?(?:\(\d{3}\) ?|\d{3}[ -])\d{3}[ -]\d{4}(?!\d)", lambda m: phone(m[0])),
    rule(r"(?<!\w)\+\d{1,3}(?:[ -]\d{2,5}){2,4}(?!\d)", lambda m: phone(m[0])),
    rule(r"(\d+)\*{2,}(\d+)", lambda m: f"{digits(m[1])}, star, {digits(m[2])}"),
    rule(r"(?<![\w.])1[3-9]\d{9}(?!\d)", lambda m: phone(m[0])),
    rule(r"\b([Dd]ial|[Cc]all)(\s+)(\d{3,12}|\d{3}-\d{4})(?![\d-])", lambda m: m[1] + m[2] + phone(m[3])),
    rule(r"(?<![\d-])\d{3}-0\d{3}(?![\d-])", lambda m: phone(m[0])),
)
_CODES: tuple[Rule, ...] = (
    rule(
        rf"\b({_CODED})((?:\s+(?:is|number|in|no\.))*[:\s]+)([A-Z0-9]*\d[A-Z0-9]*)(?![\d.]\d|\w)",
        lambda m: m[1] + m[2] + code(m[3]),
    ),
    rule(r"(?<![A-Za-z0-9])(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{2,}(?![A-Za-z0-9])", lambda m: code(m[0])),
    rule(r"(?<![\d.])\d+(?:\.\d+){2,}(?![\d.]\d)", lambda m: " point ".join(integer(int(p)) for p in m[0].split("."))),
)
_NUMBERS: tuple[Rule, ...] = (
    rule(r"(?<![\d.])(\d{1,9})(?:st|nd|rd|th)\b", lambda m: ordinal(int(m[1]))),
    rule(r"(?<![\d/])(\d{1,3})/([2-9]|[1-9]\d)(?![\d/])", _fraction),
    rule(r"(?<=\d):(?=\d)", " to "),
    rule(rf"({NUMBER})\s*({'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![A-Za-z])", _unit),
    rule(
        r"\b([Ii]n|[Ss]ince|[Oo]f|[Yy]ear|[Uu]ntil)(\s+)([12]\d{3})(?![\d,.%]\d|\d)",
        lambda m: m[1] + m[2] + year(int(m[3])),
    ),
    rule(r"\bfrom ((?:19|20)\d\d) to ((?:19|20)\d\d)\b", lambda m: f"from {year(int(m[1]))} to {year(int(m[2]))}"),
    rule(r"\bNo\.\s*(?=\d)|(?<!\w)#\s?(?=\d)", "number "),
    rule(r"(?<![\d.])((?:19|20)\d0)s\b", _decade),
    rule(rf"(?<=\d){_DASH}(?=\d)", " to "),
    rule(r"(?<![\d.,])(?:0\d+|\d{9,})(?![.,]?\d)", lambda m: code(m[0])),
    rule(rf"((?<![\w)])-)?({NUMBER})", _number),
)
_SIGNS: tuple[Rule, ...] = (
    *(rule(rf"\b{pattern}", words) for pattern, words in _WORDS.items()),
    rule(r"#", "pound"),
    rule(r"(?<!\S)\*(?!\S)", "star"),
    rule(r"\s*\+\s*", " plus "),
    rule(r"\s*=\s*", " equals "),
    rule(r"\s*&\s*", " and "),
    rule(r"(?<![A-Za-z])[A-Z]{2,4}(?![A-Za-z])", _acronym),
)
_RULES = _SHAPES + _CODES + _NUMBERS + _SIGNS
