"""What is kept, in one SQLite file that sqlite3 and datasette can read as well."""

from __future__ import annotations

from agi_bot.campaign.store.calls import CallStore
from agi_bot.campaign.store.database import Database

__all__ = ["CallStore", "Database"]
