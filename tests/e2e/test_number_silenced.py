"""A number that a caller says is nowhere afterwards: a real call through Asterisk, heard by Vosk, told to the CRM."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf

from agi_bot.app.exchange import exchange
from agi_bot.app.outbound import Outbound, outbound
from agi_bot.app.running import running
from agi_bot.campaign.dialer import due
from agi_bot.campaign.model import Campaign, Task
from agi_bot.config import Settings
from agi_bot.demo.crm import Crm
from agi_bot.demo.installation import Installation
from agi_bot.demo.person import answer_one_call, record_lines
from agi_bot.demo.phone.patient import Patient
from agi_bot.demo.scenario import Scenario
from agi_bot.demo.theatre import AsteriskTheatre
from agi_bot.web.keys import Role, create_key
from tests.e2e.town import ALWAYS

pytestmark = [pytest.mark.asterisk, pytest.mark.wall_clock]

FLOW = """\
flow: own_number
language: zh-CN
task: {name: {type: text, required: true}}
start: hello
silence: [您好，您能听到吗？, {say: 再见。, end: no_response}]
unclear: [抱歉，没听清，您能再说一遍吗？, {say: 再见。, end: not_understood}]
anywhere:
  stop_calling: {say: 好的。, mark: do_not_call, end: refused}
steps:
  hello:
    say: "{name}您好，本次通话会被录音。现在方便吗？"
    protect: 本次通话会被录音
    on: {affirm: number, deny: {say: 好的，再见。, end: refused}}
  number:
    ask: 请说您的手机号码。
    patience: 1200ms
    collect: {phone: {type: phone}}
    next: sure
  sure:
    ask: "您的号码是{phone}，对吗？"
    on: {affirm: {say: 好的，再见。, end: done}, deny: number}
"""
NUMBER = "13800138000"
SPOKEN = "幺三八零零幺三八零零零"
LINES = ("可以", SPOKEN, "对")
RATE = 8000


class Everything(logging.Formatter):
    """A line with all that a record carries."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{record.getMessage()} {vars(record)}"


class Had:
    """What is left of the call."""

    def __init__(self, call: dict[str, Any], folder: Path, told: list[Any], seen: Mapping[str, str]) -> None:
        self.call = call
        self.tape = sf.read(folder / "tape.wav", dtype="int16")[0]
        self.recording = sf.read(call["recording"], dtype="int16")[0]
        self.told = told
        self.folder = folder
        self.seen = seen


def settings_of(folder: Path, crm: str, theatre: Mapping[str, Any]) -> Settings:
    flows = folder / "flows"
    flows.mkdir()
    (flows / "own_number.yaml").write_text(FLOW, encoding="utf-8")
    return Settings.model_validate(
        {
            **theatre,
            "flows": {"folder": flows},
            "store": {"database": folder / "agi-bot.db", "recordings": folder / "recordings"},
            "speaking": {"cache": folder / "prompts"},
            "campaigns": {"enabled": True},
            "web": {"enabled": True, "port": 0},
            "outbox": {"url": crm, "allow_private": True},
            "privacy": {"keep_unmasked": True},
        }
    )


@pytest.fixture(scope="module")
def had(tmp_path_factory: pytest.TempPathFactory, asterisk_installation: Installation) -> Had:
    return asyncio.run(have(tmp_path_factory.mktemp("number"), asterisk_installation))


async def have(folder: Path, installation: Installation) -> Had:
    """The call, and what everybody may see of it."""
    log = logging.FileHandler(folder / "everything.log", encoding="utf-8")
    log.setFormatter(Everything())
    logging.getLogger().addHandler(log)
    async with AsyncExitStack() as stack:
        acts = await record_lines(Scenario("zh-CN", "own_number", "", "", LINES, "m3"), folder / "person")
        theatre = AsteriskTheatre(installation)
        stack.push_async_callback(theatre.close)
        crm = stack.enter_context(Crm())
        settings = settings_of(folder, crm.url, await theatre.open())
        pbx = exchange(settings)
        parts = await stack.enter_async_context(running(settings, pbx))
        await pbx.start()
        await theatre.connect(pbx)
        bot = await stack.enter_async_context(outbound(settings, parts))
        answering = asyncio.create_task(answer_one_call(theatre.phone, Patient(acts), folder / "tape.wav"))
        call = await _called(bot, crm)
        await asyncio.wait_for(answering, 30)
        seen = {role.word: await _seen(bot, role, call) for role in Role}
        stored = await parts.calls.get(call)
        assert stored is not None
        told = list(crm.received)
    logging.getLogger().removeHandler(log)
    return Had(stored, folder, told, seen)


