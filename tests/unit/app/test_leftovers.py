"""Recordings that a dead bot left are deleted or kept by rule, and noted; one that is being made is left alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agi_bot.app.leftovers import REASON, Leftovers
from agi_bot.app.life import Life
from agi_bot.audio import Frame
from agi_bot.campaign.store import Database
from agi_bot.campaign.store.retention import RetentionStore
from agi_bot.privacy.recording import Recording
from agi_bot.privacy.unfinished import let_go, publish, unfinished

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DIES = """
import asyncio, os, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from agi_bot.audio import Frame
from agi_bot.privacy.recording import Recording

async def main():
    recording = Recording(Path(sys.argv[1]), 8000, ThreadPoolExecutor(1), masked=True)
    await recording.open()
    for at in range(0, 5000, 20):
        recording.caller(Frame(bytes(320)), at)
    await recording._in_writer(lambda: None)
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[RetentionStore]:
    database = Database(tmp_path / "a.db")
    await database.open()
    yield RetentionStore(database)
    await database.close()


def left_by_a_death(path: Path) -> Path:
    """A bot is killed in the middle of a call; what it leaves."""
    subprocess.run([sys.executable, "-c", DIES, str(path)], check=False)
    assert not path.exists(), "an unmasked recording must not have its own name"
    assert unfinished(path).stat().st_size > 1000
    return unfinished(path)


async def test_what_a_killed_bot_left_is_deleted_and_noted(tmp_path: Path, store: RetentionStore) -> None:
    hidden = left_by_a_death(tmp_path / "2026-11-21" / "120000-x.wav")
    half_masked = hidden.with_name(f"{hidden.stem}.masking.wav")
    half_masked.write_bytes(b"half")
    assert await Leftovers(store, tmp_path, mask=True).sweep(NOW) == 2
    assert list(hidden.parent.iterdir()) == []
    noted = await store.deletions()
    assert {(one["recording"], one["reason"]) for one in noted} == {(str(hidden), REASON), (str(half_masked), REASON)}


async def test_where_nothing_is_masked_it_is_kept_under_its_own_name(tmp_path: Path, store: RetentionStore) -> None:
    path = tmp_path / "2026-11-21" / "120000-x.wav"
    left_by_a_death(path)
    assert await Leftovers(store, tmp_path, mask=False).sweep(NOW) == 1
    assert path.exists()
    assert await store.deletions() == []


@pytest.mark.parametrize("form", ["wav", "flac", "ogg"])
async def test_a_recording_that_is_being_made_is_left_alone(tmp_path: Path, store: RetentionStore, form: str) -> None:
    path = tmp_path / "2026-11-21" / f"120000-x.{form}"
    sweep = Leftovers(store, tmp_path, mask=True).sweep
    with ThreadPoolExecutor(1) as disk:
        recording = Recording(path, 8000, disk, masked=True)
        await recording.open()
        recording.caller(Frame(bytes(320)), 0)
        assert await sweep(NOW) == 0
        await recording.close()
    assert await sweep(NOW) == 0, "it is still to be masked"
    publish(path)
    assert path.exists()
    assert await sweep(NOW) == 0


async def test_what_could_not_be_masked_is_deleted_later(tmp_path: Path, store: RetentionStore) -> None:
    path = tmp_path / "2026-11-21" / "120000-x.wav"
    with ThreadPoolExecutor(1) as disk:
        recording = Recording(path, 8000, disk, masked=True)
        await recording.open()
        await recording.close()
    let_go(path)
    assert await Leftovers(store, tmp_path, mask=True).sweep(NOW) == 1


LIVES = """
import sys, time
from pathlib import Path
from agi_bot.app.life import Life

life = Life(Path(sys.argv[1]))
life.begin()
print(life.name, flush=True)
time.sleep(60)
"""


def test_a_life_is_over_when_its_process_is_killed(tmp_path: Path) -> None:
    mine = Life(tmp_path / "lives")
    mine.begin()
    other = subprocess.Popen([sys.executable, "-c", LIVES, str(tmp_path / "lives")], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    name = other.stdout.readline().strip()
    assert not mine.is_over(name)
    assert not mine.is_over(mine.name)
    other.kill()
    other.wait()
    other.stdout.close()
    assert mine.is_over(name)
    assert mine.is_over(name), "also when nothing is left of it"
    mine.end()
    assert list((tmp_path / "lives").iterdir()) == []
