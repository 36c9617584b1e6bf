"""A campaign's rules and retries as the JSON that the table keeps."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, time, timedelta
from typing import Any

from agi_bot.campaign.model import Campaign
from agi_bot.campaign.permission import Rules, State, Window
from agi_bot.campaign.reminders import read_reminder
from agi_bot.campaign.retry import Retry, RetryRules
from agi_bot.campaign.sms import SmsRule
from agi_bot.speech.answering import AnswerRules


def dump(campaign: Campaign) -> str:
    """Everything of ``campaign`` that has no column of its own."""
    rules, retries = campaign.rules, campaign.retries
    return json.dumps(
        {
            "lines": campaign.lines,
            "per_second": campaign.per_second,
            "ring_s": campaign.ring_s,
            "windows": [[w.begin.isoformat(), w.end.isoformat(), sorted(w.days)] for w in rules.windows],
            "holidays": sorted(day.isoformat() for day in rules.holidays),
            "caps": [list(cap) for cap in rules.caps],
            "cool_down_s": rules.cool_down.total_seconds(),
            "min_interval_s": rules.min_interval.total_seconds(),
            "consent": rules.consent,
            "retries": {end: [retry.times, retry.after.total_seconds()] for end, retry in retries.by_end.items()},
            "most": retries.most,
            "caller_ids": dict(campaign.caller_ids),
            "remind": [one.word for one in campaign.remind],
            "sms": [[list(rule.outcomes), rule.text] for rule in campaign.sms],
            "answering": asdict(campaign.answering),
        }
    )


def load(row: dict[str, Any]) -> Campaign:
    """The campaign of a row of the table."""
    kept = json.loads(row["rules"])
    return Campaign(
        campaign_id=row["campaign_id"],
        flow=row["flow"],
        title=row["title"],
        zone=row["zone"],
        trunk=row["trunk"],
        caller_id=row["caller_id"],
        lines=kept["lines"],
        per_second=kept["per_second"],
        ring_s=kept["ring_s"],
        answering=AnswerRules(**kept.get("answering", {})),
        rules=_rules(State(row["state"]), kept),
        retries=RetryRules(
            {end: Retry(times, timedelta(seconds=wait)) for end, (times, wait) in kept["retries"].items()}, kept["most"]
        ),
        caller_ids=kept.get("caller_ids", {}),
        remind=tuple(read_reminder(word) for word in kept.get("remind", ())),
        sms=_sms(kept),
    )


def sms_rules(text: str) -> tuple[SmsRule, ...]:
    """The text messages of what :func:`dump` wrote."""
    return _sms(json.loads(text))


def _sms(kept: dict[str, Any]) -> tuple[SmsRule, ...]:
    return tuple(SmsRule(tuple(outcomes), text) for outcomes, text in kept.get("sms", ()))


def _rules(state: State, kept: dict[str, Any]) -> Rules:
    windows = [Window(time.fromisoformat(a), time.fromisoformat(b), frozenset(days)) for a, b, days in kept["windows"]]
    return Rules(
        state=state,
        windows=tuple(windows),
        holidays=frozenset(date.fromisoformat(day) for day in kept["holidays"]),
        caps=tuple((days, calls) for days, calls in kept["caps"]),
        cool_down=timedelta(seconds=kept["cool_down_s"]),
        min_interval=timedelta(seconds=kept["min_interval_s"]),
        consent=kept["consent"],
    )
