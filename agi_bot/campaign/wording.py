"""Campaigns in plain words: what a form or a command line gives, and what is shown."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from agi_bot.campaign.intake import Problem, Refused, check_name, check_number
from agi_bot.campaign.model import Campaign
from agi_bot.campaign.office import windows
from agi_bot.campaign.permission import Rules, Window
from agi_bot.campaign.reminders import Reminder, read_reminder
from agi_bot.campaign.retry import FINAL, Retry, RetryRules
from agi_bot.campaign.sms import SmsRule
from agi_bot.speech.answering import AnswerRules


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
    retries: Mapping[str, Sequence[float]] | None = None
    caller_ids: Mapping[str, str] | None = None
    remind: Sequence[str] | None = None
    sms: Sequence[Mapping[str, Any]] | None = None
    answering_machine: str | None = None
    message: str | None = None
    introduction: str | None = None
    machine_by_timing: bool | None = None
    listen_to_early_media: bool | None = None


def campaign(campaign_id: str, flow: str, wishes: Wishes, default: Campaign) -> Campaign:
    """A campaign like ``default`` but for ``wishes``.  Raises :class:`~agi_bot.campaign.intake.Refused`."""
    plain = ("zone", "trunk", "caller_id", "lines", "per_second", "ring_s")
    given: dict[str, Any] = {name: getattr(wishes, name) for name in plain if getattr(wishes, name) is not None}
    if wishes.caller_ids is not None:
        given["caller_ids"] = _caller_ids(wishes.caller_ids)
    if wishes.remind is not None:
        given["remind"] = tuple(_reminder(word) for word in wishes.remind)
    if wishes.sms is not None:
        given["sms"] = tuple(SmsRule(tuple(one["outcomes"]), str(one["text"])) for one in wishes.sms)
    retries = _retries(wishes, default.retries)
    rules = _rules(wishes, default.rules)
    given["answering"] = _answering(wishes, default.answering)
    title = wishes.title or campaign_id
    return replace(default, campaign_id=campaign_id, flow=flow, title=title, rules=rules, retries=retries, **given)


def _answering(wishes: Wishes, default: AnswerRules) -> AnswerRules:
    wanted = {
        "on_machine": wishes.answering_machine,
        "message": wishes.message,
        "introduction": wishes.introduction,
        "by_timing": wishes.machine_by_timing,
        "early_media": wishes.listen_to_early_media,
    }
    given: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    return replace(default, **given)


def _retries(wishes: Wishes, default: RetryRules) -> RetryRules:
    most = default.most if wishes.most_attempts is None else wishes.most_attempts
    wanted = wishes.retries or {}
    for end in wanted:
        near = difflib.get_close_matches(end, default.by_end, n=1, cutoff=0.8)
        if near and end not in default.by_end:
            raise Refused(Problem(f"retries.{end}", f"did you mean '{near[0]}'? known: {', '.join(default.by_end)}"))
    final = next((end for end in wanted if end in FINAL), None)
    if final is not None:
        raise Refused(Problem(f"retries.{final}", f"never called again: {FINAL[final]}"))
    changed = {check_name(end, "retries"): _retry(end, *pair) for end, pair in wanted.items()}
    return replace(default, by_end={**default.by_end, **changed}, most=most)


def _retry(end: str, times: float, minutes: float) -> Retry:
    if not (0 <= times <= 20 and times == int(times) and 0 <= minutes <= 43_200):
        raise Refused(Problem(f"retries.{end}", f"[{times:g}, {minutes:g}]: 0 to 20 times, 0 to 43200 minutes later"))
    return Retry(int(times), timedelta(minutes=minutes))


def _caller_ids(wanted: Mapping[str, str]) -> dict[str, str]:
    for beginning, shown_as in wanted.items():
        if not (beginning.isascii() and beginning.isdigit() and len(beginning) <= 16):
            raise Refused(Problem("caller_ids", f"'{beginning[:40]}' is not the beginning of a number"))
        check_number(shown_as, f"caller_ids.{beginning}")
    return dict(wanted)


def _reminder(word: str) -> Reminder:
    try:
        return read_reminder(word)
    except ValueError as error:
        raise Refused(Problem("remind", str(error))) from None


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
        "answering_machine": campaign.answering.on_machine,
        "message": campaign.answering.message,
        "introduction": campaign.answering.introduction,
        "machine_by_timing": campaign.answering.by_timing,
        "listen_to_early_media": campaign.answering.early_media,
        "hours": [f"{window.begin:%H:%M}-{window.end:%H:%M}" for window in rules.windows],
        "days": sorted({day for window in rules.windows for day in window.days}),
        "holidays": sorted(day.isoformat() for day in rules.holidays),
        "caps": [list(cap) for cap in rules.caps],
        "cool_down_days": rules.cool_down / timedelta(days=1),
        "min_interval_hours": rules.min_interval / timedelta(hours=1),
        "consent": rules.consent,
        "most_attempts": campaign.retries.most,
        "retries": {
            end: [retry.times, retry.after / timedelta(minutes=1)] for end, retry in campaign.retries.by_end.items()
        },
        "caller_ids": dict(campaign.caller_ids),
        "remind": [one.word for one in campaign.remind],
        "sms": [{"outcomes": list(rule.outcomes), "text": rule.text} for rule in campaign.sms],
    }
