"""API keys, hashed, and the answers to requests that may be sent twice."""

from __future__ import annotations

from typing import Any

from agi_bot.campaign.store.database import Database

KEEP_ANSWERS_S = 86_400.0
"""How long an idempotency key is remembered, s."""


class AccessStore:
    """Who may use the API."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_key(self, key_id: str, name: str, role: str, salt: str, digest: str, now: float) -> None:
        """Keep a key.  Raises :class:`~agi_bot.errors.StoreError` when ``name`` is taken."""
        row = {"key_id": key_id, "name": name, "role": role, "salt": salt, "hash": digest, "created_at": now}
        await self._database.run(lambda db: db.table("api_keys").insert(row))

    async def key(self, key_id: str) -> dict[str, Any] | None:
        """The key, unless it was revoked."""
        where = "key_id = ? AND revoked_at IS NULL"
        rows = await self._database.run(lambda db: list(db.table("api_keys").rows_where(where, [key_id])))
        return rows[0] if rows else None

    async def keys(self) -> list[dict[str, Any]]:
        """All keys, without what could be used."""
        query = "SELECT key_id, name, role, created_at, revoked_at FROM api_keys ORDER BY name"
        return await self._database.run(lambda db: list(db.query(query)))

    async def revoke(self, name: str, now: float) -> bool:
        """End a key; ``False`` when there is none of that name in use."""
        query = "UPDATE api_keys SET revoked_at = ?, name = name || ' (revoked ' || key_id || ')' WHERE name = ?"
        return await self._database.run(
            lambda db: bool(db.execute(f"{query} AND revoked_at IS NULL", [now, name]).rowcount)
        )

    async def remembered(self, caller: str, key: str, now: float) -> dict[str, Any] | None:
        """What was answered under an idempotency key of ``caller``."""
        where, values = "caller = ? AND key = ? AND created_at > ?", [caller, key, now - KEEP_ANSWERS_S]
        rows = await self._database.run(lambda db: list(db.table("idempotency").rows_where(where, values)))
        return rows[0] if rows else None

    async def remember(self, caller: str, key: str, digest: str, status: int, answer: str, now: float) -> None:
        """Keep an answer, and forget those that are too old."""
        row = {"caller": caller, "key": key, "digest": digest, "status": status, "answer": answer, "created_at": now}

        def work(db: Any) -> None:
            db.execute("DELETE FROM idempotency WHERE created_at < ?", [now - KEEP_ANSWERS_S])
            db.table("idempotency").insert(row, replace=True)

        await self._database.run(work)
