"""What became of a campaign's tasks, a page at a time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import sqlite_utils

from agi_bot.campaign.store.database import Database

PAGE = 1000

PLAIN = (
    "task_id", "customer_id", "number", "script_id", "state", "reason", "attempts", "outcome", "result_class", "tags",
    "how", "cause", "sip", "detail", "placed_at", "ended_at", "talk_s", "ended_by", "transfer_to", "call_id",
    "recording", "reply_ms", "interpret_ms", "endpoint_ms",
)  # fmt: skip
"""Columns of every export, in order; a column ``slot.NAME`` for each slot follows."""

_MEANS = "SELECT avg(reply_ms), avg(interpret_ms), avg(endpoint_ms) FROM turns WHERE call_id = ?"


class ResultStore:
    """Reads the view ``outcomes`` with what each call cost."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def columns(self, campaign_id: str) -> list[str]:
        """The columns of the campaign's table."""
        query = (
            "SELECT DISTINCT name FROM slots WHERE call_id IN "
            "(SELECT attempt_id FROM attempts JOIN tasks USING (task_id) "
            "WHERE campaign_id = ?) ORDER BY name"
        )
        names = await self._database.read(lambda db: [row[0] for row in db.execute(query, [campaign_id]).fetchall()])
        return [*PLAIN, *(f"slot.{name}" for name in names)]

    async def pages(self, campaign_id: str, original: bool = False) -> AsyncIterator[list[dict[str, Any]]]:
        """Rows by task id, :data:`PAGE` at a time; ``original``: slots before masking, where they were kept."""
        after = ""
        while page := await self._page(campaign_id, after, original):
            yield page
            after = str(page[-1]["task_id"])

    async def _page(self, campaign_id: str, after: str, original: bool) -> list[dict[str, Any]]:
        return await self._database.read(lambda db: _page(db, campaign_id, after, original))


def _page(db: sqlite_utils.Database, campaign_id: str, after: str, original: bool) -> list[dict[str, Any]]:
    query = f"SELECT * FROM outcomes WHERE campaign_id = ? AND task_id > ? ORDER BY task_id LIMIT {PAGE}"
    return [_row(db, row, original) for row in db.query(query, [campaign_id, after])]


def _row(db: sqlite_utils.Database, found: dict[str, Any], original: bool) -> dict[str, Any]:
    row = {name: found.get(name) for name in PLAIN if not name.endswith("_ms")}
    row |= {"tags": json.loads(row["tags"] or "[]"), "placed_at": _iso(row["placed_at"])}
    row |= {"ended_at": _iso(row["ended_at"]), "reply_ms": None, "interpret_ms": None, "endpoint_ms": None, "slots": {}}
    call_id = row["call_id"]
    if call_id:
        means = db.execute(_MEANS, [call_id]).fetchone()
        costs = [None if mean is None else round(mean) for mean in means]
        row |= dict(zip(("reply_ms", "interpret_ms", "endpoint_ms"), costs, strict=True))
        row["slots"] = _slots(db, call_id, original)
    return row


def _slots(db: sqlite_utils.Database, call_id: str, original: bool) -> dict[str, str]:
    kept = db.execute("SELECT record FROM unmasked WHERE call_id = ?", [call_id]).fetchone() if original else None
    if kept:
        return dict(json.loads(kept[0])["slots"])
    return dict(db.execute("SELECT name, value FROM slots WHERE call_id = ? ORDER BY name", [call_id]).fetchall())


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
