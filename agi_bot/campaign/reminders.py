"""When somebody is called about an event: three days and one day before, by the clock where they live.  Pure.

Recurrence is RFC 5545's RRULE (python-dateutil), counted on the wall clock of the event's
zone.  A time that a clock change leaves out is the moment after it; of a time that comes
twice, the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from agi_bot.campaign.permission import Rules, is_open

MOST_OCCURRENCES = 500
"""Occurrences of one event that are planned at once."""

_WORD = re.compile(r"(\d{1,3})([dhm])(?:@(\d\d:\d\d))?", re.ASCII)
_UNITS = {"h": 3600, "m": 60}
_SIMPLE = {"daily": "FREQ=DAILY", "weekly": "FREQ=WEEKLY", "monthly": "FREQ=MONTHLY"}
_RULE = re.compile(
    r"FREQ=(?:DAILY|WEEKLY|MONTHLY|YEARLY)"
    r"(?:;(?:INTERVAL=[1-9]\d{0,2}|COUNT=[1-9]\d{0,3}|UNTIL=\d{8}(?:T\d{6}Z?)?|WKST=[A-Z]{2}"
    r"|BYDAY=[-+0-9A-Z,]{2,60}|BYMONTH=(?:1[0-2]|[1-9])(?:,(?:1[0-2]|[1-9])){0,11}|BYMONTHDAY=[-0-9,]{1,100}|BYSETPOS=-?\d{1,2}))*"
)


@dataclass(frozen=True, slots=True)
class Reminder:
    """``days`` before the event at ``at`` (``None``: the event's own time of day), or ``seconds`` before it."""

    days: int = 0
    seconds: int = 0
    at: time | None = None

    @property
    def word(self) -> str:
        """As it is written: ``3d@10:00``, ``1d``, ``90m``."""
        if self.seconds:
            return f"{self.seconds // 60}m" if self.seconds % 3600 else f"{self.seconds // 3600}h"
        return f"{self.days}d" + (f"@{self.at:%H:%M}" if self.at else "")


def read_reminder(word: str) -> Reminder:
    """``3d``, ``1d@10:00``, ``2h``, ``90m``.  Raises :class:`ValueError`."""
    found = _WORD.fullmatch(word)
    if found is None:
        raise ValueError(f"'{word[:40]}' is not of the form 3d, 1d@10:00, 2h or 90m")
    count, unit, at = int(found[1]), found[2], found[3]
    if unit == "d":
        return Reminder(days=count, at=time.fromisoformat(at) if at else None)
    if at or not count:
        raise ValueError(f"'{word[:40]}': only days take a time of day, and hours and minutes begin at 1")
    return Reminder(seconds=count * _UNITS[unit])


def real(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """``clock`` on ``day`` in ``zone``; in the gap of a clock change, the moment after it."""
    moment = datetime.combine(day, clock.replace(tzinfo=None, fold=0), tzinfo=zone)
    return moment.astimezone(UTC).astimezone(zone)


def call_at(reminder: Reminder, event: datetime, rules: Rules, zone: ZoneInfo) -> datetime | None:
    """When to call about ``event`` a person who lives in ``zone``; ``None`` when no window is left before it.

    Outside of the calling windows: at the next opening that is before the event, else at the
    last moment of the last window before it.
    """
    local = event.astimezone(zone)
    if reminder.seconds:
        wanted = (event.astimezone(UTC) - timedelta(seconds=reminder.seconds)).astimezone(zone)
    else:
        wanted = real(local.date() - timedelta(days=reminder.days), reminder.at or local.time(), zone)
    return _into_hours(wanted, local, rules)


def _into_hours(wanted: datetime, event: datetime, rules: Rules) -> datetime | None:
    if any(is_open(rules, window, wanted) for window in rules.windows):
        return wanted if wanted < event else None
    later = min((one for one in _edges(rules, wanted, event, begin=True) if wanted < one < event), default=None)
    if later is not None:
        return later
    return max((one for one in _edges(rules, wanted, event, begin=False) if one < wanted), default=None)


def _edges(rules: Rules, wanted: datetime, event: datetime, *, begin: bool) -> Iterator[datetime]:
    """Openings, or last minutes, of the windows from a week before ``wanted`` until ``event``."""
    first, zone = wanted.date() - timedelta(days=7), wanted.tzinfo
    assert isinstance(zone, ZoneInfo)
    for ahead in range((event.date() - first).days + 1):
        day = first + timedelta(days=ahead)
        for window in rules.windows:
            moment = real(day, window.begin, zone) if begin else real(day, window.end, zone) - timedelta(minutes=1)
            if is_open(rules, window, moment):
                yield moment


def read_repeat(text: str) -> str:
    """``daily``, ``weekly``, ``monthly`` or an RRULE, as RRULE; empty: once.  Raises :class:`ValueError`."""
    from dateutil.rrule import rrulestr

    if not text:
        return ""
    rule = _SIMPLE.get(text.lower(), text.upper().removeprefix("RRULE:"))
    if not _RULE.fullmatch(rule):
        raise ValueError(f"'{text[:60]}' is not daily, weekly, monthly or a rule like FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10")
    if "BYMONTHDAY" in rule and re.search("DAILY|WEEKLY", rule):
        raise ValueError("BYMONTHDAY goes with FREQ=MONTHLY or FREQ=YEARLY")
    # UNTIL with Z may not be mixed with a wall clock: it is read as the wall clock's own.
    rule = re.sub(r"(UNTIL=\d{8}T\d{6})Z", r"\1", rule)
    try:
        rrulestr(rule, dtstart=datetime(2000, 1, 1))
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise ValueError(f"'{text[:60]}' is not a rule of RFC 5545: {error}") from None
    return rule


def occurrences(start: datetime, repeat: str, after: datetime, until: datetime) -> list[datetime]:
    """The event's moments behind ``after`` and up to ``until``; ``start`` has its zone, ``repeat`` is an RRULE."""
    zone = start.tzinfo
    assert isinstance(zone, ZoneInfo)
    if not repeat:
        return [start] if after < start <= until else []
    found = (real(day.date(), day.time(), zone) for day in _days(start, repeat, after.astimezone(zone)))
    return [one for one in islice(_until(found, until), MOST_OCCURRENCES) if one > after]


def _days(start: datetime, repeat: str, after: datetime) -> Iterator[datetime]:
    from dateutil.rrule import rrulestr

    begin = start.replace(tzinfo=None)
    rule = rrulestr(repeat, dtstart=begin)
    return iter(rule.xafter(after.replace(tzinfo=None) - timedelta(days=1), inc=True))


def _until(moments: Iterator[datetime], until: datetime) -> Iterator[datetime]:
    for moment in moments:
        if moment > until:
            return
        yield moment
