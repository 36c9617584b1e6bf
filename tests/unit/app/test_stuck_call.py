"""A conversation that hangs in what nobody thought of: the caller is given back all the same."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agi_bot.app.bot import STUCK_S, Bot
from agi_bot.config import Settings
from agi_bot.contracts import Call, Intent
from agi_bot.conversation import Engines
from agi_bot.errors import AgiBotError
from agi_bot.flow import load_text
from agi_bot.record import CallRecord
from agi_bot.switchboard import Assignment, Switchboard
from agi_bot.testing import VirtualTimeLoop
from tests.unit.conversation.stage import OneEar, Says, Stage, noise, quiet

FLOW = """
flow: hello
language: zh-CN
start: ask
steps:
  ask: {ask: 您能来吗, on: {affirm: done}}
  done: {end: confirmed}
"""


async def hangs(*_: object) -> None:
    """What never ends."""
    await asyncio.Event().wait()


def a_bot(stage: Stage, interpreter: object, **store: object) -> Bot:
    engines: Any = (OneEar(stage.hearing), interpreter, lambda *_: stage.voice, stage.activity, stage.hooks)

    async def of(flow: object) -> Engines:
        return Engines(*engines)

    nothing: Any = None
    workshop: Any = SimpleNamespace(engines=of)
    return Bot(Settings.model_validate({"store": store}), nothing, workshop, Switchboard(nothing), nothing)


async def speaks(stage: Stage) -> None:
    await asyncio.sleep(1.5)
    await stage.speak(noise(400), quiet(10_000))


def had(stage: Stage, bot: Bot) -> CallRecord:
    async def play() -> CallRecord:
        caller = asyncio.create_task(speaks(stage))
        record = await bot._converse(stage.call, Assignment(load_text(FLOW, "hello.yaml")))
        caller.cancel()
        return record

    loop = VirtualTimeLoop()
    try:
        return loop.run_until_complete(play())
    finally:
        loop.close()


def test_a_call_that_is_stuck_is_given_back_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agi_bot.conversation.talk.Talk._turn", hangs)
    stage = Stage(lambda _: [], [Says("是的")])
    bot = a_bot(stage, stage.interpreter, record=False)
    record = had(stage, bot)
    bot.close()
    assert stage.call.ended_by == "released"
    assert (record.outcome, record.ended_by) == ("error", "error")
    assert record.ended_at is not None
    longest_s = load_text(FLOW, "hello.yaml").longest_ms / 1000
    assert (record.ended_at - record.started_at).total_seconds() <= longest_s + STUCK_S + 1
    assert stage.hearing.closed


def test_nobody_waits_for_his_greeting_until_finished_calls_are_masked(tmp_path: Path) -> None:
    stage = Stage(lambda _: [], [Says("是的")], {"是的": Intent("affirm", 0.9)})
    bot = a_bot(stage, stage.interpreter, record=True, recordings=tmp_path)
    masked = threading.Event()
    bot._keeper._disk.submit(masked.wait, 20)
    began = time.monotonic()
    record = had(stage, bot)
    took = time.monotonic() - began
    masked.set()
    bot.close()
    assert record.outcome == "confirmed"
    assert Path(record.recording).parent.parent == tmp_path
    assert took < 15, "it waited for the masking, which held its thread for 20 s"


async def test_who_placed_a_call_is_told_when_its_record_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(lambda _: [], [Says("是的")])
    bot = a_bot(stage, stage.interpreter)
    assignment = Assignment(load_text(FLOW, "hello.yaml"))
    monkeypatch.setattr(bot._switchboard, "pick", lambda call: assignment)

    async def converse(call: Call, assignment: Assignment) -> CallRecord:
        return CallRecord(call.id, "hello", "zh-CN", datetime.now(UTC))

    async def keep(record: CallRecord) -> CallRecord:
        raise UnicodeEncodeError("utf-8", "\ud83d", 0, 1, "surrogates not allowed")

    monkeypatch.setattr(bot, "_converse", converse)
    monkeypatch.setattr(bot._keeper, "keep", keep)
    waits = bot._awaited[stage.call.id] = asyncio.get_running_loop().create_future()
    await bot._handle(stage.call)
    bot.close()
    with pytest.raises(AgiBotError, match="could not be kept"):
        await waits
