"""Calendar arithmetic for spoken dates; what is not pinned to a year lies in the future."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

SATURDAY = 5


def weekday(today: date, number: int, weeks: int | None = None) -> date:
    """Weekday ``number`` (0: Monday) after ``today``; with ``weeks``, of the calendar week that many weeks on.

    A day of this week that has passed means the next one.
    """
    if weeks is None:
        return today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)
    monday = today - timedelta(days=today.weekday())
    day = monday + timedelta(days=number, weeks=weeks)
    return day if day >= today else day + timedelta(weeks=1)


def months_on(today: date, months: int) -> date:
    """Same day ``months`` later, or the last day of a shorter month."""
    first = first_of_month(today, months)
    return first.replace(day=min(today.day, last_day(first)))


def first_of_month(today: date, months: int = 0) -> date:
    """First day of the month that is ``months`` after today's."""
    number = today.year * 12 + today.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def last_day(day: date) -> int:
    """Number of days of the month of ``day``."""
    return monthrange(day.year, day.month)[1]


def day_of_month(today: date, day: int, months: int | None = None) -> date:
    """The next ``day`` of a month that has one; with ``months``, of that month (in the future all the same).

    Raises :class:`ValueError` for a day that no month has.
    """
    if not 1 <= day <= 31:
        raise ValueError(day)
    first = first_of_month(today, months or 0)
    for _ in range(13):
        if day <= last_day(first) and first.replace(day=day) >= today:
            return first.replace(day=day)
        first = first_of_month(first, 1)
    raise ValueError(day)


def month_day(today: date, month: int, day: int, year: int | None = None) -> date:
    """``day`` of ``month``, of ``year`` or else in the future.  Raises :class:`ValueError` where there is none."""
    if year is not None:
        return date(year, month, day)
    for candidate in range(today.year, today.year + 9):  # the next 29 February may be 8 years away
        try:
            found = date(candidate, month, day)
        except ValueError:
            continue
        if found >= today:
            return found
    raise ValueError((month, day))


def nth_weekday(today: date, number: int, count: int, month: int) -> date:
    """The ``count``-th weekday ``number`` of the next ``month``."""
    first = month_day(today, month, 1) if month != today.month else today.replace(day=1)
    return first + timedelta(days=(number - first.weekday()) % 7, weeks=count - 1)


def full_year(year: int, today: date) -> int:
    """Four digits for two: 90 is 1990, 27 is 2027."""
    if year >= 100:
        return year
    century = today.year // 100 * 100
    return century + year if century + year <= today.year + 10 else century - 100 + year
