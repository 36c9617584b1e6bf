"""Calls with their turns and slots."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import sqlite_utils

from agi_bot.campaign.store.database import Database
from agi_bot.contracts import Entity, Value
from agi_bot.record import CallRecord, Turn

BOT_DIED = "bot_died"
"""Counter of a call whose bot died in it: its end is that of the next look, its words are gone."""


class CallStore:
    """Writes and reads :class:`~agi_bot.record.CallRecord`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, record: CallRecord, original: CallRecord | None = None) -> None:
        """Keep ``record``; a record of the same call is replaced.

        ``original`` is the same call unmasked, kept apart from it (:meth:`original`).

        Raises :class:`~agi_bot.errors.StoreError`.
        """
        await self._database.run(lambda db: _save(db, record, original))

    async def begun(self, record: CallRecord, life: str) -> None:
        """Note that the call goes on in the bot ``life``, without anything that was said; one that is kept stays.

        Raises :class:`~agi_bot.errors.StoreError`.
        """
        row = {**_call_row(record), "task": "{}", "life": life}
        await self._database.run(lambda db: db.table("calls").insert(row, ignore=True))

    async def lost(self, is_over: Callable[[str], bool], now: datetime) -> list[str]:
        """End the calls whose bot's life is over as ``error``; which ones.  Raises StoreError."""
        return await self._database.run(lambda db: _lost(db, is_over, now))

    async def failed(self, call_id: str, now: datetime) -> None:
        """End a call that goes on as ``error``: it was refused or crashed.  Raises StoreError."""
        where = "life != '' AND call_id = ?"
        await self._database.run(lambda db: _end_open(db, where, call_id, {}, now))

    async def get(self, call_id: str) -> dict[str, Any] | None:
        """The call as JSON-ready data with ``turns`` and ``slots``; ``None`` when there is none."""
        return await self._database.run(lambda db: _get(db, call_id))

    async def original(self, call_id: str) -> dict[str, Any] | None:
        """What was said before it was masked (``turns``, ``slots``, ``task``), for admins only.

        ``None`` where it was not kept.
        """
        query = "SELECT record FROM unmasked WHERE call_id = ?"
        row = await self._database.run(lambda db: db.execute(query, [call_id]).fetchone())
        found: dict[str, Any] | None = json.loads(row[0]) if row else None
        return found

    async def latest(self, limit: int = 20) -> list[dict[str, Any]]:
        """The newest calls first, without their turns."""
        return await self._database.run(
            lambda db: [_decode(row) for row in db.table("calls").rows_where(order_by="started_at desc", limit=limit)]
        )


def _save(db: sqlite_utils.Database, record: CallRecord, original: CallRecord | None) -> None:
    db.execute("DELETE FROM calls WHERE call_id = ?", [record.call_id])
    db.table("calls").insert(_call_row(record))
    db.table("turns").insert_all(_turn_row(record.call_id, number, turn) for number, turn in enumerate(record.turns, 1))
    db.table("slots").insert_all(
        {"call_id": record.call_id, "name": name, "kind": type(value).__name__, "value": as_text(value)}
        for name, value in record.slots.items()
    )
    if original is not None:
        db.table("unmasked").insert({"call_id": record.call_id, "record": _json(_spoken(original))})


def _lost(db: sqlite_utils.Database, is_over: Callable[[str], bool], now: datetime) -> list[str]:
    lives = [life for (life,) in db.execute("SELECT DISTINCT life FROM calls WHERE life != ''").fetchall()]
    over = json.dumps([life for life in lives if is_over(life)])
    where = "life IN (SELECT value FROM json_each(?))"
    found = [call_id for (call_id,) in db.execute(f"SELECT call_id FROM calls WHERE {where}", [over]).fetchall()]
    _end_open(db, where, over, {BOT_DIED: 1}, now)
    return found


def _end_open(db: sqlite_utils.Database, where: str, value: str, counters: dict[str, int], now: datetime) -> None:
    query = "UPDATE calls SET ended_at = ?, outcome = 'error', ended_by = 'error', counters = ?, life = '' WHERE"
    db.execute(f"{query} {where}", [now.isoformat(), _json(counters), value])


def _spoken(record: CallRecord) -> dict[str, Any]:
    return {
        "turns": [
            {
                "said": turn.said,
                "heard": turn.heard,
                "keys": turn.keys,
                "entities": [_entity(entity) for entity in turn.entities],
            }
            for turn in record.turns
        ],
        "slots": {name: as_text(value) for name, value in record.slots.items()},
        "task": {name: as_text(value) for name, value in record.task.items()},
    }


def _call_row(record: CallRecord) -> dict[str, Any]:
    return {
        "call_id": record.call_id,
        "flow": record.flow,
        "flow_version": record.flow_version,
        "language": record.language,
        "direction": record.direction,
        "caller": record.caller,
        "called": record.called,
        "channel": record.channel,
        "unique_id": record.unique_id,
        "started_at": record.started_at.isoformat(),
        "ended_at": record.ended_at.isoformat() if record.ended_at else None,
        "outcome": record.outcome,
        "result_class": record.result_class,
        "answered_by": record.answered_by,
        "answered_by_why": record.answered_by_why,
        "answered_by_ms": record.answered_by_ms,
        "ended_by": record.ended_by,
        "transfer_to": record.transfer_to,
        "tags": _json(record.tags),
        "task": _json({name: as_text(value) for name, value in record.task.items()}),
        "recording": record.recording,
        "engines": _json(record.engines),
        "counters": _json(record.counters),
    }


def _turn_row(call_id: str, number: int, turn: Turn) -> dict[str, Any]:
    fields = {name: getattr(turn, name) for name in Turn.__dataclass_fields__ if name != "words"}
    fields["entities"] = _json([_entity(entity) for entity in turn.entities])
    fields["notes"] = _json(turn.notes)
    return {"call_id": call_id, "number": number, **fields}


def _entity(entity: Entity) -> dict[str, Any]:
    return {"kind": entity.kind, "value": as_text(entity.value), "text": entity.text}


def _get(db: sqlite_utils.Database, call_id: str) -> dict[str, Any] | None:
    rows = list(db.table("calls").rows_where("call_id = ?", [call_id]))
    if not rows:
        return None
    call = _decode(rows[0])
    call["turns"] = [_decode(row) for row in db.table("turns").rows_where("call_id = ?", [call_id], order_by="number")]
    call["slots"] = {row["name"]: row["value"] for row in db.table("slots").rows_where("call_id = ?", [call_id])}
    return call


_ENCODED = ("tags", "task", "engines", "counters", "entities", "notes")


def _decode(row: dict[str, Any]) -> dict[str, Any]:
    return {name: json.loads(value) if name in _ENCODED else value for name, value in row.items() if name != "life"}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def as_text(value: Value) -> str:
    """A slot's value as text: ISO 8601 for dates and times, digits for numbers."""
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, Decimal | int | float) else value
