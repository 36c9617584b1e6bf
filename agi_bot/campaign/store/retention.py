"""Deletes calls, and writes down that it did."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlite_utils

from agi_bot.campaign.store.database import Database
from agi_bot.privacy.retention import Expired, KeptCall

CALL = "call"
RECORDING = "recording"
"""Kinds of deletions: a call with its recording, or a recording whose call nobody knows."""

_CANDIDATES = """
SELECT calls.call_id, calls.flow, coalesce(tasks.campaign_id, ''), calls.started_at, calls.recording
FROM calls
LEFT JOIN attempts ON attempts.attempt_id = calls.call_id
LEFT JOIN tasks ON tasks.task_id = attempts.task_id
WHERE calls.started_at < ? AND (calls.started_at, calls.call_id) > (?, ?)
ORDER BY calls.started_at, calls.call_id LIMIT ?
"""


_LETTERS = """
DELETE FROM outbox WHERE state != 'waiting' AND key IN (:call, :call || '/late')
"""
_TEXTS = """
DELETE FROM outbox WHERE state != 'waiting'
AND key > (SELECT task_id || ':sms:' FROM attempts WHERE attempt_id = :call)
AND key < (SELECT task_id || ':sms;' FROM attempts WHERE attempt_id = :call)
"""


class RetentionStore:
    """Finds old calls, deletes them, and tells what was deleted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def older(self, moment: datetime, after: tuple[str, str], limit: int) -> list[tuple[str, KeptCall]]:
        """Calls that began before ``moment``, oldest first, each with its stored start; ``after`` pages on.

        Starts are stored with their own zones: the day before and after is answered as well.
        """
        bound = (moment + timedelta(days=1)).isoformat()
        rows = await self._database.run(lambda db: list(db.execute(_CANDIDATES, [bound, *after, limit])))
        return [
            (started, KeptCall(call_id, flow, campaign, datetime.fromisoformat(started), recording))
            for call_id, flow, campaign, started, recording in rows
        ]

    async def delete(self, expired: Expired, now: datetime) -> None:
        """Delete the call with its turns, slots, what was kept apart and the letters about it that nobody waits for.

        And note it: all or nothing.
        """
        await self._database.run(lambda db: _delete(db, expired, now))

    async def note_recording(self, path: str, reason: str, now: datetime) -> None:
        """Note that a recording without a call was deleted."""
        row = {"kind": RECORDING, "call_id": "", "flow": "", "campaign_id": "", "started_at": ""}
        await self._database.run(lambda db: _note(db, {**row, "recording": path, "reason": reason}, now))

    async def recordings(self) -> set[str]:
        """All recordings that a call knows."""
        query = "SELECT recording FROM calls WHERE recording != ''"
        return await self._database.run(lambda db: {str(path) for (path,) in db.execute(query)})

    async def deletions(self, limit: int = 100) -> list[dict[str, Any]]:
        """What was deleted, newest first."""
        return await self._database.run(
            lambda db: list(db.table("deletions").rows_where(order_by="deletion_id desc", limit=limit))
        )


def _delete(db: sqlite_utils.Database, expired: Expired, now: datetime) -> None:
    call = expired.call
    db.execute("DELETE FROM calls WHERE call_id = ?", [call.call_id])
    for letters in (_LETTERS, _TEXTS):
        db.execute(letters, {"call": call.call_id})
    noted = {
        "kind": CALL,
        "call_id": call.call_id,
        "flow": call.flow,
        "campaign_id": call.campaign_id,
        "started_at": call.started_at.isoformat(),
        "recording": call.recording,
        "reason": expired.reason,
    }
    _note(db, noted, now)


def _note(db: sqlite_utils.Database, row: dict[str, str], now: datetime) -> None:
    db.table("deletions").insert({"at": now.isoformat(), **row})
