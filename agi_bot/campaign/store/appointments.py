"""What people are reminded of, and the tasks that this makes: planned, moved and cancelled in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlite_utils

from agi_bot.campaign.model import Task, TaskState
from agi_bot.campaign.store.database import Database
from agi_bot.campaign.store.desk import add_many

ACTIVE = "active"
CANCELLED = "cancelled"
OVER = "over"


@dataclass(frozen=True, slots=True)
class Appointment:
    """Somebody is expected at ``event_time``, again as ``repeat`` (RRULE) says; ``time_field`` gets it."""

    appointment_id: str
    campaign_id: str
    customer_id: str
    number: str
    event_time: datetime
    data: Mapping[str, Any]
    time_field: str = ""
    repeat: str = ""
    state: str = ACTIVE
    planned_until: float = 0.0

    @property
    def zone(self) -> ZoneInfo:
        """The event's own."""
        assert isinstance(self.event_time.tzinfo, ZoneInfo)
        return self.event_time.tzinfo


@dataclass(frozen=True, slots=True)
class Planned:
    """What a plan did: tasks that are new, and how many were withdrawn because their event is not any more."""

    new: int = 0
    withdrawn: int = 0


class AppointmentStore:
    """Appointments and their tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, appointment_id: str) -> Appointment | None:
        """The appointment, or ``None``."""
        query = "appointment_id = ?"
        rows = await self._database.run(lambda db: list(db.table("appointments").rows_where(query, [appointment_id])))
        return _read(rows[0]) if rows else None

    async def page(self, campaign_id: str = "", after: str = "", limit: int = 100) -> list[Appointment]:
        """Appointments by id, those behind ``after`` first; of all campaigns without ``campaign_id``."""
        where, values = "appointment_id > ?", [after]
        if campaign_id:
            where, values = f"{where} AND campaign_id = ?", [after, campaign_id]
        order = "appointment_id"
        rows = await self._database.run(
            lambda db: list(db.table("appointments").rows_where(where, values, order_by=order, limit=limit))
        )
        return [_read(row) for row in rows]

    async def to_plan(self, before: float, limit: int) -> list[Appointment]:
        """Active appointments that are planned no further than ``before``."""
        where = "state = ? AND planned_until < ?"
        rows = await self._database.run(
            lambda db: list(
                db.table("appointments").rows_where(where, [ACTIVE, before], order_by="planned_until", limit=limit)
            )
        )
        return [_read(row) for row in rows]

    async def tasks(self, appointment_id: str) -> list[dict[str, Any]]:
        """Its tasks, by due time."""
        where = "appointment_id = ?"
        return await self._database.run(
            lambda db: list(db.table("tasks").rows_where(where, [appointment_id], order_by="due_at"))
        )

    async def plan(self, wanted: Appointment, events: Sequence[float], tasks: Sequence[Task], now: float) -> Planned:
        """Keep ``wanted`` and ``tasks``, and withdraw tasks that wait for an event which is not among ``events``.

        Tasks that wait get the number and the data of ``tasks`` with the same event; a task that
        is known by its dedupe key stays as it is.  All of it or nothing.
        """
        return await self._database.run(lambda db: _plan(db, wanted, events, tasks, now))

    async def extend(self, before: Appointment, wanted: Appointment, tasks: Sequence[Task], now: float) -> int:
        """Keep ``tasks`` of later events beside those that are planned; how many are new.

        Nothing is kept when the appointment is not as it was ``before`` any more: somebody
        has moved or cancelled it.
        """
        return await self._database.run(lambda db: _extend(db, before, wanted, tasks, now))

    async def cancel(self, wanted: Appointment, reason: str, now: float) -> int:
        """Nobody is called about it any more; how many tasks were withdrawn."""
        gone = replace(wanted, state=CANCELLED)
        return await self._database.run(lambda db: _withdraw(db, gone, (), reason, now) if _save(db, gone, now) else 0)


def _plan(
    db: sqlite_utils.Database, wanted: Appointment, events: Sequence[float], tasks: Sequence[Task], now: float
) -> Planned:
    _save(db, wanted, now)
    withdrawn = _withdraw(db, wanted, events, "its event was moved", now)
    query = "UPDATE tasks SET number = ?, data = ? WHERE appointment_id = ? AND not_after = ? AND state IN (?, ?)"
    for task in {task.not_after: task for task in tasks}.values():
        data = json.dumps(dict(task.data), ensure_ascii=False)
        db.execute(query, [task.number, data, wanted.appointment_id, task.not_after, *_OPEN])
    return Planned(_add(db, wanted, tasks, now), withdrawn)


def _extend(
    db: sqlite_utils.Database, before: Appointment, wanted: Appointment, tasks: Sequence[Task], now: float
) -> int:
    rows = db.table("appointments").rows_where("appointment_id = ?", [before.appointment_id])
    if [_read(row) for row in rows] != [before]:
        return 0
    _save(db, wanted, now)
    return _add(db, wanted, tasks, now)


def _add(db: sqlite_utils.Database, wanted: Appointment, tasks: Sequence[Task], now: float) -> int:
    trunk = db.execute("SELECT trunk FROM campaigns WHERE campaign_id = ?", [wanted.campaign_id]).fetchone()
    return add_many(db, tasks, [""] * len(tasks), trunk[0] if trunk else "default", now) if tasks else 0


_OPEN = (TaskState.WAITING.value, TaskState.PAUSED.value)


def _withdraw(db: sqlite_utils.Database, wanted: Appointment, events: Sequence[float], reason: str, now: float) -> int:
    query = "SELECT task_id, not_after, campaign_id FROM tasks WHERE appointment_id = ? AND state IN (?, ?, ?)"
    live = db.execute(query, [wanted.appointment_id, *_OPEN, TaskState.DIALLING.value]).fetchall()
    gone = [(one,) for one, event, campaign in live if campaign != wanted.campaign_id or event not in events]
    # Without its key an event that is moved back is planned anew, and a call that is out now is the last one.
    marking = "UPDATE tasks SET dedupe_key = NULL, reason = ?, updated_at = ? WHERE task_id = ?"
    db.conn.executemany(marking, [(reason, now, *one) for one in gone])
    closing = "UPDATE tasks SET state = 'cancelled' WHERE task_id = ? AND state != 'dialling' RETURNING task_id"
    gone = [one for task in gone for one in db.execute(closing, task).fetchall()]
    for table in ("queue_later", "queue_ready"):
        db.conn.executemany(f"DELETE FROM {table} WHERE task_id = ?", gone)
    return len(gone)


def _save(db: sqlite_utils.Database, wanted: Appointment, now: float) -> bool:
    row = {
        "appointment_id": wanted.appointment_id,
        "campaign_id": wanted.campaign_id,
        "customer_id": wanted.customer_id,
        "number": wanted.number,
        "data": json.dumps(dict(wanted.data), ensure_ascii=False),
        "time_field": wanted.time_field,
        "event_time": wanted.event_time.replace(tzinfo=None).isoformat(),
        "zone": wanted.zone.key,
        "repeat": wanted.repeat,
        "state": wanted.state,
        "planned_until": wanted.planned_until,
        "updated_at": now,
    }
    db.table("appointments").upsert(row, pk="appointment_id")
    return True


def _read(row: Mapping[str, Any]) -> Appointment:
    return Appointment(
        appointment_id=row["appointment_id"],
        campaign_id=row["campaign_id"],
        customer_id=row["customer_id"],
        number=row["number"],
        event_time=datetime.fromisoformat(row["event_time"]).replace(tzinfo=ZoneInfo(row["zone"])),
        data=json.loads(row["data"]),
        time_field=row["time_field"],
        repeat=row["repeat"],
        state=row["state"],
        planned_until=row["planned_until"],
    )
