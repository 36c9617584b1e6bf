"""May I call this number now?  One pure decision, the same for every campaign.

:func:`may_call` gets the campaign's :class:`Rules`, what is known of the person
(:class:`History`) and the moment; it answers yes, or no with the rule and until when.  It is
asked when a task is due and again in the instant before dialling, and every answer is kept.
Whatever cannot be known is a no: an unreadable zone, a history that was not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

HORIZON_DAYS = 366
"""How far ahead an open calling window is looked for."""


class State(StrEnum):
    """What a campaign is doing."""

    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Window:
    """Hours in which calls are allowed, in the callee's zone: from ``begin`` until before ``end``.

    ``days``: ISO weekdays, 1 is Monday.
    """

    begin: time
    end: time
    days: frozenset[int] = frozenset(range(1, 8))


@dataclass(frozen=True, slots=True)
class Rules:
    """What a campaign allows itself.

    ``caps``: (days, calls) pairs: at most so many calls to a person in so many days, over
    all campaigns.  ``cool_down``: silence after a refusal.  ``min_interval``: between two
    calls to one person.  ``consent``: whether the person must have agreed beforehand.
    """

    state: State = State.RUNNING
    windows: tuple[Window, ...] = (Window(time(9), time(20)),)
    holidays: frozenset[date] = frozenset()
    caps: tuple[tuple[int, int], ...] = ((1, 1), (7, 3), (30, 6))
    cool_down: timedelta = timedelta(days=90)
    min_interval: timedelta = timedelta(hours=4)
    consent: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a person: ``zone`` of the telephone, lists, consent, and calls over all campaigns.

    ``lists``: names of the do-not-call lists that have the number.  ``calls``: when the
    person was called, any order.  ``reachable`` is false for a number known as unallocated.
    ``not_after``: what the call would be about is over then.
    """

    zone: str
    lists: Sequence[str] = ()
    consented: bool = False
    calls: Sequence[datetime] = field(default_factory=tuple)
    refused_at: datetime | None = None
    reachable: bool = True
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """The answer.  ``rule`` names what said no; ``until`` is when to ask again (``None``: never)."""

    allowed: bool
    rule: str = ""
    reason: str = ""
    until: datetime | None = None


def may_call(rules: Rules, history: History | None, now: datetime) -> Permission:
    """Whether the person may be called at ``now`` (with zone).

    The first rule that says no is the answer; those that say "never" are asked first.
    Raises :class:`ValueError` for a ``now`` without zone: that is a mistake of ours, and
    no guess is safe.
    """
    if now.tzinfo is None:
        raise ValueError("the moment of a permission must have a zone")
    if history is None:
        return Permission(False, "unknown", "nothing could be found out about this number")
    zone = _zone(history.zone)
    if zone is None:
        return Permission(False, "zone", f"the zone '{history.zone}' of this number is unknown")
    return (
        _never(rules, history)
        or _too_late(history, now)
        or _not_yet(rules, history, now)
        or _window(rules, now.astimezone(zone))
        or Permission(True)
    )


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _never(rules: Rules, history: History) -> Permission | None:
    if history.lists:
        return Permission(False, "do_not_call", f"on the list {', '.join(sorted(history.lists))}")
    if not history.reachable:
        return Permission(False, "unallocated", "the number does not exist")
    if rules.state is State.ENDED:
        return Permission(False, "campaign", "the campaign has ended")
    if rules.consent and not history.consented:
        return Permission(False, "consent", "the person has not agreed to be called")
    return None


def _too_late(history: History, now: datetime) -> Permission | None:
    if history.not_after is None or now <= history.not_after:
        return None
    return Permission(False, "too_late", f"was to be called until {history.not_after:%Y-%m-%d %H:%M} UTC")


def _not_yet(rules: Rules, history: History, now: datetime) -> Permission | None:
    waits = [
        *_after_refusal(rules, history, now),
        *_after_last_call(rules, history, now),
        *_over_the_caps(rules, history, now),
    ]
    if waits:
        return max(waits, key=lambda wait: wait.until or now)
    if rules.state is State.PAUSED:
        return Permission(False, "campaign", "the campaign is paused", now)
    return None


def _after_refusal(rules: Rules, history: History, now: datetime) -> list[Permission]:
    if history.refused_at is None or history.refused_at + rules.cool_down <= now:
        return []
    until = history.refused_at + rules.cool_down
    return [Permission(False, "cool_down", f"said no on {history.refused_at:%Y-%m-%d}", until)]


def _after_last_call(rules: Rules, history: History, now: datetime) -> list[Permission]:
    last = max(history.calls, default=None)
    if last is None or last + rules.min_interval <= now:
        return []
    return [Permission(False, "min_interval", f"called at {last:%Y-%m-%d %H:%M}", last + rules.min_interval)]


def _over_the_caps(rules: Rules, history: History, now: datetime) -> list[Permission]:
    found = []
    for days, most in rules.caps:
        length = timedelta(days=days)
        recent = sorted(call for call in history.calls if call > now - length)
        if len(recent) >= most:
            # The place is free again when the oldest call that fills the cap falls out.
            until = recent[len(recent) - most] + length if most else None
            reason = f"called {len(recent)} times in {days} days, at most {most} allowed"
            found.append(Permission(False, f"cap_{days}d", reason, until))
    return found


def _window(rules: Rules, local: datetime) -> Permission | None:
    if any(is_open(rules, window, local) for window in rules.windows):
        return None
    until = _next_opening(rules, local)
    when = "on a holiday" if local.date() in rules.holidays else f"at {local:%H:%M} {local.tzname()}"
    return Permission(False, "window", f"no calls {when}", until)


def is_open(rules: Rules, window: Window, local: datetime) -> bool:
    """Whether ``window`` is open at ``local``, the callee's own time."""
    day_is_open = local.date() not in rules.holidays and local.isoweekday() in window.days
    return day_is_open and window.begin <= local.time().replace(tzinfo=None) < window.end


def _next_opening(rules: Rules, local: datetime) -> datetime | None:
    # Times of one zone are compared by their hands alone, which an hour that comes twice makes wrong.
    now = local.timestamp()
    for ahead in range(HORIZON_DAYS):
        day = local.date() + timedelta(days=ahead)
        usable = [
            moment
            for window in rules.windows
            for moment in _real(day, window.begin, local)
            if moment.timestamp() > now and is_open(rules, window, moment)
        ]
        if usable:
            return min(usable, key=datetime.timestamp)
    return None


def _real(day: date, begin: time, local: datetime) -> list[datetime]:
    """``begin`` on ``day`` in the zone of ``local``: twice where the clock is set back; in a gap, after it."""
    moments = [datetime.combine(day, begin.replace(fold=fold), tzinfo=local.tzinfo) for fold in (0, 1)]
    return [moment.astimezone(UTC).astimezone(local.tzinfo) for moment in moments]
