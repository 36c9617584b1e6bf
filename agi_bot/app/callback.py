"""When somebody asked to be called again: what a flow noted, else what they said ("明天下午再打").  Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from agi_bot.nlu.entities import finder
from agi_bot.record import CallRecord

CALL_BACK_SLOTS = ("call_back_at", "callback_time")
CALL_LATER = frozenset({"call_later", "call_back"})
"""Outcomes of people who asked to be called again, whatever time they named."""

LATER_S = 7200.0
"""Who named no time is called so much later, s, if the campaign's rules let it."""

_PARTS: tuple[tuple[re.Pattern[str], time], ...] = (
    (re.compile(r"早上|早晨|上午|\bmorning\b"), time(10)),
    (re.compile(r"中午|\bnoon\b|\blunch"), time(12, 30)),
    (re.compile(r"下午|\bafternoon\b"), time(15)),
    (re.compile(r"傍晚"), time(18)),
    (re.compile(r"晚上|今晚|\bevening\b|\btonight\b"), time(19)),
)
"""The part of a day that was named, and the hour that is meant by it."""


def call_back_at(record: CallRecord, zone: ZoneInfo, now: float) -> float | None:
    """Seconds since the epoch, ``None`` for who did not ask for it; a time without zone is in ``zone``."""
    for name in CALL_BACK_SLOTS:
        value = record.slots.get(name)
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=zone)).timestamp()
    if record.outcome not in CALL_LATER:
        return None
    said = next((turn.heard for turn in reversed(record.turns) if turn.heard), "")
    wanted = asked_for(said, record.language, datetime.fromtimestamp(now, zone))
    return wanted.timestamp() if wanted else now + LATER_S


def asked_for(said: str, language: str, now: datetime) -> datetime | None:
    """The moment behind ``now`` that ``said`` names; ``None`` where it names none."""
    said = said.lower()
    found = finder(language)(said, "datetime", now)
    value = found[0].value if found else None
    part = next((at for words, at in _PARTS if words.search(said)), None)
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=now.tzinfo)
    elif isinstance(value, date):
        moment = datetime.combine(value, part or now.time(), now.tzinfo)
    elif isinstance(value, time) or part:
        moment = _next(value if isinstance(value, time) else part or now.time(), now)
    else:
        return None
    return moment if moment > now else None


def _next(clock: time, now: datetime) -> datetime:
    today = datetime.combine(now.date(), clock, now.tzinfo)
    return today if today > now else today + timedelta(days=1)
