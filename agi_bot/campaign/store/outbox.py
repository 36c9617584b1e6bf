"""What the CRM is to be told, until it has been told."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlite_utils

from agi_bot.campaign.store.database import Database

LONGEST_WAIT_S = 900.0
"""The longest time between two tries of a letter, s."""

STATES = ("waiting", "delivered", "dead")


@dataclass(frozen=True, slots=True)
class Post:
    """A letter to be written to ``receiver`` (``crm``, ``sms``); one with an ``error`` is dead from the start."""

    key: str
    kind: str
    payload: Mapping[str, Any]
    receiver: str = "crm"
    error: str = ""


def post(db: sqlite_utils.Database, letter: Post, now: float) -> None:
    """Write ``letter``, inside of the transaction of what it tells; one whose key is known is the same letter."""
    query = (
        "INSERT OR IGNORE INTO outbox (key, kind, payload, receiver, state, tries, next_at, error, created_at) "
        "VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?)"
    )
    state, payload = "dead" if letter.error else "waiting", json.dumps(letter.payload, ensure_ascii=False)
    db.execute(query, [letter.key, letter.kind, payload, letter.receiver, state, now, letter.error, now])


@dataclass(frozen=True, slots=True)
class Letter:
    """One message; ``key`` is the same however often it is sent."""

    outbox_id: int
    key: str
    kind: str
    payload: str
    tries: int
    task_id: str | None = None


_DUE = """
SELECT outbox_id, key, kind, payload, tries, task_id FROM outbox
WHERE receiver = :receiver AND state = 'waiting' AND next_at NOT BETWEEN :soon AND :late
  AND NOT EXISTS (
    SELECT 1 FROM outbox AS older WHERE older.task_id = outbox.task_id AND older.receiver = :receiver
    AND older.state = 'waiting' AND older.outbox_id < outbox.outbox_id AND older.next_at BETWEEN :soon AND :late)
ORDER BY outbox_id LIMIT :limit
"""


class OutboxStore:
    """Reads and marks the rows that :class:`~agi_bot.campaign.store.tasks.TaskStore` writes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, now: float, limit: int, receiver: str = "crm") -> list[Letter]:
        """Letters to send now to ``receiver``, oldest first; none that tells of a task before an older one has."""
        wanted = {"receiver": receiver, "limit": limit, "soon": math.nextafter(now, math.inf)}
        # What is further ahead than any wait is so because the clock was set back.
        values = {**wanted, "late": now + LONGEST_WAIT_S}
        return await self._database.run(lambda db: [Letter(*row) for row in db.execute(_DUE, values)])

    async def delivered(self, letter: Letter) -> None:
        """The receiver has taken it."""
        query = "UPDATE outbox SET state = 'delivered', tries = tries + 1, error = '' WHERE outbox_id = ?"
        await self._database.run(lambda db: db.execute(query, [letter.outbox_id]))

    async def failed(self, letter: Letter, tries: int, error: str, next_at: float | None) -> None:
        """It was not taken after ``tries``: again at ``next_at``, or never by itself (``None``)."""
        state = "dead" if next_at is None else "waiting"
        query = "UPDATE outbox SET state = ?, tries = ?, error = ?, next_at = coalesce(?, next_at) WHERE outbox_id = ?"
        await self._database.run(lambda db: db.execute(query, [state, tries, error, next_at, letter.outbox_id]))

    async def listed(self, state: str = "dead", limit: int = 100) -> list[dict[str, Any]]:
        """Letters in ``state``, newest first."""
        rows = await self._database.run(
            lambda db: list(db.table("outbox").rows_where("state = ?", [state], order_by="outbox_id desc", limit=limit))
        )
        return [{**row, "payload": json.loads(row["payload"])} for row in rows]

    async def troubled(self) -> tuple[int, int, str]:
        """How many letters wait, how many of them were tried in vain, and what the last of these was told."""
        query = (
            "SELECT count(*), count(nullif(error, '')), "
            "coalesce((SELECT error FROM outbox WHERE state = 'waiting' AND error != '' ORDER BY tries DESC, outbox_id "
            "LIMIT 1), '') FROM outbox WHERE state = 'waiting'"
        )
        return await self._database.run(lambda db: tuple(db.execute(query).fetchone()))

    async def resend(self, outbox_id: int | None, now: float) -> int:
        """Send a dead letter again, or (``None``) all of them; how many."""
        query = "UPDATE outbox SET state = 'waiting', tries = 0, next_at = ? WHERE state = 'dead'"
        values: list[float] = [now]
        if outbox_id is not None:
            query += " AND outbox_id = ?"
            values.append(outbox_id)
        return await self._database.run(lambda db: int(db.execute(query, values).rowcount))

    async def backlog(self) -> dict[str, tuple[int, float]]:
        """How many letters are in which state, and when the oldest of them was written."""
        query = "SELECT state, count(*), min(created_at) FROM outbox GROUP BY state"
        return await self._database.run(
            lambda db: {state: (count, oldest) for state, count, oldest in db.execute(query)}
        )
