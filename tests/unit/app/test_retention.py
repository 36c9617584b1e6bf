"""The retention job deletes files and rows together, writes it down, and tells what it could not do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlite_utils
from typer.testing import CliRunner

from agi_bot.app.retention import Retirement, Swept, retirement_of
from agi_bot.campaign.store import CallStore, Database
from agi_bot.campaign.store.outbox import Post, post
from agi_bot.campaign.store.retention import RetentionStore
from agi_bot.cli.retention import app
from agi_bot.config import Settings
from agi_bot.errors import AgiBotError
from agi_bot.privacy.retention import Retention
from agi_bot.record import CallRecord, Turn

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "a.db")
    await opened.open()
    yield opened
    await opened.close()


async def a_call(database: Database, folder: Path, days: float, *, flow: str = "demo", now: datetime = NOW) -> Path:
    """A call of so many days ago with its recording."""
    call_id = f"{flow}-{days}"
    when = now - timedelta(days=days)
    path = folder / f"{when:%Y-%m-%d}" / f"{call_id}.flac"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"sound")
    record = CallRecord(call_id, flow, "zh-CN", when, turns=[Turn(heard="你好")], recording=str(path))
    await CallStore(database).save(record, record)
    return path


async def test_old_calls_go_with_everything_and_it_is_noted(tmp_path: Path, database: Database) -> None:
    old = await a_call(database, tmp_path / "rec", 91)
    new = await a_call(database, tmp_path / "rec", 89)
    kept = await a_call(database, tmp_path / "rec", 1000, flow="loan")
    store = RetentionStore(database)
    job = Retirement(store, Retention(90, {"loan": 0}), tmp_path / "rec")
    assert await job.run(NOW) == Swept(calls=1)
    assert not old.parent.exists()
    assert new.exists()
    assert kept.exists()
    calls = CallStore(database)
    assert await calls.get("demo-91") is None
    assert await calls.original("demo-91") is None
    assert await calls.get("demo-89") is not None
    turns = await database.run(lambda db: db.execute("SELECT count(*) FROM turns").fetchone()[0])
    assert turns == 2
    [note] = await store.deletions()
    assert (note["call_id"], note["kind"], note["at"]) == ("demo-91", "call", NOW.isoformat())
    assert note["reason"] == "older than 90 days (privacy.retention_days)"
    assert await job.run(NOW) == Swept()


async def test_more_than_a_page(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agi_bot.app.retention.PAGE", 2)
    for days in range(95, 100):
        await a_call(database, tmp_path / "rec", days)
    assert (await Retirement(RetentionStore(database), Retention(90), tmp_path / "rec").run(NOW)).calls == 5


async def test_a_file_that_cannot_be_deleted_keeps_its_call(tmp_path: Path, database: Database) -> None:
    path = await a_call(database, tmp_path / "rec", 91)
    path.unlink()
    path.mkdir()
    job = Retirement(RetentionStore(database), Retention(90), tmp_path / "rec")
    assert await job.run(NOW) == Swept(failed=1)
    assert await CallStore(database).get("demo-91") is not None
    assert await RetentionStore(database).deletions() == []


async def test_a_recording_that_no_call_knows(tmp_path: Path, database: Database) -> None:
    known = await a_call(database, tmp_path / "rec", 10)
    lost, young = known.with_name("lost.flac"), known.with_name("young.flac")
    for file, days in ((lost, 100), (known, 100), (young, 10)):
        file.write_bytes(b"sound")
        at = (NOW - timedelta(days=days)).timestamp()
        os.utime(file, (at, at))
    store = RetentionStore(database)
    assert await Retirement(store, Retention(90), tmp_path / "rec").run(NOW) == Swept(recordings=1)
    assert (lost.exists(), known.exists(), young.exists()) == (False, True, True)
    assert (await store.deletions())[0]["recording"] == str(lost)


async def test_days_of_a_campaign(tmp_path: Path, database: Database) -> None:
    await a_call(database, tmp_path / "rec", 40)

    def placed(db: object) -> None:
        run = db.execute  # type: ignore[attr-defined]
        run("INSERT INTO campaigns VALUES ('autumn', '', 'demo', 'running', '', '', '', '{}', '')")
        values = "'t', 'autumn', '', '1', 'demo', '{}', 0, 0, NULL, 'done', '', '', 0, 0, NULL, ''"
        run(f"INSERT INTO tasks VALUES ({values})")
        names = "attempt_id, task_id, number, trunk, owner, placed_at, ended_at, how, cause, sip, detail"
        run(f"INSERT INTO attempts ({names}) VALUES ('demo-40', 't', '1', '', '', 0, 0, '', 0, 0, '')")

    await database.run(placed)
    keys = ("demo-40", "demo-40/late", "t:sms:0", "t2:sms:0", "other", "t:smsX")

    def written(db: sqlite_utils.Database) -> None:
        for key in keys:
            post(db, Post(key, "x", {"task_id": "t", "slots": {"name": "张伟"}}, error="dead"), 0.0)

    await database.run(written)
    job = Retirement(RetentionStore(database), Retention(90, {}, {"autumn": 30}), tmp_path / "rec")
    assert await job.run(NOW) == Swept(calls=1)
    left = await database.run(lambda db: {key for (key,) in db.execute("SELECT key FROM outbox")})
    assert left == {"t2:sms:0", "other", "t:smsX"}, "the letters about the call went with it"


async def test_nothing_is_set(database: Database) -> None:
    with pytest.raises(AgiBotError, match="retention_days"):
        retirement_of(Settings(), RetentionStore(database))


async def test_the_command_plans_deletes_and_tells(tmp_path: Path, database: Database) -> None:
    path = await a_call(database, tmp_path / "agi-bot-data", 5, now=datetime.now(UTC))
    config = tmp_path / "agi-bot.yml"
    store = f"store: {{database: {tmp_path}/a.db, recordings: {tmp_path}/agi-bot-data}}"
    config.write_text(f"{store}\nprivacy: {{retention_days: 3}}\n")
    shown = await told("plan", config)
    assert "1 calls older than 3 days" in shown
    assert path.exists()
    assert "1 calls and 0 recordings" in await told("run", config)
    assert not path.exists()
    assert "demo-5" in await told("log", config)


async def told(command: str, config: Path) -> str:
    """Output of ``agi-bot retention command``, in a thread: it runs a loop of its own."""
    result = await asyncio.to_thread(CliRunner().invoke, app, [command, "--config", str(config)])
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())
