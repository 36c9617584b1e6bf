"""Campaigns in plain words: what a form or a command line gives, and what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from agi_bot.campaign.intake import Problem, Refused
from agi_bot.campaign.model import Campaign
from agi_bot.campaign.office import windows
from agi_bot.campaign.permission import Rules, Window


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a campaign says of itself; ``None``: as the defaults have it."""

    title: str = ""
    zone: str | None = None
    trunk: str | None = None
    caller_id: str | None = None
    lines: int | None = None
    per_second: float | None = None
    ring_s: float | None = None
    hours: Sequence[str] | None = None
    days: Sequence[int] | None = None
    holidays: Sequence[str] | None = None
    caps: Sequence[Sequence[int]] | None = None
    cool_down_days: float | None = None
    min_interval_hours: float | None = None
    consent: bool | None = None
    most_attempts: int | None = None


def campaign(campaign_id: str, flow: str, wishes: Wishes, default: Campaign) -> Campaign:
    """A campaign like ``default`` but for ``wishes``.  Raises :class:`~agi_bot.campaign.intake.Refused`."""
    plain = ("zone", "trunk", "caller_id", "lines", "per_second", "ring_s")
    given: dict[str, Any] = {name: getattr(wishes, name) for name in plain if getattr(wishes, name) is not None}
    retries = default.retries if wishes.most_attempts is None else replace(default.retries, most=wishes.most_attempts)
    rules = _rules(wishes, default.rules)
    title = wishes.title or campaign_id
    return replace(default, campaign_id=campaign_id, flow=flow, title=title, rules=rules, retries=retries, **given)


def _rules(wishes: Wishes, default: Rules) -> Rules:
    given: dict[str, Any] = {}
    if wishes.hours is not None or wishes.days is not None:
        given["windows"] = _windows(wishes, default.windows)
    if wishes.holidays is not None:
        given["holidays"] = frozenset(_day(text) for text in wishes.holidays)
    if wishes.caps is not None:
        given["caps"] = tuple(_cap(days, calls) for days, calls in wishes.caps)
    if wishes.cool_down_days is not None:
        given["cool_down"] = timedelta(days=wishes.cool_down_days)
    if wishes.min_interval_hours is not None:
        given["min_interval"] = timedelta(hours=wishes.min_interval_hours)
    if wishes.consent is not None:
        given["consent"] = wishes.consent
    return replace(default, **given)


def _windows(wishes: Wishes, default: tuple[Window, ...]) -> tuple[Window, ...]:
    hours = wishes.hours
    if hours is None:
        hours = [f"{window.begin.isoformat()}-{window.end.isoformat()}" for window in default]
    days = wishes.days if wishes.days is not None else sorted({day for window in default for day in window.days})
    return windows(list(hours), list(days))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(Problem("holidays", f"'{text[:40]}' is not a day like 2026-10-01")) from None


def _cap(days: int, calls: int) -> tuple[int, int]:
    if not (1 <= days <= 366 and 0 <= calls <= 1000):
        raise Refused(Problem("caps", f"[{days}, {calls}]: 1 to 366 days, 0 to 1000 calls"))
    return days, calls


def shown(campaign: Campaign) -> dict[str, Any]:
    """``campaign`` as JSON-ready data."""
    rules = campaign.rules
    return {
        "campaign_id": campaign.campaign_id,
        "script_id": campaign.flow,
        "title": campaign.title,
        "state": rules.state.value,
        "zone": campaign.zone,
        "trunk": campaign.trunk,
        "caller_id": campaign.caller_id,
        "lines": campaign.lines,
        "per_second": campaign.per_second,
        "ring_s": campaign.ring_s,
        "hours": [f"{window.begin:%H:%M}-{window.end:%H:%M}" for window in rules.windows],
        "days": sorted({day for window in rules.windows for day in window.days}),
        "holidays": sorted(day.isoformat() for day in rules.holidays),
        "caps": [list(cap) for cap in rules.caps],
        "cool_down_days": rules.cool_down / timedelta(days=1),
        "min_interval_hours": rules.min_interval / timedelta(hours=1),
        "consent": rules.consent,
        "most_attempts": campaign.retries.most,
    }
