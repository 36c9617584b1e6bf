"""Stored calls, read back from the JSON form in which reports and the store keep them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agi_bot.errors import FlowError
from agi_bot.record import CallRecord, Turn

_TURN = ("step", "said", "heard", "keys", "intent", "confidence", "heard_from_ms", "heard_to_ms")


def record_of(data: Mapping[str, Any], name: str = "the call") -> CallRecord:
    """The call in ``data``; values of slots and of the task stay as they are written.

    Raises :class:`~agi_bot.errors.FlowError` for data that is no call.
    """
    try:
        turns = [_turn(turn) for turn in data["turns"]]
        started = datetime.fromisoformat(str(data["started_at"]))
        record = CallRecord(str(data["call_id"]), str(data["flow"]), str(data.get("language", "")), started)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FlowError(
            f"{name} is not a stored call: {type(error).__name__} {error}",
            cure="it needs call_id, flow, started_at and turns, as the store and reports have them",
        ) from None
    record.turns = turns
    record.outcome = str(data.get("outcome") or "")
    record.ended_by = str(data.get("ended_by") or "")
    record.recording = str(data.get("recording") or "")
    record.slots = dict(data.get("slots") or {})
    record.task = dict(data.get("task") or {})
    return record


def _turn(data: Mapping[str, Any]) -> Turn:
    return Turn(**{key: data[key] for key in _TURN if data.get(key) is not None})
