"""What comes from outside and is to become a task: every field is checked before anything is kept.  Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from agi_bot.campaign.model import Task
from agi_bot.config.hours import read_zone
from agi_bot.errors import AgiBotError
from agi_bot.flow import Flow, TaskError

NUMBER = re.compile(r"[0-9]{3,16}")
"""A number as it is dialled: up to 15 digits (ITU-T E.164) and one of a trunk's prefix."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
LONGEST_TEXT = 200
LATE = timedelta(minutes=5)
"""A call time may lie so far back: clocks differ."""

AHEAD = timedelta(days=731)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x80-\x9f\u2028\u2029\ud800-\udfff]")
_DIALPLAN = re.compile(r"\$[{\[]")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field."""

    field: str
    reason: str


class Refused(AgiBotError):
    """Something from outside cannot be used; nothing of it was kept."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{one.field}: {one.reason}" for one in problems), cure="correct it and send again")


@dataclass(frozen=True, slots=True)
class Order:
    """A task as it was asked for; ``call_time`` empty: now."""

    customer_id: str
    script_id: str
    call_time: str = ""
    number: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0
    dedupe_key: str | None = None
    campaign_id: str = ""
    not_after: str = ""


def check_number(text: str, name: str = "number") -> str:
    """``text`` when it is a number that can be dialled.  Raises :class:`Refused`."""
    if NUMBER.fullmatch(text):
        return text
    odd = next((sign for sign in text if sign not in "0123456789"), "")
    reason = f"{_shown(odd)} is not a digit 0-9" if odd else f"{len(text)} digits; 3 to 16 are dialled"
    raise Refused(Problem(name, reason))


def check_name(text: str, name: str) -> str:
    """``text`` when it may name a thing (letters, digits, ``_ . : -``, at most 64).  Raises :class:`Refused`."""
    if NAME.fullmatch(text):
        return text
    raise Refused(Problem(name, "letters, digits and _ . : - only, 1 to 64 of them, a letter or digit first"))


def check_text(text: str, name: str) -> str:
    """``text`` when it can neither end a protocol's line nor be run by a dialplan.  Raises :class:`Refused`."""
    if len(text) > LONGEST_TEXT:
        raise Refused(Problem(name, f"{len(text)} characters, at most {LONGEST_TEXT}"))
    found = _CONTROL.search(text)
    if found:
        raise Refused(Problem(name, f"control character {_shown(found[0])} at {found.start() + 1}"))
    if _DIALPLAN.search(text):
        raise Refused(Problem(name, "${ and $[ are commands to a dialplan"))
    return text


def check_texts(value: Any, name: str) -> None:
    """:func:`check_text` for every text inside of ``value`` (JSON-ready).  Raises :class:`Refused`."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            check_text(str(key), name)
            check_texts(one, f"{name}.{str(key)[:64]}")
    elif isinstance(value, list | tuple):
        for at, one in enumerate(value):
            check_texts(one, f"{name}[{at}]")
    else:
        check_text(str(value), name)


def check_zone(name: str) -> ZoneInfo:
    """The time zone ``name``.  Raises :class:`Refused`."""
    try:
        return read_zone(name)
    except ValueError as fault:
        raise Refused(Problem("zone", str(fault))) from None


def read_time(text: str, zone: ZoneInfo, now: float, name: str = "call_time") -> float:
    """``text`` (ISO 8601; without zone it is in ``zone``) as seconds since the epoch.

    Raises :class:`Refused` for the past, for a moment that a clock change leaves out, and
    for more than two years ahead.
    """
    return max(read_local(text, zone, now, name).timestamp(), now)


def read_local(text: str, zone: ZoneInfo, now: float, name: str = "event_time", *, past: bool = False) -> datetime:
    """The moment that ``text`` says, in ``zone``; with ``past`` it may lie as far back as ahead.

    Raises :class:`Refused` as :func:`read_time` does.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(Problem(name, f"'{text[:40]}' is not a time like 2026-10-01T14:00:00")) from None
    try:
        return _usable(moment, zone, datetime.fromtimestamp(now, UTC), past).astimezone(zone)
    except (ValueError, OverflowError) as error:
        raise Refused(Problem(name, f"{text}: {error}")) from None


def _usable(moment: datetime, zone: ZoneInfo, now: datetime, past: bool) -> datetime:
    if not now.year - 3 <= moment.year <= now.year + 3:
        raise ValueError("in the past" if moment.year < now.year else "more than two years ahead")
    local = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    if moment.tzinfo is None and local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise ValueError(f"the clock of {zone.key} leaves this time out")
    if local < now - (AHEAD if past else LATE):
        raise ValueError("in the past")
    if local > now + AHEAD:
        raise ValueError("more than two years ahead")
    return local


def read_task(order: Order, flow: Flow | None, campaign_id: str, zone: ZoneInfo, now: float, task_id: str) -> Task:
    """The task of ``order``, whose number is known by now.  Raises :class:`Refused` with every problem."""
    problems: list[Problem] = []
    due_at, not_after = now, None
    if flow is None:
        problems.append(Problem("script_id", f"there is no script '{order.script_id[:64]}'"))
    try:
        due_at = read_time(order.call_time, zone, now) if order.call_time else now
        not_after = read_time(order.not_after, zone, now, "not_after") if order.not_after else None
    except Refused as refused:
        problems += refused.problems
    if not_after is not None and not_after <= due_at:
        problems.append(Problem("not_after", "is not after call_time"))
    problems += _wrong(order)
    if flow is not None and not problems:
        problems += _data_problems(flow, order.data)
    if problems:
        raise Refused(*problems)
    return Task(
        task_id=task_id,
        campaign_id=campaign_id,
        number=order.number,
        flow=order.script_id,
        due_at=due_at,
        customer_id=order.customer_id,
        data=order.data,
        priority=order.priority,
        dedupe_key=order.dedupe_key,
        not_after=not_after,
    )


def _wrong(order: Order) -> list[Problem]:
    found: list[Problem] = []
    checks = [(check_number, order.number, "number"), (check_text, order.customer_id, "customer_id")]
    checks += [(check_text, order.dedupe_key or "", "dedupe_key")]
    checks += [(check_text, value, f"data.{name}") for name, value in order.data.items() if isinstance(value, str)]
    for check, value, name in checks:
        try:
            check(value, name)
        except Refused as refused:
            found += refused.problems
    for name, value in order.data.items():
        if isinstance(value, float) and not math.isfinite(value):
            found.append(Problem(f"data.{name}", "not a finite number"))
    if not -100 <= order.priority <= 100:
        found.append(Problem("priority", f"{order.priority}: from -100 to 100"))
    return found


def _data_problems(flow: Flow, data: Mapping[str, Any]) -> list[Problem]:
    try:
        flow.read_task(data)
    except TaskError as error:
        return [Problem("data", reason) for reason in error.problems]
    except (TypeError, ArithmeticError) as error:
        return [Problem("data", f"{error} in {json.dumps(data, ensure_ascii=False, default=str)[:80]}")]
    return []


def _shown(sign: str) -> str:
    return repr(sign) if sign.isprintable() else f"U+{ord(sign):04X}"
