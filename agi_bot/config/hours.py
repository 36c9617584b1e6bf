"""Hours, days and zones as people write them; :class:`ValueError` tells what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

WEEK = frozenset(range(1, 8))
"""ISO weekdays: 1 is Monday."""


def read_hours(text: str) -> tuple[time, time]:
    """``09:00-20:00`` as begin and end, by the clock of who is called."""
    try:
        begin, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError:
        raise ValueError(f"'{text[:40]}' is not of the form 09:00-20:00") from None
    if begin.tzinfo or end.tzinfo:
        raise ValueError(f"'{text[:40]}' names a zone: hours are by the clock of who is called")
    if begin >= end:
        raise ValueError(f"'{text[:40]}' ends before it begins; two windows are two items: 09:00-12:00, 14:00-20:00")
    return begin, end


def read_days(days: Iterable[int]) -> frozenset[int]:
    """ISO weekdays, at least one."""
    wanted = frozenset(days)
    if not wanted or not wanted <= WEEK:
        raise ValueError("from 1 (Monday) to 7 (Sunday)")
    return wanted


def read_zone(name: str) -> ZoneInfo:
    """The time zone ``name``."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"'{name[:40]}' is not a time zone like Asia/Shanghai") from None
