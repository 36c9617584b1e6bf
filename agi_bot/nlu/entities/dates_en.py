"""Dates in spoken English: the day after tomorrow, next Tuesday, the third of December, a week from Friday.

"Next Friday" is the Friday of next week; "Friday" and "this Friday" are the coming one.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from agi_bot.nlu.entities.calendar import (
    SATURDAY,
    day_of_month,
    first_of_month,
    last_day,
    month_day,
    months_on,
    nth_weekday,
    weekday,
)
from agi_bot.nlu.entities.numerals_en import ORDINAL, TO_59, YEAR, below_hundred, ordinal, year
from agi_bot.nlu.entities.pieces import Period, Rule, Said

_MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december"]  # fmt: skip
_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_NEAR = {
    "yesterday": -1,
    "day before yesterday": -2,
    "today": 0,
    "tonight": 0,
    "tomorrow": 1,
    "tomorrow's": 1,
    "tmrw": 1,
    "day after tomorrow": 2,
}
_PARTS = {"tonight": Period.NIGHT, "morning": Period.MORNING, "afternoon": Period.AFTERNOON, "evening": Period.NIGHT}
_HOLIDAYS = {"new year's day": (1, 1), "new years day": (1, 1), "valentine's day": (2, 14), "christmas eve": (12, 24),
             "christmas day": (12, 25), "christmas": (12, 25), "boxing day": (12, 26), "new year's eve": (12, 31),
             "new years eve": (12, 31)}  # fmt: skip

_MONTH = rf"(?P<month>{'|'.join(f'{m[:3]}(?:{m[3:]})?' if m[3:] else m for m in _MONTHS)}|sept)"
_WEEKDAY = rf"(?P<weekday>{'|'.join(_WEEKDAYS)})(?:'s)?"
_DAY = rf"(?P<day>{ORDINAL}|{TO_59}|\d{{1,2}})"
_YEAR = rf"(?:,? (?:(?P<year>{YEAR})|(?P<next>next year)|this year))?"
_WHICH = r"(?P<which>this coming|coming|this|next week on|next week|next|last)"
_SPAN = r"(?P<unit>days?|weeks?|months?|fortnight)"
_COUNT = rf"(?P<count>a couple of|a|an|one|{TO_59}|\d{{1,2}})"


def _near(match: re.Match[str], now: datetime) -> Said:
    words = match[0].removeprefix("the ")
    return Said(now.date() + timedelta(days=_NEAR[words]), _PARTS.get(words))


def _this_part(match: re.Match[str], now: datetime) -> Said:
    return Said(now.date(), _PARTS[match["part"]])


def _day_after(match: re.Match[str], now: datetime) -> Said:
    return Said(now.date() + timedelta(days=2))


def _week(match: re.Match[str], now: datetime) -> Said:
    number = _WEEKDAYS.index(match["weekday"])
    if match["which"] == "last":
        return Said(now.date() - timedelta(days=(now.weekday() - number - 1) % 7 + 1))
    next_week = match["which"] in ("next", "next week", "next week on") or match["later"]
    return Said(weekday(now.date(), number, 1 if next_week else None))


def _counted_from(match: re.Match[str], now: datetime) -> Said:
    today, start = now.date(), match["start"]
    first = today + timedelta(days=_NEAR[start]) if start in _NEAR else weekday(today, _WEEKDAYS.index(start))
    return Said(_on(first, match["count"], match["unit"]))


def _counted(match: re.Match[str], now: datetime) -> Said:
    return Said(_on(now.date(), match["count"], match["unit"]))


def _ago(match: re.Match[str], now: datetime) -> Said:
    return Said(_on(now.date(), match["count"], match["unit"], -1))


def _on(day: date, words: str, unit: str, sign: int = 1) -> date:
    count = sign * ({"a": 1, "an": 1, "one": 1, "a couple of": 2}.get(words) or below_hundred(words))
    if unit.startswith("month"):
        return months_on(day, count)
    return day + timedelta(days=count * {"day": 1, "week": 7, "fortnight": 14}[unit.rstrip("s")])


def _next(match: re.Match[str], now: datetime) -> Said:
    today = now.date()
    if match["unit"] == "weekend":
        return Said(weekday(today, SATURDAY, 1 if match["which"] == "next" else 0))
    if match["which"] != "next":
        return Said(today)
    return Said(weekday(today, 0, 1) if match["unit"] == "week" else first_of_month(today, 1))


def _edge(match: re.Match[str], now: datetime) -> Said:
    first = first_of_month(now.date(), 1 if match["which"] == "next" else 0)
    if match["edge"] == "end":
        return Said(first.replace(day=last_day(first)))
    return Said(first if first >= now.date() else first_of_month(first, 1))


def _of_month(match: re.Match[str], now: datetime) -> Said:
    return Said(day_of_month(now.date(), ordinal(match["day"]), 1 if match["which"] == "next" else None))


def _ordinal(match: re.Match[str], now: datetime) -> Said:
    return Said(day_of_month(now.date(), ordinal(match["day"])))


def _month(match: re.Match[str], now: datetime) -> Said:
    number = next(i for i, name in enumerate(_MONTHS, 1) if name.startswith(match["month"][:3]))
    day = match["day"]
    said = below_hundred(day) if day.isdigit() or not re.fullmatch(ORDINAL, day) else ordinal(day)
    which = now.year + 1 if match["next"] else year(match["year"]) if match["year"] else None
    return Said(month_day(now.date(), number, said, which))


def _nth(match: re.Match[str], now: datetime) -> Said:
    month = next(i for i, name in enumerate(_MONTHS, 1) if name.startswith(match["month"][:3]))
    return Said(nth_weekday(now.date(), _WEEKDAYS.index(match["weekday"]), ordinal(match["count"]), month))


def _nth_of(match: re.Match[str], now: datetime) -> Said:
    first = first_of_month(now.date(), 1 if match["which"] == "next" else 0)
    number, count = _WEEKDAYS.index(match["weekday"]), ordinal(match["count"])
    return Said(first + timedelta(days=(number - first.weekday()) % 7, weeks=count - 1))


def _iso(match: re.Match[str], now: datetime) -> Said:
    return Said(date(int(match[1]), int(match[2]), int(match[3])))


def _slashed(match: re.Match[str], now: datetime) -> Said:
    which = int(match[3]) if match[3] else None
    return Said(month_day(now.date(), int(match[1]), int(match[2]), which))


def _holiday(match: re.Match[str], now: datetime) -> Said:
    return Said(month_day(now.date(), *_HOLIDAYS[match[0]]))


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b")


RULES: tuple[Rule, ...] = (
    (_rule(r"(?:the )?day (?:after tomorrow|before yesterday)|yesterday|today|tonight|tomorrow(?:'s)?|tmrw"), _near),
    (_rule(r"(?:(?<=tomorrow )|(?<=tomorrow but ))the day after(?! tomorrow)"), _day_after),
    (_rule(r"this (?P<part>morning|afternoon|evening)"), _this_part),
    (
        _rule(rf"(?:{_WHICH} )?{_WEEKDAY}(?P<later> (?:of )?next week)?"),
        _week,
    ),
    (_rule(rf"{_COUNT} {_SPAN} from (?P<start>today|tomorrow|{'|'.join(_WEEKDAYS)})"), _counted_from),
    (_rule(rf"{_COUNT} {_SPAN} ago"), _ago),
    (_rule(rf"in {_COUNT} {_SPAN}(?:'? time)?"), _counted),
    (_rule(rf"{_COUNT} {_SPAN} (?:from now|later)"), _counted),
    (_rule(r"(?P<which>next|this|the) (?P<unit>weekend)"), _next),
    (_rule(r"(?P<which>next) (?P<unit>week|month)"), _next),
    (_rule(r"(?:the )?(?P<edge>end|beginning|start) of (?P<which>this|next|the) month"), _edge),
    (_rule(rf"(?:the )?(?P<day>{ORDINAL}) of (?P<which>this|next|the) month"), _of_month),
    (_rule(rf"the (?P<day>{ORDINAL})(?! (?:time|one|thing|of|half|floor|person|street))"), _ordinal),
    (_rule(rf"(?:{_WEEKDAY},? )?(?:the )?{_DAY}(?: of)? {_MONTH}{_YEAR}"), _month),
    (_rule(rf"(?:{_WEEKDAY},? )?{_MONTH} (?:the )?{_DAY}{_YEAR}"), _month),
    (_rule(rf"(?:the )?(?P<count>first|second|third|fourth) {_WEEKDAY} (?:in|of) {_MONTH}"), _nth),
    (
        _rule(rf"(?:the )?(?P<count>first|second|third|fourth) {_WEEKDAY} (?:in|of) (?P<which>this|next|the) month"),
        _nth_of,
    ),
    (_rule(r"(\d{4})-(\d{1,2})-(\d{1,2})"), _iso),
    (_rule(r"(\d{1,2})/(\d{1,2})(?:/(\d{4}))?"), _slashed),
    (_rule("|".join(sorted(_HOLIDAYS, key=len, reverse=True))), _holiday),
)
