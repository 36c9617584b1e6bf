"""Puts pieces of dates and times together and settles what they mean on the call's clock.

Two mentions: the last one that is not denied counts ("tomorrow is no good, Friday then").
"Three to four" and "three or four" count as the first.  A point in time that is told in two
answers ("tomorrow evening", "at eight") is put together.  Whatever is relative lies in the
future.  Points in time are in the zone of the call's clock; a time of day has no zone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

from agi_bot.nlu.entities.found import Found
from agi_bot.nlu.entities.pieces import Period, Piece, Rule, scan

NOON = 12
EVENING = 5
"""Hours at night that are less are those after midnight: three at night is 3:00, eight is 20:00."""
MOMENTS = frozenset({"date", "time", "datetime"})


@dataclass(frozen=True, slots=True)
class Grammar:
    """A language's dates and times.

    ``filler`` matches what may stand between a date and its time, ``joiner`` what makes the
    second of two an alternative; ``denied_before`` and ``denied_after`` match the text
    before and after a denied mention.
    """

    rules: Sequence[Rule]
    filler: re.Pattern[str]
    joiner: re.Pattern[str]
    denied_before: re.Pattern[str]
    denied_after: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Group:
    """Pieces that belong together."""

    start: int
    end: int
    day: date | None = None
    period: Period | None = None
    clock: tuple[int, int] | None = None
    exact: bool = False
    moment: datetime | None = None
    weak: bool = False


def find_moment(text: str, kind: str, grammar: Grammar, now: datetime, before: Sequence[str] = ()) -> Found | None:
    """The ``date``, ``time`` or ``datetime`` (``kind``) that ``text`` names, ``None`` where it names none.

    For ``datetime`` the answer may be only a date or only a time, and is of that kind then.
    ``before`` is what was said to the same question: the day of a lone time, the time of a
    lone day, and the part of the day are taken from there.
    """
    zone, now = now.tzinfo, now.replace(tzinfo=None, second=0, microsecond=0)
    earlier = _earlier(before, grammar, now)
    groups = [_in_the_light_of(earlier, group) for group in _spoken(text, grammar, now)]
    if kind == "date":
        return _last([_as_date(group, now) for group in groups])
    if kind == "time":
        return _last([_as_time(group, now) for group in _clear(groups)])
    found = _as_datetime([_completed(groups[0], earlier)] if len(groups) == 1 else groups, now)
    return _in_zone(found, zone) if found else None


def settle(clock: tuple[int, int], period: Period | None, day: date | None, now: datetime) -> tuple[time, int]:
    """Clock time of the day and days to add: "twelve at night" is 0:00 of the next day.

    Without a part of the day, 1 to 6 are in the afternoon; an hour that has passed today is
    taken half a day later.
    """
    hour, minute = clock
    if period is Period.NIGHT and hour == NOON:
        return time(0, minute), 1
    hour = _of_period(hour, period) if period else _unmarked(hour)
    if not period and hour < NOON and day == now.date() and time(hour, minute) <= now.time():
        hour += NOON
    return time(hour % 24, minute), 0


def _of_period(hour: int, period: Period) -> int:
    if period is Period.MORNING:
        return hour
    if period is Period.NOON:
        return hour + NOON if hour < 4 else hour
    if period is Period.NIGHT and hour < EVENING:
        return hour
    return hour + NOON if hour < NOON else hour


def _unmarked(hour: int) -> int:
    return hour + NOON if 1 <= hour <= 6 else hour


def _spoken(text: str, grammar: Grammar, now: datetime) -> list[Group]:
    """Groups that are meant, in order; those that are denied or only an alternative are gone."""
    groups: list[Group] = []
    for piece in scan(text, grammar.rules, now):
        between = text[groups[-1].end : piece.start] if groups else ""
        joined = _joined(groups[-1], piece) if groups and grammar.filler.fullmatch(between) else None
        if joined:
            groups[-1] = joined
        else:
            groups.append(Group(piece.start, piece.end, piece.day, piece.period, piece.clock, piece.exact,
                                piece.moment, piece.weak))  # fmt: skip
    kept = [group for number, group in enumerate(groups) if not _alternative(text, groups, number, grammar)]
    return [group for group in kept if not _denied(text, group, grammar)]


def _earlier(before: Sequence[str], grammar: Grammar, now: datetime) -> Group:
    """The day, part of the day and time of earlier answers; of each the last that was named."""
    known = Group(0, 0)
    for words in before:
        for group in _clear(_spoken(words, grammar, now)):
            if group.day or group.clock or _nothing_else(words, group, grammar):
                known = replace(
                    known,
                    day=group.day or known.day,
                    period=group.period or known.period,
                    clock=group.clock or known.clock,
                    exact=group.exact if group.clock else known.exact,
                )
    return known


def _nothing_else(words: str, group: Group, grammar: Grammar) -> bool:
    """Whether ``words`` are no more than ``group``: "in the evening", not "I work in the evening"."""
    return bool(grammar.filler.fullmatch(words[: group.start]) and grammar.filler.fullmatch(words[group.end :]))


def _in_the_light_of(earlier: Group, group: Group) -> Group:
    """A bare time of day lies in the part of the day that was named before, unless that is in the small hours."""
    bare = group.clock and not group.exact and not group.period and group.day in (None, earlier.day)
    if not bare or (earlier.period is Period.NIGHT and group.clock and group.clock[0] < EVENING):
        return group
    return replace(group, period=earlier.period)


def _completed(group: Group, earlier: Group) -> Group:
    """A lone day with the time named before, a lone time with the day."""
    if group.moment or bool(group.day) == bool(group.clock):
        return group
    if group.day:
        kept = group if group.period else replace(group, period=earlier.period)
        return replace(kept, clock=earlier.clock, exact=earlier.exact, weak=False)
    return replace(group, day=earlier.day)


def _joined(group: Group, piece: Piece) -> Group | None:
    """``group`` with ``piece``; ``None`` where both say the same thing."""
    clash = (group.day and piece.day) or (group.clock and piece.clock) or group.moment or piece.moment
    if clash or (group.period and piece.period and piece.clock is None):
        return None
    return Group(
        group.start,
        piece.end,
        group.day or piece.day,
        piece.period or group.period,
        group.clock or piece.clock,
        group.exact or piece.exact,
        weak=group.weak and piece.weak,
    )


def _alternative(text: str, groups: Sequence[Group], number: int, grammar: Grammar) -> bool:
    between = text[groups[number - 1].end : groups[number].start] if number else "x"
    return bool(grammar.joiner.fullmatch(between))


def _denied(text: str, group: Group, grammar: Grammar) -> bool:
    before, after = text[: group.start], text[group.end :]
    return bool(grammar.denied_before.search(before) or grammar.denied_after.match(after))


def _clear(groups: Sequence[Group]) -> list[Group]:
    """Without weak mentions where there is a clear clock time."""
    clear = [group for group in groups if group.clock and not group.weak]
    return [group for group in groups if not group.weak] if clear else list(groups)


def _as_date(group: Group, now: datetime) -> Found | None:
    if group.moment:
        return Found("date", group.moment.date(), group.start, group.end)
    if not group.day:
        return None
    return Found("date", group.day, group.start, group.end)


def _as_time(group: Group, now: datetime) -> Found | None:
    if group.moment:
        return Found("time", group.moment.time(), group.start, group.end)
    if not group.clock:
        return None
    return Found("time", _settled(group, now)[0], group.start, group.end)


def _settled(group: Group, now: datetime) -> tuple[time, int]:
    assert group.clock is not None
    if group.exact:
        return time(*group.clock), 0
    return settle(group.clock, group.period, group.day, now)


def _as_datetime(groups: Sequence[Group], now: datetime) -> Found | None:
    groups = _clear(groups)
    whole = [found for group in groups if (found := _whole(group, now))]
    if whole:
        return whole[-1]
    days = [group for group in groups if group.day]
    clocks = [group for group in groups if group.clock]
    if len(days) == 1 and len(clocks) == 1:
        return _whole(_across(days[0], clocks[0]), now)
    return _last([_as_date(group, now) or _as_time(group, now) for group in groups])


def _whole(group: Group, now: datetime) -> Found | None:
    if group.moment:
        return Found("datetime", group.moment, group.start, group.end)
    if not group.day or not group.clock:
        return None
    clock, shift = _settled(group, now)
    value = datetime.combine(group.day, clock) + timedelta(days=shift)
    return Found("datetime", value, group.start, group.end)


def _in_zone(found: Found, zone: tzinfo | None) -> Found:
    if not isinstance(found.value, datetime):
        return found
    return replace(found, value=found.value.replace(tzinfo=zone))


def _across(day: Group, clock: Group) -> Group:
    start, end = min(day.start, clock.start), max(day.end, clock.end)
    return Group(start, end, day.day, clock.period or day.period, clock.clock, clock.exact)


def _last(found: Sequence[Found | None]) -> Found | None:
    named = [one for one in found if one]
    return named[-1] if named else None
