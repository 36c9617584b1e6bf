"""Places a task's call through the bot and tells the dialer how it ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from agi_bot.app.bot import CallFailed
from agi_bot.campaign.model import AttemptEnd, Campaign, Task
from agi_bot.campaign.store.calls import as_text
from agi_bot.campaign.store.tasks import TaskStore
from agi_bot.contracts import Disposition, Status
from agi_bot.errors import PbxDown
from agi_bot.flow import TaskError
from agi_bot.record import CallRecord
from agi_bot.switchboard import NoFlow

log = logging.getLogger(__name__)

OWN_LIST = "own"
"""The do-not-call list of people who told the bot so."""

DO_NOT_CALL = "do_not_call"
REFUSED = "refused"
CALL_BACK_SLOTS = ("call_back_at", "callback_time")
CALL_LATER = frozenset({"call_later", "call_back"})
"""Outcomes of people who asked to be called again and named no time."""

LATER_S = 7200.0
"""They are called so much later, s, if the campaign's rules let it."""

BAD_TASK = "bad_task"
"""The task does not fit its flow, or its number cannot be dialled: nothing goes out, now or later."""

FAILED_IN_CALL = "error"
"""Somebody answered and the bot could not speak with them."""


class Caller(Protocol):
    """What a placer needs of :class:`agi_bot.app.bot.Bot`."""

    async def call(
        self,
        number: str,
        flow: str,
        task: Mapping[str, object],
        *,
        caller_id: str = "",
        ring_timeout_s: float = 30.0,
        call_id: str = "",
    ) -> tuple[Disposition, CallRecord | None]:
        """One call; see the bot."""


class BotPlacer:
    """Keeps the promise :class:`agi_bot.campaign.dialer.Placer`; ``clock`` answers seconds since the epoch."""

    def __init__(self, bot: Caller, store: TaskStore, clock: Callable[[], float]) -> None:
        self._bot = bot
        self._store = store
        self._clock = clock

    async def place(self, task: Task, campaign: Campaign, attempt_id: str) -> AttemptEnd:
        """Call under ``attempt_id``.  Raises :class:`~agi_bot.errors.PbxDown`: nothing went out."""
        try:
            disposition, record = await self._bot.call(
                task.number,
                task.flow,
                task.data,
                caller_id=campaign.caller_id,
                ring_timeout_s=campaign.ring_s,
                call_id=attempt_id,
            )
        except PbxDown:
            raise
        except (TaskError, NoFlow, ValueError) as error:
            return AttemptEnd(BAD_TASK, self._clock(), detail=str(error))
        except CallFailed as error:
            return AttemptEnd(FAILED_IN_CALL, self._clock(), answered=True, detail=str(error))
        except Exception as error:
            # Nobody can tell whether it rang: as unknown it is never dialled again by itself.
            log.exception("dialer.call_crashed", extra={"task_id": task.task_id, "call_id": attempt_id})
            return AttemptEnd(Status.UNKNOWN, self._clock(), detail=f"{type(error).__name__}: {error}")
        if record is None:
            return self._unheard(disposition)
        await self._mark(task, record, attempt_id)
        return had(record, disposition, ZoneInfo(campaign.zone), self._clock())

    def _unheard(self, disposition: Disposition) -> AttemptEnd:
        answered = disposition.answered
        how = FAILED_IN_CALL if answered else disposition.status.value
        detail = "answered, but no conversation came of it" if answered else disposition.detail
        return AttemptEnd(
            how, self._clock(), answered=answered, cause=disposition.cause, sip=disposition.sip, detail=detail
        )

    async def _mark(self, task: Task, record: CallRecord, attempt_id: str) -> None:
        if DO_NOT_CALL in record.tags:
            await self._store.add_do_not_call(OWN_LIST, [task.number], f"call {attempt_id}", self._clock())


def had(record: CallRecord, disposition: Disposition, zone: ZoneInfo, now: float) -> AttemptEnd:
    """The end of an attempt whose conversation is ``record``."""
    return AttemptEnd(
        how=record.outcome or "ended",
        at=now,
        answered=True,
        refused=record.outcome == REFUSED or DO_NOT_CALL in record.tags,
        cause=disposition.cause,
        sip=disposition.sip,
        call_back_at=call_back_at(record, zone, now),
        result=result_of(record),
    )


def call_back_at(record: CallRecord, zone: ZoneInfo, now: float) -> float | None:
    """When the person asked to be called, seconds since the epoch; a time without zone is in ``zone``."""
    for name in CALL_BACK_SLOTS:
        value = record.slots.get(name)
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=zone)).timestamp()
    return now + LATER_S if record.outcome in CALL_LATER else None


def result_of(record: CallRecord) -> dict[str, Any]:
    """What the CRM is told of a conversation; durations in s."""
    ended = record.ended_at
    return {
        "call_id": record.call_id,
        "result_class": record.result_class,
        "tags": list(record.tags),
        "slots": {name: as_text(value) for name, value in record.slots.items()},
        "turns": len(record.turns),
        "started_at": record.started_at.isoformat(),
        "ended_at": ended.isoformat() if ended else None,
        "talk_s": round((ended - record.started_at).total_seconds(), 1) if ended else None,
        "ended_by": record.ended_by,
        "transfer_to": record.transfer_to,
        "recording": record.recording,
    }
