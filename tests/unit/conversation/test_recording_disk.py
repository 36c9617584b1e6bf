"""A recordings' disk that hangs (a network disk that is gone) holds no caller.  In real time: threads hang."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import soundfile as sf

from agi_bot.conversation import Conversation, conversation
from agi_bot.flow.events import Action, End, Event, Say, Span, Started
from agi_bot.privacy.recording import Recording
from tests.unit.conversation.stage import Stage


class Disk:
    """The recordings' thread, which hangs between :meth:`hang` and :meth:`come_back`."""

    def __init__(self) -> None:
        self.thread = ThreadPoolExecutor(1)
        self._back = threading.Event()

    def hang(self) -> None:
        self.thread.submit(self._back.wait)

    def come_back(self) -> None:
        self._back.set()
        self.thread.shutdown(wait=True)


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk()
    yield made
    made.come_back()


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disks of machines that run tests may be slow; the one that hangs is waited for as long as is set in its test."""
    for limit in ("RECORDING_OPENS_S", "RECORDING_CLOSES_S"):
        monkeypatch.setattr(conversation, limit, 30.0)


def greets(event: Event) -> list[Action]:
    return [Say(1, (Span("你好"),)), End("done")] if isinstance(event, Started) else []


def recorded(stage: Stage, path: Path, disk: Disk) -> Conversation:
    return stage.conversation(Recording(path, 8000, disk.thread, masked=True))


async def test_a_disk_that_hangs_before_the_greeting_delays_it_for_a_moment_only(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(greets)
    disk.hang()
    for limit in ("RECORDING_OPENS_S", "RECORDING_CLOSES_S"):
        monkeypatch.setattr(conversation, limit, 0.2)
    async with asyncio.timeout(30):
        record = await recorded(stage, tmp_path / "a.wav", disk).run()
    assert (record.outcome, stage.call.ended_by) == ("done", "released")
    assert len(stage.call.played) * 20 == 400
    assert record.recording == ""
    assert any("does not answer" in note for turn in record.turns for note in turn.notes)
    disk.come_back()
    assert list(tmp_path.iterdir()) == []


async def test_a_disk_that_hangs_at_the_end_keeps_no_caller(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(greets)
    running = asyncio.create_task(recorded(stage, tmp_path / "a.wav", disk).run())
    async with asyncio.timeout(30):
        while not stage.call.played:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    disk.hang()
    monkeypatch.setattr(conversation, "RECORDING_CLOSES_S", 0.5)
    async with asyncio.timeout(30):
        assert await stage.call.ended() == "released"
        assert not running.done(), "the disk was waited for, after the caller"
        record = await running
    assert record.recording == ""
    disk.come_back()
    assert list(tmp_path.iterdir()) == []


async def test_a_disk_that_answers_records(tmp_path: Path, disk: Disk) -> None:
    record = await recorded(Stage(greets), tmp_path / "a.wav", disk).run()
    assert record.recording == str(tmp_path / "a.wav")
    assert sf.info(tmp_path / ".a.unfinished.wav").duration >= 0.3
