"""The nouns of outbound calling.  Times are seconds since the epoch (UTC) unless they carry a zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from agi_bot.campaign.permission import Rules
from agi_bot.campaign.reminders import Reminder
from agi_bot.campaign.retry import RetryRules
from agi_bot.campaign.sms import SmsRule
from agi_bot.speech.answering import Answerer, AnswerRules


class TaskState(StrEnum):
    """Where a task is on its way."""

    WAITING = "waiting"
    PAUSED = "paused"
    DIALLING = "dialling"
    DONE = "done"
    CANCELLED = "cancelled"
    ORPHANED = "orphaned"
    """Its dialer died when a call may have been out: somebody has to look."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A flow, the people to be called with it, and what is allowed.

    ``zone`` is that of times without one and of callees whose zone is not known; ``lines``
    is how many calls may be up at once, ``per_second`` how many may be placed.
    ``caller_ids`` are numbers to show by the beginning of the callee's number (local
    presence); ``remind`` is when people are called about their appointments, ``sms`` what
    is sent after a call.
    """

    campaign_id: str
    flow: str
    title: str = ""
    zone: str = "Asia/Shanghai"
    trunk: str = "default"
    caller_id: str = ""
    lines: int = 10
    per_second: float = 1.0
    ring_s: float = 30.0
    rules: Rules = field(default_factory=Rules)
    retries: RetryRules = field(default_factory=RetryRules)
    caller_ids: Mapping[str, str] = field(default_factory=dict)
    remind: tuple[Reminder, ...] = ()
    sms: tuple[SmsRule, ...] = ()
    answering: AnswerRules = field(default_factory=AnswerRules)

    def caller_id_for(self, number: str) -> str:
        """The number to show to ``number``: that of the longest beginning that fits, else the campaign's."""
        fitting = [beginning for beginning in self.caller_ids if number.startswith(beginning)]
        return self.caller_ids[max(fitting, key=len)] if fitting else self.caller_id


@dataclass(frozen=True, slots=True)
class Task:
    """One person to be called about one thing.

    ``data`` is what the flow's ``task:`` asks for.  A second task with the same
    ``dedupe_key`` in one campaign is the same task.  After ``not_after`` nobody is called
    about it any more; ``appointment_id`` names what it reminds of.
    """

    task_id: str
    campaign_id: str
    number: str
    flow: str
    due_at: float
    customer_id: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0
    dedupe_key: str | None = None
    state: TaskState = TaskState.WAITING
    reason: str = ""
    outcome: str = ""
    not_after: float | None = None
    appointment_id: str = ""


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How an attempt ended: a disposition's status, ``machine``, or the conversation's outcome.

    ``answered_by`` is who or what answered (``network`` also for an attempt that was not
    answered), ``answered_by_why`` what told it.
    """

    how: str
    at: float
    answered: bool = False
    refused: bool = False
    cause: int = 0
    sip: int = 0
    detail: str = ""
    answered_by: str = ""
    answered_by_why: str = ""
    call_back_at: float | None = None
    listed: str = ""
    """The do-not-call list that the number goes on."""
    result: Mapping[str, Any] = field(default_factory=dict)

    @property
    def person(self) -> bool:
        """Whether somebody was talked to; in doubt, yes."""
        return self.answered and self.answered_by not in (Answerer.MACHINE, Answerer.SCREENING, Answerer.NETWORK)
