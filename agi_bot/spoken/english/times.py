"""Days and times of day in English."""

from __future__ import annotations

from datetime import date, datetime

from agi_bot.spoken.english.numbers import integer, ordinal, year
from agi_bot.spoken.values import days_ahead

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_NEAR = {-1: "yesterday", 0: "today", 1: "tomorrow", 2: "the day after tomorrow"}


def clock(hour: int, minute: int, second: int = 0) -> str:
    """15:30: three thirty PM; noon and midnight by their names."""
    half = "PM" if 12 <= hour < 24 else "AM"
    if not minute and not second and hour % 12 == 0:
        return "noon" if half == "PM" else "midnight"
    said = integer(hour % 12 or 12)
    if minute or second:
        said += f" {'oh ' if minute < 10 else ''}{integer(minute)}"
    if second:
        said += f" and {integer(second)} second{'' if second == 1 else 's'}"
    return f"{said} {half}"


def day_words(day: date, now: datetime | None) -> str:
    """tomorrow, Friday (of the next days), Tuesday, December first; with its year where it is another one."""
    ahead = days_ahead(day, now)
    if ahead in _NEAR:
        return _NEAR[ahead]
    weekday = _WEEKDAYS[day.weekday()]
    if ahead is not None and 0 < ahead < 7:
        return weekday
    this_year = now is not None and day.year == now.year
    return f"{weekday}, {calendar_day(day.month, day.day, 0 if this_year else day.year)}"


def calendar_day(month: int, day: int, year_number: int = 0) -> str:
    """November twenty-fourth, twenty twenty-six; without the year when it is 0."""
    said = f"{MONTHS[month - 1]} {ordinal(day)}"
    return f"{said}, {year(year_number)}" if year_number else said
