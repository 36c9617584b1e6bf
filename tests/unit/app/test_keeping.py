"""A call that is over is masked before it is stored or told, and never lost."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from agi_bot.app import keeping
from agi_bot.app.keeping import NOT_MASKED, Keeper
from agi_bot.campaign.store import CallStore, Database
from agi_bot.config.privacy import PrivacySettings
from agi_bot.errors import StoreError
from agi_bot.record import CallRecord, Turn

PHONE = "13812345678"


def a_record(recording: str = "") -> CallRecord:
    turn = Turn(heard=f"我的电话是{PHONE}", heard_from_ms=1000, heard_to_ms=3000)
    when = datetime(2026, 11, 21, tzinfo=UTC)
    return CallRecord("c1", "demo", "zh-CN", when, turns=[turn], slots={"phone": PHONE}, recording=recording)


async def kept(folder: Path, record: CallRecord, **privacy: bool) -> tuple[CallRecord, object, object]:
    """What the bot goes on with, what is stored, and what is stored apart."""
    database = Database(folder / "a.db")
    await database.open()
    store = CallStore(database)
    with ThreadPoolExecutor(1) as disk:
        answered = await Keeper(PrivacySettings.model_validate(privacy), store, disk).keep(record)
    stored, apart = await store.get(record.call_id), await store.original(record.call_id)
    await database.close()
    return answered, stored, apart


async def test_nothing_of_a_number_is_left_in_file_and_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    sf.write(path, np.full((32000, 2), 5000, np.int16), 8000)
    answered, stored, apart = await kept(tmp_path, a_record(str(path)))
    assert answered.slots == {"phone": "*" * 11}
    assert isinstance(stored, dict)
    assert stored["turns"][0]["heard"] == "我的电话是***********"
    assert apart is None
    sound, _ = sf.read(path, dtype="int16")
    assert not sound[8000:24000, 0].any()
    assert sound[:, 1].all()
    assert all(PHONE.encode() not in file.read_bytes() for file in tmp_path.iterdir())


async def test_kept_apart_only_where_it_is_wanted(tmp_path: Path) -> None:
    _, stored, apart = await kept(tmp_path, a_record(), keep_unmasked=True)
    assert isinstance(stored, dict)
    assert PHONE not in str(stored)
    assert isinstance(apart, dict)
    assert apart["slots"] == {"phone": PHONE}
    assert apart["turns"][0]["heard"].endswith(PHONE)


async def test_masking_can_be_switched_off(tmp_path: Path) -> None:
    answered, stored, _ = await kept(tmp_path, a_record(), mask=False)
    assert answered.slots == {"phone": PHONE}
    assert PHONE in str(stored)


async def test_a_recording_that_cannot_be_masked_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"broken")
    answered, stored, _ = await kept(tmp_path, a_record(str(path)))
    assert answered.counters == {NOT_MASKED: 1}
    assert answered.recording == ""
    assert PHONE not in str(stored)
    assert [line.message for line in caplog.records if line.levelno == logging.ERROR] == ["recording.not_masked"]


async def test_a_fault_of_the_masking_keeps_the_call_without_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: CallRecord) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(keeping, "mask_record", broken)
    answered, stored, _ = await kept(tmp_path, a_record())
    assert (answered.turns, answered.slots) == ([], {})
    assert isinstance(stored, dict)
    assert PHONE not in str(stored)


async def test_what_was_kept_apart_goes_with_the_call(tmp_path: Path) -> None:
    await kept(tmp_path, a_record(), keep_unmasked=True)
    with sqlite3.connect(tmp_path / "a.db") as opened:
        opened.execute("PRAGMA foreign_keys = ON")
        opened.execute("DELETE FROM calls")
        assert opened.execute("SELECT count(*) FROM unmasked").fetchone() == (0,)


class FullDisk(CallStore):
    """Takes a call at the third time."""

    tries = 0
    stored: asyncio.Event

    async def save(self, record: CallRecord, original: CallRecord | None = None) -> None:
        self.tries += 1
        if self.tries < 3:
            raise StoreError("database or disk is full")
        await super().save(record, original)
        self.stored.set()


async def test_a_call_that_cannot_be_stored_is_stored_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "LATER_S", 0.01)
    database = Database(tmp_path / "a.db")
    await database.open()
    store = FullDisk(database)
    store.stored = asyncio.Event()
    with ThreadPoolExecutor(1) as disk:
        answered = await Keeper(PrivacySettings(), store, disk).keep(a_record())
        assert PHONE not in str(answered)
        assert await store.latest() == []
        await asyncio.wait_for(store.stored.wait(), 30)
    assert PHONE not in str(await store.get("c1"))
    await database.close()


async def test_a_call_in_which_the_bot_died_is_ended_by_the_next_life(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db")
    await database.open()
    store, record = CallStore(database), a_record()
    with ThreadPoolExecutor(1) as disk:
        Keeper(PrivacySettings(), store, disk, "life-1").begun(record)
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})  # type: ignore[arg-type]
        going_on = await store.get("c1")
        assert going_on is not None
        assert (going_on["ended_at"], going_on["turns"], going_on["slots"], going_on["task"]) == (None, [], {}, {})
        assert await store.lost(lambda life: False, record.started_at) == []
        assert await store.lost(lambda life: life == "life-1", record.started_at) == ["c1"]
        ended = await store.get("c1")
        assert ended is not None
        assert (ended["outcome"], ended["ended_by"], ended["counters"]) == ("error", "error", {"bot_died": 1})
        assert await store.lost(lambda life: True, record.started_at) == []
    await database.close()


async def test_a_call_that_was_kept_is_not_open_again(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db")
    await database.open()
    store, record = CallStore(database), a_record()
    await store.save(record)
    await store.begun(record, "life-1")
    assert await store.lost(lambda life: True, record.started_at) == []
    await store.begun(replace(record, call_id="c2"), "life-1")
    await store.save(replace(record, call_id="c2"))
    await store.begun(replace(record, call_id="c3"), "life-1")
    await store.failed("c3", record.started_at)
    await store.failed("c1", record.started_at)
    assert await store.lost(lambda life: True, record.started_at) == []
    refused, had = await store.get("c3"), await store.get("c1")
    assert refused is not None
    assert (refused["outcome"], refused["counters"]) == ("error", {})
    assert had is not None
    assert had["outcome"] == ""
    await database.close()
