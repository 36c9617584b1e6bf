"""Engines, voices and dialogues that fail in a call, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from agi_bot.audio import Frame
from agi_bot.contracts import Context, Intent
from agi_bot.errors import EngineDown, SpeechError
from agi_bot.flow.events import (
    Action,
    End,
    EngineFailed,
    Event,
    Started,
)
from tests.unit.conversation.asking import LISTEN, QUESTION, YES, after, asks_once
from tests.unit.conversation.stage import Beeper, Says, Stage, noise, quiet


def engine_flow(event: Event) -> list[Action]:
    match event:
        case Started():
            return [QUESTION, LISTEN]
        case EngineFailed(engine=engine):
            return [End(f"no_{engine}")]
    return []


async def says_yes(stage: Stage) -> None:
    await after(1.0)
    await stage.speak(noise(400), quiet(3000))


def test_a_recognizer_that_fails() -> None:
    stage = Stage(engine_flow, [Says("是的")], YES)
    stage.hearing.failure = EngineDown("the model is gone")
    record = stage.play(says_yes)
    assert record.outcome == "no_recognizer"
    assert any("the model is gone" in note for turn in record.turns for note in turn.notes)


def test_a_recognizer_that_crashes() -> None:
    stage = Stage(engine_flow, [Says("是的")], YES)
    stage.hearing.failure = ZeroDivisionError("a bug")
    assert stage.play(says_yes).outcome == "no_recognizer"


def test_a_recognizer_that_says_nothing_any_more() -> None:
    stage = Stage(engine_flow, [Says("是的")], YES)
    stage.hearing.stuck = True
    assert stage.play(says_yes).outcome == "no_recognizer"


def test_an_interpreter_that_is_down() -> None:
    stage = Stage(engine_flow, [Says("是的")], YES)
    stage.interpreter.down = True
    assert stage.play(says_yes).outcome == "no_interpreter"


def test_an_interpreter_that_crashes() -> None:
    class Crashing:
        name = "crashing"

        async def interpret(self, text: str, context: Context) -> Intent:
            raise ZeroDivisionError("a bug")

    stage = Stage(engine_flow, [Says("是的")])
    stage.interpreter = Crashing()  # type: ignore[assignment]
    record = stage.play(says_yes)
    assert record.outcome == "no_interpreter"
    assert any("a bug" in note for turn in record.turns for note in turn.notes)


def test_a_cough_before_the_first_sound_of_a_prompt_that_starts_again() -> None:
    class Slow(Beeper):
        async def speak(self, text: str) -> AsyncIterator[Frame]:
            await after(0.8)
            async for frame in super().speak(text):
                yield frame

    def react(event: Event) -> list[Action]:
        return [QUESTION, replace(LISTEN, resume="restart")] if isinstance(event, Started) else asks_once(event)

    stage = Stage(react)
    stage.voice = Slow()
    assert stage.play(lambda stage: stage.speak(quiet(200), noise(160), quiet(9000))).outcome == "silence"


def test_a_voice_that_fails() -> None:
    stage = Stage(engine_flow)
    stage.voice.broken["您能来吗"] = SpeechError("no such character")
    assert stage.play().outcome == "no_voice"


def test_a_dialogue_that_crashes_gives_the_call_back() -> None:
    def react(event: Event) -> list[Action]:
        raise ZeroDivisionError("a bug in a flow")

    stage = Stage(react)
    record = stage.play()
    assert (record.outcome, record.ended_by) == ("error", "error")
    assert stage.call.ended_by == "released"
    assert stage.call.results["BOT_OUTCOME"] == "error"
