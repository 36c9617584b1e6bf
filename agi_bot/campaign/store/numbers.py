"""What is known of a telephone, however its number was written (:mod:`agi_bot.campaign.telephone`)."""

from __future__ import annotations

from typing import Any

import sqlite_utils

ANY_SPELLING = "number IN (SELECT value FROM json_each(spellings(?)))"
"""Where a row is about the same telephone; the database knows the function by its prefixes."""


def listed(db: sqlite_utils.Database, number: str) -> list[str]:
    """The do-not-call lists that the person is on."""
    return [row[0] for row in db.execute(f"SELECT DISTINCT list FROM do_not_call WHERE {ANY_SPELLING}", [number])]


def known(db: sqlite_utils.Database, number: str) -> dict[str, Any]:
    """Consent and refusal of the person, and whether these very digits exist; empty when nothing is known.

    A number that does not exist may do so with other digits before it: ``unallocated`` is
    that of ``number`` alone.
    """
    rows = list(db.table("numbers").rows_where(ANY_SPELLING, [number]))
    if not rows:
        return {}
    refusals = [row["refused_at"] for row in rows if row["refused_at"] is not None]
    own = next((row for row in rows if row["number"] == number), rows[0] | {"unallocated": 0})
    return {**own, "number": number, "refused_at": max(refusals, default=None), **_consent(db, number)}


def _consent(db: sqlite_utils.Database, number: str) -> dict[str, Any]:
    """The last word counts, under whichever spelling it was given."""
    query = f"SELECT given, at, source FROM consents WHERE {ANY_SPELLING} ORDER BY consent_id DESC LIMIT 1"
    given, at, source = db.execute(query, [number]).fetchone() or (0, None, "")
    return {"consented_at": at if given else None, "consent_source": source}
