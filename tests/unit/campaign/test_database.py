"""Many pieces of work share a commit; each of them is still kept whole or not at all."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agi_bot.campaign.store import Database
from agi_bot.errors import StoreError


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "a.db")
    await opened.open()
    await opened.run(lambda db: db.execute("CREATE TABLE notes (name TEXT PRIMARY KEY)"))
    yield opened
    await opened.close()


def write(*names: str) -> Any:
    def work(db: Any) -> str:
        for name in names:
            db.execute("INSERT INTO notes VALUES (?)", [name])
        return names[-1]

    return work


async def notes(database: Database) -> list[str]:
    return await database.run(lambda db: [name for (name,) in db.execute("SELECT name FROM notes ORDER BY name")])


async def test_a_long_reading_holds_up_nobody_and_cannot_write(database: Database) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def long(db: Any) -> int:
        begun.set()
        assert go_on.wait(10)
        return int(db.execute("SELECT count(*) FROM notes").fetchone()[0])

    reading = asyncio.create_task(database.read(long))
    assert await asyncio.to_thread(begun.wait, 10)
    await database.run(lambda db: db.execute("INSERT INTO notes VALUES ('1')"))
    go_on.set()
    assert await reading == 1
    with pytest.raises(StoreError, match="readonly"):
        await database.read(lambda db: db.execute("DELETE FROM notes"))


async def test_who_fails_takes_nobody_along(database: Database) -> None:
    jobs = [write("a"), write("b"), write("c", "a"), write("d")]
    done = await asyncio.gather(*(database.run(job) for job in jobs), return_exceptions=True)
    assert [done[0], done[1], done[3]] == ["a", "b", "d"]
    assert isinstance(done[2], StoreError)
    assert await notes(database) == ["a", "b", "d"], "c of the failed job is not kept"


async def test_order_is_kept_and_later_work_sees_earlier(database: Database) -> None:
    count = "SELECT count(*) FROM notes"

    def numbered(db: Any) -> int:
        before = int(db.execute(count).fetchone()[0])
        db.execute("INSERT INTO notes VALUES (?)", [f"{before:03}"])
        return before

    assert await asyncio.gather(*(database.run(numbered) for _ in range(600))) == list(range(600))


async def test_nobody_is_answered_before_the_commit(database: Database, tmp_path: Path) -> None:
    async def write_and_look(name: str) -> int:
        await database.run(write(name))
        with sqlite3.connect(tmp_path / "a.db") as other:
            found = other.execute("SELECT count(*) FROM notes WHERE name = ?", [name]).fetchone()[0]
        other.close()
        return int(found)

    assert await asyncio.gather(*(write_and_look(f"n{n}") for n in range(50))) == [1] * 50


async def test_an_error_of_ours_comes_through(database: Database) -> None:
    def work(db: Any) -> None:
        db.execute("INSERT INTO notes VALUES ('x')")
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await database.run(work)
    assert await notes(database) == []


async def test_a_transaction_that_sqlite_ends_fails_for_all_of_it(database: Database) -> None:
    def full(db: Any) -> None:
        db.execute("INSERT INTO notes VALUES ('full')")
        db.conn.rollback()  # what SQLITE_FULL does
        raise sqlite3.OperationalError("database or disk is full")

    jobs = [write("a"), full, write("b")]
    done = await asyncio.gather(*(database.run(job) for job in jobs), return_exceptions=True)
    assert "disk is full" in str(done[1])
    kept = await notes(database)
    told = [name for name, answer in (("a", done[0]), ("b", done[2])) if answer == name]
    assert kept == told, "whoever was answered is kept, and nobody else"
    await database.run(write("later"))


async def test_cancelled_work_that_was_not_begun_is_not_done(database: Database) -> None:
    release = asyncio.Event()
    loop = asyncio.get_running_loop()
    slow = asyncio.create_task(
        database.run(lambda db: asyncio.run_coroutine_threadsafe(release.wait(), loop).result(5))
    )
    await asyncio.sleep(0.05)
    late = asyncio.create_task(database.run(write("late")))
    await asyncio.sleep(0.01)
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)
    release.set()
    await slow
    assert await notes(database) == []
