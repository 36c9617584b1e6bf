"""Calls are kept whole, readable by plain sqlite3, and a bad file gives a clear error."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from agi_bot.campaign.store import CallStore, Database
from agi_bot.campaign.store.migrations import MIGRATIONS
from agi_bot.contracts import Entity
from agi_bot.errors import StoreError
from agi_bot.record import CallRecord, Turn


def a_record(call_id: str = "call-1") -> CallRecord:
    when = datetime(2026, 11, 26, 15, tzinfo=UTC)
    record = CallRecord(call_id, "appointment_reminder", "zh-CN", when, caller="1001", task={"name": "张伟"})
    record.turns.append(
        Turn(step="greet", said="您好", heard="后天下午三点", entities=(Entity("datetime", when, "三点"),))
    )
    record.slots.update(new_time=when, amount=Decimal("12.50"), ok=True)
    record.outcome = "rescheduled"
    return record


async def opened(path: Path) -> tuple[Database, CallStore]:
    database = Database(path)
    await database.open()
    return database, CallStore(database)


async def test_a_call_is_kept_whole(tmp_path: Path) -> None:
    database, store = await opened(tmp_path / "new" / "a.db")
    await store.save(a_record())
    call = await store.get("call-1")
    await database.close()
    assert call is not None
    assert call["outcome"] == "rescheduled"
    assert call["task"] == {"name": "张伟"}
    assert call["slots"] == {"new_time": "2026-11-26T15:00:00+00:00", "amount": "12.50", "ok": "true"}
    assert call["turns"][0]["entities"][0]["text"] == "三点"


async def test_saving_again_replaces(tmp_path: Path) -> None:
    database, store = await opened(tmp_path / "a.db")
    record = a_record()
    await store.save(record)
    record.outcome, record.turns = "refused", []
    await store.save(record)
    call = await store.get("call-1")
    await database.close()
    assert call is not None
    assert (call["outcome"], call["turns"]) == ("refused", [])


async def test_unknown_call(tmp_path: Path) -> None:
    database, store = await opened(tmp_path / "a.db")
    assert await store.get("nobody") is None
    await database.close()


async def test_latest_first(tmp_path: Path) -> None:
    database, store = await opened(tmp_path / "a.db")
    for number in range(3):
        record = a_record(f"call-{number}")
        record.started_at = datetime(2026, 1, 1 + number, tzinfo=UTC)
        await store.save(record)
    assert [call["call_id"] for call in await store.latest(2)] == ["call-2", "call-1"]
    await database.close()


async def test_a_failed_write_keeps_nothing(tmp_path: Path) -> None:
    database, store = await opened(tmp_path / "a.db")
    record = a_record()
    record.turns.append(Turn(heard=None))  # type: ignore[arg-type]
    with pytest.raises(StoreError, match=r"turns\.heard"):
        await store.save(record)
    assert await store.get("call-1") is None
    await database.close()


async def test_plain_sqlite_reads_while_open(tmp_path: Path) -> None:
    database, store = await opened(tmp_path / "a.db")
    await store.save(a_record())
    with sqlite3.connect(tmp_path / "a.db") as other:
        assert other.execute("SELECT outcome FROM calls").fetchall() == [("rescheduled",)]
    other.close()
    await database.close()


async def test_reopening_keeps_the_version(tmp_path: Path) -> None:
    for _ in range(2):
        database, _store = await opened(tmp_path / "a.db")
        await database.close()
    with sqlite3.connect(tmp_path / "a.db") as other:
        assert other.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    other.close()


async def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(StoreError, match="version 99"):
        await Database(tmp_path / "a.db").open()


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("not a database, just text\n" * 100)
    with pytest.raises(StoreError, match=r"a\.db"):
        await Database(tmp_path / "a.db").open()


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"store\.database"):
        await Database(tmp_path / "file" / "sub" / "a.db").open()