async def _called(bot: Outbound, crm: Crm) -> str:
    """Dial one task; the id of its call, when the CRM knows of it."""
    office = bot.office
    await office.tasks.save_campaign(Campaign("c", "own_number", rules=ALWAYS))
    task = Task("t", "c", "13700000001", "own_number", 0.0, data={"name": "张伟"})
    await office.queue.put(due(one, "default") for one in await office.tasks.add([task], time.time()))
    async with asyncio.timeout(90):
        while not crm.received:  # noqa: ASYNC110 - the CRM is another thread
            await asyncio.sleep(0.1)
    return str(crm.received[0]["call_id"])


async def _seen(bot: Outbound, role: Role, call: str) -> str:
    """Everything that a key of ``role`` may see of the call."""
    key = await create_key(bot.office.access, role.word, role, time.time())
    head = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=bot.url, headers=head, trust_env=False) as client:
        answers = [await client.get(f"/api/v1/calls/{call}{more}") for more in ("", "/original")]
    return "\n".join(answer.text for answer in answers)


def bursts(track: npt.NDArray[np.int16]) -> list[tuple[int, int]]:
    """First and last sample of what is spoken, with at least a second of quiet between two."""
    frames = np.abs(track[: len(track) // 160 * 160].reshape(-1, 160).astype(np.int32)).max(axis=1)
    loud = np.flatnonzero(frames > 500)
    parts = np.split(loud, np.flatnonzero(np.diff(loud) > RATE // 160) + 1)
    return [(int(part[0]) * 160, int(part[-1] + 1) * 160) for part in parts]


def energy(track: npt.NDArray[np.int16], span: tuple[int, int]) -> float:
    return float((track[span[0] : span[1]].astype(np.float64) ** 2).sum())


def test_it_was_understood(had: Had) -> None:
    steps = [turn["step"] for turn in had.call["turns"]]
    assert (had.call["outcome"], steps) == ("done", ["number", "sure", "sure", "sure"]), had.call["turns"]
    original = json.loads(had.seen["admin"].splitlines()[-1])
    assert original["slots"] == {"phone": NUMBER}


def test_the_number_is_silent_in_the_recording_and_its_neighbours_are_not(had: Had) -> None:
    said, kept = had.tape[:, 0], had.recording[:, 0]
    first, number, last = bursts(said)
    before, after = bursts(kept)
    shift = before[0] - first[0]
    assert abs((after[0] - last[0]) - shift) < RATE // 10, "the recording keeps the call's time"
    span = (number[0] + shift, number[1] + shift)
    assert energy(said, number) > 1e9
    assert energy(kept, span) == 0.0
    for mine, theirs in ((first, before), (last, after)):
        assert 0.8 < energy(kept, theirs) / energy(said, mine) < 1.25


def test_the_bot_that_repeats_it_is_silent(had: Had) -> None:
    heard, kept = bursts(had.tape[:, 1]), bursts(had.recording[:, 1])
    assert len(kept) == len(heard) - 1
    repeated = next(turn for turn in had.call["turns"] if "您的号码是" in turn["said"])
    first, last = (round(repeated[name] * RATE / 1000) for name in ("said_from_ms", "said_to_ms"))
    assert energy(had.recording[:, 1], (first, last)) == 0.0


def test_it_is_masked_wherever_it_is_told(had: Had) -> None:
    told = json.dumps(had.told, ensure_ascii=False)
    log = (had.folder / "everything.log").read_text(encoding="utf-8")
    stored = json.dumps(had.call, ensure_ascii=False, default=str)
    for place in (told, log, stored, had.seen["viewer"], had.seen["operator"]):
        assert len(place) > 100
        assert NUMBER not in place
        assert SPOKEN not in place
        assert "零零幺三" not in place
    assert "***********" in told
    assert NUMBER in had.seen["admin"], "an admin may see it, where it is kept"
