"""What the network plays before an answer, heard through a real Asterisk by the real recogniser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from agi_bot.contracts import EARLY_MEDIA, Call, Status
from agi_bot.conversation import Engines
from agi_bot.demo.asterisk import Asterisk
from tests.integration.asterisk.conftest import StartBot
from tests.integration.early import EMPTY, OFF, announcement, call, ears

pytestmark = [pytest.mark.asterisk, pytest.mark.wall_clock]

ROUTES = "Local/{number}@early-routes"


@pytest.fixture
async def engines() -> AsyncIterator[Engines]:
    async with ears() as engines:
        yield engines


async def _plays(asterisk: Asterisk, text: str, folder: Path) -> None:
    sound = await announcement(text, folder)
    await asterisk.set_global("ANNOUNCEMENT", str(sound.with_suffix("")))
    await asterisk.set_global("OWN_SIP", str(asterisk.layout.sip))


async def _hang_up(call: Call) -> None:
    await call.hang_up()


@pytest.mark.parametrize(
    ("text", "number", "ring_s", "status", "cause"),
    [
        (EMPTY, "2019", 15, Status.INVALID_NUMBER, 19),
        (EMPTY, "2016", 15, Status.INVALID_NUMBER, 21),
        (EMPTY, "2100", 7, Status.INVALID_NUMBER, 19),
        (OFF, "2001", 15, Status.UNREACHABLE, 1),
        (OFF, "2017", 15, Status.UNREACHABLE, 17),
    ],
)
async def test_words_say_more_than_the_cause(
    asterisk: Asterisk, start_bot: StartBot, engines: Engines, tmp_path: Path,
    text: str, number: str, ring_s: int, status: Status, cause: int,
) -> None:  # fmt: skip
    """The same announcement comes with any cause, or with none until we stop ringing."""
    await _plays(asterisk, text, tmp_path)
    pbx = await start_bot(_hang_up, channel=ROUTES)
    ended, file = await call(pbx, number, tmp_path / "early", engines, ring_s)
    assert (ended.status, ended.cause) == (status, cause)
    assert ended.announced.startswith("words: ")
    assert not file.exists()


async def test_a_busy_tone_by_its_cadence(
    asterisk: Asterisk, start_bot: StartBot, engines: Engines, tmp_path: Path
) -> None:
    await _plays(asterisk, EMPTY, tmp_path)
    pbx = await start_bot(_hang_up, channel=ROUTES)
    ended, _ = await call(pbx, "2300", tmp_path / "early", engines)
    assert (ended.status, ended.announced) == (Status.BUSY, "tone: busy")


async def test_the_recording_ends_with_the_answer(asterisk: Asterisk, start_bot: StartBot, tmp_path: Path) -> None:
    """What is said after it is a conversation, and no business of a file that nobody masks."""
    await _plays(asterisk, EMPTY, tmp_path)
    with_bot, looked = asyncio.Event(), asyncio.Event()

    async def stay(call: Call) -> None:
        with_bot.set()
        await asyncio.wait_for(looked.wait(), 60)
        await call.hang_up()

    pbx = await start_bot(stay, channel=ROUTES, context="agi-bot", extension="answered")
    file = tmp_path / "early.wav"
    attempt = await pbx.originate("2200", call_id=str(uuid4()), variables={EARLY_MEDIA: str(file), "BOT_FLOW": "x"})
    assert (await asyncio.wait_for(attempt.outcome(), 15)).status is Status.ANSWERED
    await asyncio.wait_for(with_bot.wait(), 30)
    await asyncio.sleep(1.5)
    size = file.stat().st_size
    assert size > 8000
    await asyncio.sleep(2)
    assert file.stat().st_size == size
    looked.set()
