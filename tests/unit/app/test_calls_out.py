"""What a call out leaves behind when it comes to nothing."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from agi_bot.app.answering import EarlyMedia
from agi_bot.app.bot import Bot
from agi_bot.campaign.store import CallStore, Database
from agi_bot.config import Settings
from agi_bot.contracts import EARLY_MEDIA
from agi_bot.errors import AgiBotError, PbxDown
from agi_bot.flow import Flow, load_text
from agi_bot.switchboard import Assignment, Switchboard
from agi_bot.testing import FakeCall

FLOW = "flow: hello\nstart: bye\nsteps: {bye: {say: 您好。, end: done}}\n"


class Flows:
    def get(self, name: str) -> Flow | None:
        return load_text(FLOW, "hello.yaml")

    def names(self) -> list[str]:
        return ["hello"]


class Exchange:
    """Keeps early media where it is told to, and then fails, or rings for ever."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.kept: Path | None = None

    async def originate(self, number: str, *, variables: dict[str, str], **how: Any) -> Any:
        self.kept = Path(variables[EARLY_MEDIA])
        self.kept.write_bytes(b"RIFF")
        if self.error is not None:
            raise self.error
        await asyncio.sleep(3600)


def _no_voice(flow: Flow) -> Any:
    raise AgiBotError("no voice here")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[CallStore]:
    database = Database(tmp_path / "a.db")
    await database.open()
    yield CallStore(database)
    await database.close()


def bot(folder: Path, exchange: Exchange, store: CallStore) -> Bot:
    settings = Settings.model_validate({"campaigns": {"early_media_folder": str(folder)}})
    workshop: Any = SimpleNamespace(voice=_no_voice)
    pbx: Any = exchange
    return Bot(settings, pbx, workshop, Switchboard(Flows()), store)


async def test_early_media_of_a_call_that_failed_is_deleted(tmp_path: Path, store: CallStore) -> None:
    exchange = Exchange(PbxDown("gone"))
    made = bot(tmp_path / "early", exchange, store)
    with pytest.raises(PbxDown):
        await made.call("13800000001", "hello", {})
    made.close()
    assert exchange.kept is not None
    assert not exchange.kept.exists()


async def test_early_media_of_a_call_that_was_given_up_is_deleted(tmp_path: Path, store: CallStore) -> None:
    exchange = Exchange(None)
    made = bot(tmp_path / "early", exchange, store)
    calling = asyncio.create_task(made.call("13800000001", "hello", {}))
    async with asyncio.timeout(30):
        while exchange.kept is None:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert exchange.kept.exists()
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    made.close()
    assert not exchange.kept.exists()


def test_what_a_killed_bot_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    left, ringing, foreign = tmp_path / f"{uuid4()}.wav", tmp_path / f"{uuid4()}.wav", tmp_path / "music.wav"
    for file in (left, ringing, foreign):
        file.write_bytes(b"RIFF")
    for file in (left, foreign):
        os.utime(file, (time.time() - 3600, time.time() - 3600))
    EarlyMedia(tmp_path).sweep()
    assert [file.exists() for file in (left, ringing, foreign)] == [False, True, True]
    EarlyMedia(None).sweep()
    EarlyMedia(tmp_path / "nowhere").sweep()


async def test_the_call_goes_by_the_clock_of_where_the_person_lives(tmp_path: Path, store: CallStore) -> None:
    exchange = Exchange(None)
    made = bot(tmp_path / "early", exchange, store)
    home = ZoneInfo("America/New_York")
    calling = asyncio.create_task(made.call("13800000001", "hello", {}, call_id="c", zone=home))
    await asyncio.sleep(0.05)
    answered = FakeCall("c")
    assert made._new_record(answered, Assignment(load_text(FLOW, "hello.yaml"))).started_at.tzinfo is home
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    assert made._now("c").tzinfo == ZoneInfo("Asia/Shanghai"), "nothing of it is left"
    made.close()
