"""What the dialplan gets to know of a conversation, as channel variables."""

from __future__ import annotations

import re
from datetime import date, datetime, time

from agi_bot.contracts import Value
from agi_bot.record import CallRecord

MAX_VALUE = 512
"""Longest value of a channel variable, characters."""

_NAME = re.compile(r"[^A-Z0-9_]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def result_variables(record: CallRecord) -> dict[str, str]:
    """``BOT_OUTCOME``, ``BOT_INTENT``, ``BOT_TRANSFER``, ``BOT_TAGS``, ``BOT_CALL_ID`` and ``BOT_SLOT_*``."""
    intent = next((turn.intent for turn in reversed(record.turns) if turn.intent), "")
    variables = {
        "BOT_OUTCOME": record.outcome,
        "BOT_INTENT": intent,
        "BOT_TRANSFER": record.transfer_to,
        "BOT_TAGS": ",".join(record.tags),
        "BOT_CALL_ID": record.call_id,
    }
    for name, value in record.slots.items():
        variables[f"BOT_SLOT_{_NAME.sub('_', name.upper())}"] = _text(value)
    return {name: _CONTROL.sub(" ", value)[:MAX_VALUE] for name, value in variables.items()}


def _text(value: Value) -> str:
    if isinstance(value, datetime | time):
        return value.isoformat(timespec="minutes")
    return value.isoformat() if isinstance(value, date) else str(value)
