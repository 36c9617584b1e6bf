"""Customers, their tags, and what is known of telephone numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlite_utils

from agi_bot.campaign.store.database import Database
from agi_bot.campaign.store.numbers import ANY_SPELLING, known


class PeopleStore:
    """Who may be called, as the API and the import know it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(
        self, customer_id: str, number: str, *, name: str = "", zone: str = "", data: Mapping[str, Any] | None = None
    ) -> None:
        """Create a customer or replace what is known; tags stay."""
        row = {
            "customer_id": customer_id,
            "number": number,
            "name": name,
            "zone": zone,
            "data": json.dumps(dict(data or {}), ensure_ascii=False),
        }
        await self._database.run(lambda db: _save(db, row))

    async def meet(self, customer_id: str, number: str) -> None:
        """Remember ``number`` of a customer who is not known yet."""
        await self._database.run(lambda db: meet(db, [(customer_id, number, "")]))

    async def get(self, customer_id: str) -> dict[str, Any] | None:
        """The customer with ``tags``, or ``None``."""
        return await self._database.run(lambda db: _get(db, customer_id))

    async def page(self, after: str = "", tag: str = "", limit: int = 100) -> list[dict[str, Any]]:
        """Customers by id, those behind ``after`` first; with ``tag`` only those who have it."""
        return await self._database.run(lambda db: _page(db, after, tag, limit))

    async def set_tags(self, customer_id: str, tags: Sequence[str]) -> bool:
        """Replace a customer's tags; ``False`` for an unknown customer."""
        return await self._database.run(lambda db: _set_tags(db, customer_id, tags))

    async def lists(self, number: str) -> list[dict[str, Any]]:
        """The do-not-call lists that have ``number``, however it is written there."""
        return await self._database.run(lambda db: list(db.table("do_not_call").rows_where(ANY_SPELLING, [number])))

    async def strike(self, name: str, number: str) -> bool:
        """Take ``number`` off the do-not-call list ``name``; ``False`` when it was not there."""
        query = f"DELETE FROM do_not_call WHERE list = ? AND {ANY_SPELLING}"
        return await self._database.run(lambda db: bool(db.execute(query, [name, number]).rowcount))

    async def known(self, number: str) -> dict[str, Any]:
        """Consent, refusal and whether the number exists; empty when nothing is known."""
        return await self._database.run(lambda db: known(db, number))

    async def exist(self, numbers: Sequence[str] | None = None) -> int:
        """These numbers exist after all (``None``: all do) and may be called again; how many were marked.

        A mark is of the very digits that were dialled, not of another spelling.
        """
        return await self._database.run(lambda db: _exist(db, numbers))

    async def attempts(self, number: str, limit: int = 50) -> list[dict[str, Any]]:
        """The calls to ``number``, however it was dialled, newest first."""
        return await self._database.run(
            lambda db: list(
                db.table("attempts").rows_where(ANY_SPELLING, [number], order_by="placed_at desc", limit=limit)
            )
        )


def meet(db: sqlite_utils.Database, people: Sequence[tuple[str, str, str]]) -> None:
    """Keep (customer id, number, zone) of those who are not known yet."""
    query = (
        "INSERT OR IGNORE INTO customers (customer_id, number, zone, name, data, created_at) "
        f"VALUES (?, ?, ?, '', '{{}}', '{datetime.now(UTC).isoformat()}')"
    )
    db.conn.executemany(query, people)


def _exist(db: sqlite_utils.Database, numbers: Sequence[str] | None) -> int:
    query = "UPDATE numbers SET unallocated = 0 WHERE unallocated != 0"
    if numbers is None:
        return int(db.execute(query).rowcount)
    wanted = json.dumps(list(numbers))
    return int(db.execute(f"{query} AND number IN (SELECT value FROM json_each(?))", [wanted]).rowcount)


def _save(db: sqlite_utils.Database, row: dict[str, Any]) -> None:
    db.execute(
        "INSERT INTO customers (customer_id, number, name, zone, data, created_at) "
        "VALUES (:customer_id, :number, :name, :zone, :data, :created_at) "
        "ON CONFLICT (customer_id) DO UPDATE SET "
        "number = excluded.number, name = excluded.name, zone = excluded.zone, data = excluded.data",
        {**row, "created_at": datetime.now(UTC).isoformat()},
    )


def _get(db: sqlite_utils.Database, customer_id: str) -> dict[str, Any] | None:
    rows = list(db.table("customers").rows_where("customer_id = ?", [customer_id]))
    return _whole(db, rows[0]) if rows else None


def _page(db: sqlite_utils.Database, after: str, tag: str, limit: int) -> list[dict[str, Any]]:
    where, values = "customer_id > ?", [after]
    if tag:
        where += " AND customer_id IN (SELECT customer_id FROM customer_tags WHERE tag = ?)"
        values.append(tag)
    rows = list(db.table("customers").rows_where(where, values, order_by="customer_id", limit=limit))
    return [_whole(db, row) for row in rows]


def _whole(db: sqlite_utils.Database, row: dict[str, Any]) -> dict[str, Any]:
    query = "SELECT tag FROM customer_tags WHERE customer_id = ? ORDER BY tag"
    tags = [tag for (tag,) in db.execute(query, [row["customer_id"]]).fetchall()]
    return {**row, "data": json.loads(row["data"]), "tags": tags}


def _set_tags(db: sqlite_utils.Database, customer_id: str, tags: Sequence[str]) -> bool:
    if _get(db, customer_id) is None:
        return False
    db.execute("DELETE FROM customer_tags WHERE customer_id = ?", [customer_id])
    query = "INSERT OR IGNORE INTO customer_tags (customer_id, tag) VALUES (?, ?)"
    db.conn.executemany(query, [(customer_id, tag) for tag in tags])
    return True
