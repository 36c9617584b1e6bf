"""Places a task's call through the bot and tells the dialer how it ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from agi_bot.app.callback import CALL_BACK_SLOTS, call_back_at
from agi_bot.app.following import CallFailed
from agi_bot.campaign.model import AttemptEnd, Campaign, Task
from agi_bot.campaign.store.calls import BOT_DIED, CallStore, as_text
from agi_bot.campaign.store.people import PeopleStore
from agi_bot.contracts import Disposition, Status
from agi_bot.errors import PbxDown
from agi_bot.flow import TaskError
from agi_bot.record import RECORDINGS, CallRecord, Turn, place_of
from agi_bot.speech.answering import Answerer, AnswerRules, of_cause
from agi_bot.switchboard import NoFlow

log = logging.getLogger(__name__)

OWN_LIST = "own"
"""The do-not-call list of people who told the bot so."""

DO_NOT_CALL = "do_not_call"
REFUSED = "refused"
BAD_TASK = "bad_task"
"""The task does not fit its flow, or its number cannot be dialled: nothing goes out, now or later."""

STAGES = ("endpoint_ms", "interpret_ms", "reply_ms")
"""What the stages of a turn cost: its end was noticed, it was understood, the reply sounds."""

_STATUSES = frozenset(status.value for status in Status)

FAILED_IN_CALL = "error"
"""Somebody answered and the bot could not speak with them."""


DIED_IN_CALL = "answered, and the bot died in the conversation"


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
        rules: AnswerRules | None = None,
        zone: ZoneInfo | None = None,
    ) -> tuple[Disposition, CallRecord | None]:
        """One call; see the bot."""

    def talking(self, call_id: str) -> bool:
        """Whether the conversation goes on."""


class BotPlacer:
    """Keeps the promises :class:`agi_bot.campaign.dialer.Placer` and ``Records`` of its rescue.

    ``clock`` answers seconds since the epoch; ``people`` know where they live (none: where
    the campaign is).  ``recordings`` is the folder in which results name a recording's place.
    """

    def __init__(
        self,
        bot: Caller,
        calls: CallStore,
        clock: Callable[[], float],
        people: PeopleStore | None = None,
        recordings: Path = RECORDINGS,
    ) -> None:
        self._recordings = recordings
        self._bot = bot
        self._people = people
        self._calls = calls
        self._clock = clock

    async def place(self, task: Task, campaign: Campaign, attempt_id: str) -> AttemptEnd:
        """Call under ``attempt_id``.  Raises :class:`~agi_bot.errors.PbxDown`: nothing went out."""
        zone = await self._zone_of(task, campaign)
        try:
            disposition, record = await self._bot.call(
                task.number,
                task.flow,
                task.data,
                caller_id=campaign.caller_id_for(task.number),
                ring_timeout_s=campaign.ring_s,
                call_id=attempt_id,
                rules=campaign.answering,
                zone=zone,
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
        return had(self._placed(record), disposition, zone, self._clock())

    def _unheard(self, disposition: Disposition) -> AttemptEnd:
        answered = disposition.answered
        how = FAILED_IN_CALL if answered else disposition.status.value
        detail = "answered, but no conversation came of it" if answered else disposition.detail
        verdict = disposition.announced or of_cause(disposition).why
        return AttemptEnd(
            how,
            self._clock(),
            answered=answered,
            cause=disposition.cause,
            sip=disposition.sip,
            detail=detail,
            answered_by=Answerer.NETWORK.value if verdict else "",
            answered_by_why=verdict,
        )

    def talking(self, attempt_id: str) -> bool:
        return self._bot.talking(attempt_id)

    async def found(self, task: Task, campaign: Campaign, attempt_id: str) -> AttemptEnd | None:
        kept = await self._calls.get(attempt_id)
        if kept is None or kept["ended_at"] is None:
            return None
        zone = await self._zone_of(task, campaign)
        end = had(self._placed(_record(kept)), Disposition(Status.ANSWERED), zone, self._clock())
        return replace(end, detail=DIED_IN_CALL) if BOT_DIED in kept["counters"] else end

    def _placed(self, record: CallRecord) -> CallRecord:
        return replace(record, recording=place_of(record.recording, self._recordings))

    async def _zone_of(self, task: Task, campaign: Campaign) -> ZoneInfo:
        """That of the customer, else of the campaign."""
        known = await self._people.get(task.customer_id) if self._people and task.customer_id else None
        try:
            return ZoneInfo((known or {}).get("zone") or campaign.zone)
        except (KeyError, ValueError, OSError):
            return ZoneInfo(campaign.zone)


def had(record: CallRecord, disposition: Disposition, zone: ZoneInfo, now: float) -> AttemptEnd:
    """The end of an attempt whose conversation is ``record``."""
    return AttemptEnd(
        how=record.outcome or "ended",
        at=now,
        answered=record.answered_by != Answerer.NETWORK or record.outcome not in _STATUSES,
        answered_by=record.answered_by,
        answered_by_why=record.answered_by_why,
        refused=record.outcome == REFUSED or DO_NOT_CALL in record.tags,
        cause=disposition.cause,
        sip=disposition.sip,
        call_back_at=call_back_at(record, zone, now),
        listed=OWN_LIST if DO_NOT_CALL in record.tags else "",
        result=result_of(record),
    )


def _record(kept: Mapping[str, Any]) -> CallRecord:
    """What the store has of a call, as far as its result needs it."""
    slots = {name: _moment(value) if name in CALL_BACK_SLOTS else value for name, value in kept["slots"].items()}
    return CallRecord(
        call_id=kept["call_id"],
        flow=kept["flow"],
        language=kept["language"],
        started_at=datetime.fromisoformat(kept["started_at"]),
        ended_at=datetime.fromisoformat(kept["ended_at"]) if kept["ended_at"] else None,
        outcome=kept["outcome"],
        result_class=kept["result_class"],
        ended_by=kept["ended_by"],
        transfer_to=kept["transfer_to"],
        turns=[Turn(heard=turn["heard"], **{name: turn[name] for name in STAGES}) for turn in kept["turns"]],
        slots=slots,
        tags=kept["tags"],
        recording=kept["recording"],
        answered_by=kept.get("answered_by", ""),
        answered_by_why=kept.get("answered_by_why", ""),
    )


def _moment(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


def result_of(record: CallRecord) -> dict[str, Any]:
    """What the CRM is told of a conversation; ``..._s`` in s, ``..._ms`` means over its turns."""
    ended = record.ended_at
    return {
        "call_id": record.call_id,
        "result_class": record.result_class,
        "answered_by": record.answered_by,
        "tags": list(record.tags),
        "slots": {name: as_text(value) for name, value in record.slots.items()},
        "turns": len(record.turns),
        **{name: _mean(getattr(turn, name) for turn in record.turns) for name in STAGES},
        "started_at": record.started_at.isoformat(),
        "ended_at": ended.isoformat() if ended else None,
        "talk_s": round((ended - record.started_at).total_seconds(), 1) if ended else None,
        "ended_by": record.ended_by,
        "transfer_to": record.transfer_to,
        "recording": record.recording,
    }


def _mean(values: Iterable[float | None]) -> int | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known)) if known else None
