"""An engine dies in mid-call: what the flow's author wrote for it is done, and keys are heard on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Context, Intent
from agi_bot.errors import EngineDown
from agi_bot.record import CallRecord
from tests.unit.conversation.stage import Beeper, Says, Stage, noise, quiet
from tests.unit.flow.talking import dialogue

FLOW = """
flow: f
language: zh-CN
start: ask
steps:
  ask: {ask: 您能来吗, on: {affirm: done}}
  menu: {ask: 请按键一能来二不能, keys: {1: done, 2: refused}}
  done: {end: confirmed}
  refused: {end: refused}
silence: [{say: 请按键, then: return}, {end: silent}]
trouble: TROUBLE
"""
WAYS = {"menu": "menu", "transfer": "{say: 我请同事跟您说, transfer: nurses}"}


def play(stage: Stage, way: str) -> CallRecord:
    stage.script = dialogue(FLOW.replace("TROUBLE", WAYS[way]))  # type: ignore[assignment]
    return stage.play(caller)


async def caller(stage: Stage) -> None:
    """Answers by voice, then by the key that the bot asks for."""
    await asyncio.sleep(2.0)
    await stage.speak(noise(400), quiet(8000))
    stage.call.press("2")
    await stage.speak(quiet(3000))


@pytest.mark.parametrize("how", ["fails", "hangs"])
def test_a_dead_recogniser_leads_to_the_menu_and_its_keys_are_heard(how: str) -> None:
    stage = Stage(lambda _: [], [Says("是的")])
    stage.hearing.stuck = how == "hangs"
    stage.hearing.failure = EngineDown("the model is gone") if how == "fails" else None
    record = play(stage, "menu")
    assert record.outcome == "refused"
    assert "请按键一能来二不能" in "".join(turn.said for turn in record.turns)
    assert any(turn.keys == "2" for turn in record.turns)


def test_a_dead_recogniser_leads_to_a_colleague() -> None:
    stage = Stage(lambda _: [], [Says("是的")])
    stage.hearing.failure = EngineDown("the model is gone")
    record = play(stage, "transfer")
    assert (record.ended_by, record.transfer_to) == ("transfer", "nurses")


def test_a_dead_interpreter_leads_to_the_menu() -> None:
    stage = Stage(lambda _: [], [Says("是的")])
    stage.interpreter.down = True
    assert play(stage, "menu").outcome == "refused"


@pytest.mark.parametrize("stuck_at", ["expect", "close"])
def test_a_recogniser_that_hangs_wherever_it_can_holds_nobody(stuck_at: str) -> None:
    stage = Stage(lambda _: [], [Says("是的")])
    stage.hearing.stuck_at = frozenset({stuck_at})
    stage.hearing.stuck = True
    record = play(stage, "transfer")
    assert (record.ended_by, stage.call.transferred_to) == ("transfer", "nurses")
    assert record.ended_at is not None
    assert (record.ended_at - record.started_at).total_seconds() < 15


def test_a_dead_recogniser_is_asked_nothing_any_more() -> None:
    stage = Stage(lambda _: [], [Says("是的")])
    stage.hearing.failure = EngineDown("the model is gone")
    play(stage, "menu")
    assert len(stage.hearing.hints) == 1


def test_a_recogniser_that_never_opens_leads_to_the_menu_and_its_keys_are_heard() -> None:
    stage = Stage(lambda _: [], [Says("是的")])
    stage.hearing.stuck_at = frozenset({"open"})
    record = play(stage, "menu")
    assert record.outcome == "refused"
    assert record.counters["engine_failed.recognizer"] == 1
    assert any("did not open" in note for turn in record.turns for note in turn.notes)
    assert stage.hearing.hints == [], "it is asked nothing any more"


def test_a_recogniser_that_never_opens_leads_to_a_colleague() -> None:
    stage = Stage(lambda _: [], [Says("是的")])
    stage.hearing.stuck_at = frozenset({"open"})
    record = play(stage, "transfer")
    assert (record.ended_by, stage.call.transferred_to) == ("transfer", "nurses")
    assert record.ended_at is not None
    assert (record.ended_at - record.started_at).total_seconds() < 10


class Silent:
    """An interpreter that never answers."""

    name = "silent"

    async def interpret(self, text: str, context: Context) -> Intent:
        await asyncio.sleep(3600)
        return Intent("")


class Mute(Beeper):
    """A voice that gives ``sounds`` characters, and then nothing and no error."""

    def __init__(self, sounds: int) -> None:
        super().__init__()
        self._sounds = sounds

    async def speak(self, text: str) -> AsyncIterator[Frame]:
        async for frame in super().speak(text[: self._sounds]):
            yield frame
        await asyncio.sleep(3600)


def test_an_interpreter_that_never_answers_leads_to_the_menu() -> None:
    stage = Stage(lambda _: [], [Says("是的")])
    stage.interpreter = Silent()  # type: ignore[assignment]
    record = play(stage, "menu")
    assert record.outcome == "refused"
    assert record.counters["engine_failed.interpreter"] == 1
    assert any("interpreter did not answer for 5 s" in note for turn in record.turns for note in turn.notes)


@pytest.mark.parametrize("sounds", [0, 2])
def test_a_voice_that_never_goes_on_leads_to_a_colleague(sounds: int) -> None:
    stage = Stage(lambda _: [], [])
    stage.voice = Mute(sounds)
    stage.script = dialogue(FLOW.replace("TROUBLE", WAYS["transfer"]))  # type: ignore[assignment]
    record = stage.play(lambda stage: stage.speak(quiet(60_000)))
    assert (record.ended_by, stage.call.transferred_to) == ("transfer", "nurses")
    assert record.counters["engine_failed.voice"] == 1
    assert record.ended_at is not None
    assert (record.ended_at - record.started_at).total_seconds() < 25
