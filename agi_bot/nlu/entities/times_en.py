"""Clock times in spoken English: half past two, ten to five, 3 pm, in half an hour; and the whole grammar."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from agi_bot.nlu.entities import dates_en
from agi_bot.nlu.entities.moments import NOON, Grammar
from agi_bot.nlu.entities.numerals_en import ONES, ORDINAL, TO_59, below_hundred
from agi_bot.nlu.entities.pieces import Period, Rule, Said

_PERIODS = {"morning": Period.MORNING, "afternoon": Period.AFTERNOON, "evening": Period.NIGHT, "night": Period.NIGHT}
_HOURS = "|".join(sorted(ONES[1:], key=len, reverse=True))
_H = rf"(?P<hour>twenty (?:one|two|three)|twenty|{_HOURS}|\d{{1,2}})"
_AM = r"(?P<half_day>a m|p m|am|pm)"
_P = rf"(?: ?{_AM}| (?:in the|at|this) (?P<period>morning|afternoon|evening|night))"
_MINUTES = r"(?P<minute>twenty five|twenty|five|ten|(?:a )?quarter|\d{1,2}|half)"
_CLOCK = r"(?: ?o ?'?clock)"


def _clock(match: re.Match[str], now: datetime) -> Said | None:
    return _said(match, below_hundred(match["hour"]), below_hundred(match["minute"]))


def _hour(match: re.Match[str], now: datetime) -> Said | None:
    return _said(match, below_hundred(match["hour"]), 0)


def _o_clock(match: re.Match[str], now: datetime) -> Said | None:
    hour = below_hundred(match["hour"])
    return Said(clock=(hour % 24, 0), exact=hour > NOON) if hour <= 24 else None


def _weak(match: re.Match[str], now: datetime) -> Said | None:
    hour = below_hundred(match["hour"])
    third_one = hour == 1 and re.search(rf"\b{ORDINAL} $", match.string[: match.start()])
    return Said(clock=(hour, 0), weak=True) if 1 <= hour <= NOON and not third_one else None


def _past(match: re.Match[str], now: datetime) -> Said | None:
    return _said(match, below_hundred(match["hour"]), _amount(match["minute"]))


def _to(match: re.Match[str], now: datetime) -> Said | None:
    hour = below_hundred(match["hour"])
    return _said(match, 23 if hour == 0 else hour - 1 or NOON, 60 - _amount(match["minute"]))


def _half(match: re.Match[str], now: datetime) -> Said | None:
    return _said(match, below_hundred(match["hour"]), 30)


def _amount(words: str) -> int:
    return {"quarter": 15, "a quarter": 15, "half": 30}.get(words) or below_hundred(words)


def _said(match: re.Match[str], hour: int, minute: int) -> Said | None:
    if hour > 24 or minute > 59:
        return None
    half_day = (match["half_day"] or "").replace(" ", "")
    if half_day:
        return Said(clock=(hour % NOON + (NOON if half_day == "pm" else 0), minute), exact=True)
    return Said(period=_PERIODS.get(match["period"] or ""), clock=(hour % 24, minute), exact=hour > NOON)


def _military(match: re.Match[str], now: datetime) -> Said:
    return Said(clock=(below_hundred(match["hour"]) % 24, 0), exact=True)


def _named(match: re.Match[str], now: datetime) -> Said:
    if "midnight" in match[0]:
        return Said(clock=(NOON, 0), period=Period.NIGHT)
    return Said(clock=(NOON, 0), exact=True)


def _period(match: re.Match[str], now: datetime) -> Said:
    return Said(period=_PERIODS[match["period"]])


def _later(match: re.Match[str], now: datetime) -> Said:
    return Said(moment=now + _length(match["length"]))


def _length(words: str) -> timedelta:
    if words == "half an hour":
        return timedelta(minutes=30)
    count, unit = re.split(r" (?=hour|minute)", words.replace(" and a half", ""), maxsplit=1)
    amount = {"a": 1, "an": 1}.get(count) or below_hundred(count)
    half = 30 if "and a half" in words else 0
    return timedelta(minutes=amount * (60 if unit.startswith("hour") else 1) + half)


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})(?![a-z0-9])")


_LENGTH = rf"(?P<length>half an hour|(?:an|a|{TO_59}|\d{{1,3}})(?: and a half)? (?:hours?|minutes?)(?: and a half)?)"
_UNITS = r"(?! (?:days?|weeks?|months?|hours?|minutes?|people|times?|percent|dollars?|hundred|thousand|point|after))"

_RULES: tuple[Rule, ...] = (
    (_rule(rf"{_H}{_CLOCK}?{_P}"), _hour),
    (_rule(rf"{_H}{_CLOCK}"), _o_clock),
    (_rule(rf"{_H} (?:oh |o )?(?P<minute>{TO_59}|\d\d){_P}?"), _clock),
    (_rule(rf"{_H}:(?P<minute>\d\d){_P}?"), _clock),
    (_rule(rf"{_H}\.(?P<minute>\d\d){_P}"), _clock),
    (_rule(rf"half (?:past )?{_H}{_P}?"), _half),
    (_rule(rf"{_MINUTES}(?: min(?:ute)?s?)? (?:past|after) {_H}{_CLOCK}?{_P}?"), _past),
    (_rule(rf"{_MINUTES}(?: min(?:ute)?s?)? (?:to|before|of|till) {_H}{_CLOCK}?{_P}?"), _to),
    (_rule(rf"(?:oh )?{_H} hundred(?: hours)?"), _military),
    (_rule(r"(?:twelve )?(?:noon|midday)|midnight|twelve midnight"), _named),
    (_rule(r"(?:(?:in the|this) )?(?P<period>morning|afternoon|evening|night)"), _period),
    (_rule(rf"(?:in|within) {_LENGTH}(?: and a half)?"), _later),
    (_rule(rf"{_LENGTH} (?:from now|later)"), _later),
    (_rule(rf"(?<!in )(?<!the )(?<!that )(?<!this )(?<!no )(?<!any ){_H}{_UNITS}"), _weak),
)

_CANNOT = r"no good|not|bad|isn't|is not|doesn't|does not|won't|wouldn't|impossible|no"

GRAMMAR = Grammar(
    rules=(*dates_en.RULES, *_RULES),
    filler=re.compile(r"[ ,]*(?:(?:at|on|in|the|around|about|for|say|maybe|um|uh|by|from)[ ,]*)*"),
    joiner=re.compile(r" (?:to|or|till|until|and) (?:at )?"),
    denied_before=re.compile(
        r"\b(?:not|can't|cannot|can not|not free|no time|busy|don't|except)"
        r"(?: (?:at|on|do|come|make it|the|for|free|want))* $"
    ),
    denied_after=re.compile(rf"(?:'s)? (?:(?:is|are|was) )?(?:{_CANNOT})\b"),
)
