"""Tasks as people handle them: looked at, paused, resumed, put into the store by the thousand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlite_utils

from agi_bot.campaign.model import Task, TaskState
from agi_bot.campaign.store.database import Database
from agi_bot.campaign.store.people import meet
from agi_bot.campaign.store.states import OF_PAUSED
from agi_bot.campaign.store.tasks import COLUMNS, row_of


class TaskDesk:
    """What the API and the commands do with tasks, beside the dialer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def show(self, task_id: str) -> dict[str, Any] | None:
        """The task as JSON-ready data with its ``attempts``, or ``None``."""
        return await self._database.run(lambda db: _show(db, task_id))

    async def page(
        self, campaign_id: str = "", state: str = "", after: str = "", limit: int = 100
    ) -> list[dict[str, Any]]:
        """Tasks by id, those behind ``after`` first."""
        wanted = {"campaign_id": campaign_id, "state": state}
        given = {name: value for name, value in wanted.items() if value}
        where = " AND ".join(["task_id > ?", *(f"{name} = ?" for name in given)])
        values = [after, *given.values()]
        rows = await self._database.run(
            lambda db: list(db.table("tasks").rows_where(where, values, order_by="task_id", limit=limit))
        )
        return [_plain(row) for row in rows]

    async def by_dedupe_key(self, campaign_id: str, key: str) -> str | None:
        """The id of the task that has ``key`` in its campaign."""
        query = "SELECT task_id FROM tasks WHERE campaign_id = ? AND dedupe_key = ?"
        row = await self._database.run(lambda db: db.execute(query, [campaign_id, key]).fetchone())
        return str(row[0]) if row else None

    async def move(self, task_id: str, before: TaskState, then: TaskState, reason: str, now: float) -> bool:
        """Bring a task from one state to another; ``False`` when it is not in ``before``."""
        query = "UPDATE tasks SET state = ?, reason = ?, updated_at = ? WHERE task_id = ? AND state = ?"
        values = [then.value, reason, now, task_id, before.value]
        return await self._database.run(lambda db: bool(db.execute(query, values).rowcount))

    async def add_many(self, tasks: Sequence[Task], zones: Sequence[str], trunk: str, now: float) -> int:
        """Keep ``tasks``, whoever they call (a zone for each), and queue the new ones; how many are new.

        All of it or nothing.
        """
        return await self._database.run(lambda db: add_many(db, tasks, zones, trunk, now))


def _show(db: sqlite_utils.Database, task_id: str) -> dict[str, Any] | None:
    rows = list(db.table("tasks").rows_where("task_id = ?", [task_id]))
    if not rows:
        return None
    attempts = list(db.table("attempts").rows_where("task_id = ?", [task_id], order_by="placed_at"))
    return {**_plain(rows[0]), "attempts": attempts}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "data": json.loads(row["data"])}


def add_many(db: sqlite_utils.Database, tasks: Sequence[Task], zones: Sequence[str], trunk: str, now: float) -> int:
    """What :meth:`TaskDesk.add_many` does, inside of a transaction."""
    last = db.execute("SELECT coalesce(max(rowid), 0) FROM tasks").fetchone()[0]
    people = [(task.customer_id, task.number, zone) for task, zone in zip(tasks, zones, strict=True)]
    meet(db, [one for one in people if one[0]])
    query = f"INSERT OR IGNORE INTO tasks ({COLUMNS}) VALUES ({', '.join('?' * 16)})"
    db.conn.executemany(query, [row_of(task, now) for task in tasks])
    # Rows get growing numbers: those behind the last one are the new ones.
    db.execute(
        "INSERT OR IGNORE INTO queue_later (task_id, trunk, priority, due_at) "
        f"SELECT task_id, ?, priority, due_at FROM tasks WHERE rowid > ? AND NOT {OF_PAUSED}",
        [trunk, last],
    )
    return int(db.execute("SELECT count(*) FROM tasks WHERE rowid > ?", [last]).fetchone()[0])
