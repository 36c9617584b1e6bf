"""Two things at the same time: the end and a voice, an answer and the silence, a key and a word."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from agi_bot.contracts import Context, Entity, Intent
from agi_bot.flow.events import (
    Action,
    End,
    Event,
    Heard,
    HookReturned,
    Keyed,
    Listen,
    RunHook,
    Say,
    Silent,
    Span,
    Started,
    Transfer,
)
from tests.unit.conversation.stage import HookTable, Says, Stage, Thoughtful, noise, quiet


@pytest.mark.parametrize("hook_ms", range(600, 1600, 90))
def test_who_speaks_when_the_dialogue_ends_hears_the_last_words_and_is_transferred(hook_ms: int) -> None:
    def react(event: Event) -> list[Action]:
        match event:
            case Started():
                return [Say(1, (Span("请稍等我帮您查一下好吗谢谢"),)), RunHook(1, "look"), Listen("q")]
            case HookReturned():
                return [Say(2, (Span("我帮您转人工"),)), Transfer("nurses")]
        return []

    async def caller(stage: Stage) -> None:
        await asyncio.sleep(0.6)
        await stage.speak(noise(900), quiet(20_000))

    meanings = {"我想问一下": Intent("ask", 0.9, engine="table")}
    stage = Stage(react, [Says("我想问一下")], meanings, hooks=HookTable({"look": (hook_ms / 1000, {})}))
    record = stage.play(caller)
    assert stage.call.transferred_to == "nurses"
    assert record.ended_at is not None
    assert (record.ended_at - record.started_at).total_seconds() < 20


@pytest.mark.parametrize("begin_ms", range(400, 700, 60))
def test_nobody_is_asked_whether_he_is_there_when_a_long_answer_ends(begin_ms: int) -> None:
    listen = Listen("q", silence_ms=5000)

    def react(event: Event) -> list[Action]:
        match event:
            case Started():
                return [Say(1, (Span("请讲"),)), listen]
            case Silent():
                return [Say(2, (Span("您还在吗"),)), listen]
            case Heard():
                return [End("done")]
        return []

    async def caller(stage: Stage) -> None:
        await asyncio.sleep(begin_ms / 1000)
        await stage.speak(quiet(1000), noise(6500), quiet(6000))

    stage = Stage(react, [Says("是的是的是的")], {"是的是的是的": Intent("affirm", 0.9, engine="table")})
    stage.hearing = Thoughtful(stage.lines)
    assert stage.play(caller).outcome == "done"
    assert "Silent" not in stage.script.kinds()


class Wanting:
    """Finds what the step wants, and nothing else."""

    name = "wanting"

    async def interpret(self, text: str, context: Context) -> Intent:
        return Intent("inform", 0.9, tuple(Entity(kind, "2026-12-01", text) for kind in context.wanted.values()))


@pytest.mark.parametrize("hook_s", [0.2, 1.3, 1.45])
def test_what_was_understood_for_the_step_before_is_no_answer_to_this_one(hook_s: float) -> None:
    def react(event: Event) -> list[Action]:
        match event:
            case Started():
                return [RunHook(1, "look"), Listen("old")]
            case HookReturned():
                return [Listen("new", wanted={"day": "date"}, needed=("date",))]
            case Heard(intent=intent):
                return [End(" ".join(entity.kind for entity in intent.entities))]
        return []

    async def caller(stage: Stage) -> None:
        await asyncio.sleep(0.5)
        await stage.speak(noise(800), quiet(9000))

    stage = Stage(react, [Says("十二月一号")], hooks=HookTable({"look": (hook_s, {})}))
    stage.interpreter = Wanting()  # type: ignore[assignment]
    assert stage.play(caller).outcome == "date"


# --- keys ----------------------------------------------------------------------------


def asks_for_a_number(event: Event) -> list[Action]:
    match event:
        case Started():
            return [Say(1, (Span("请输入"),)), Listen("number", keys=11, silence_ms=5000)]
        case Keyed(keys=keys):
            return [End(keys)]
        case Silent():
            return [End("silence")]
    return []


@pytest.mark.parametrize("pressed_at", [1, 10, 24, 30])
def test_a_key_and_a_word_at_the_same_time_are_one_answer(pressed_at: int) -> None:
    def react(event: Event) -> list[Action]:
        match event:
            case Started():
                return [Say(1, (Span("确认请按一或说是"),)), Listen("confirm", expected=("affirm",))]
            case Keyed():
                return [Say(2, (Span("要取消另一个预约吗"),)), Listen("cancel_other", expected=("affirm",))]
            case Heard():
                return [End("cancelled_other")]
            case Silent():
                return [End("kept_other")]
        return []

    async def caller(stage: Stage) -> None:
        await asyncio.sleep(2.0)
        for count, frame in enumerate(noise(500) + quiet(14_000)):
            await stage.speak([frame])
            if count == pressed_at:
                stage.call.press("1")

    stage = Stage(react, [Says("是的")], {"是的": Intent("affirm", 0.9, engine="table")})
    assert stage.play(caller).outcome == "kept_other"
    assert stage.record.counters["false_alarms.keyed"] == 1


def test_who_presses_a_key_and_then_answers_the_next_question_is_heard() -> None:
    def react(event: Event) -> list[Action]:
        match event:
            case Started():
                return [Listen("confirm")]
            case Keyed():
                return [Listen("name")]
            case Heard(transcript=transcript):
                return [End(transcript.text)]
        return []

    async def caller(stage: Stage) -> None:
        await stage.speak(quiet(300), noise(300))
        stage.call.press("1")
        await stage.speak(noise(100), quiet(700), noise(500), quiet(6000))

    assert Stage(react, [Says("是的"), Says("王小明")]).play(caller).outcome == "王小明"


async def keys_slowly(stage: Stage, keys: str, every_s: float = 0.7) -> None:
    await asyncio.sleep(1.6)
    for key in keys:
        stage.call.press(key)
        await asyncio.sleep(every_s)


@pytest.mark.parametrize(("keys", "every_s"), [("13800138000", 0.7), ("13800138000", 2.5), ("138", 0.7)])
def test_a_number_keyed_longer_than_the_silence_is_whole(keys: str, every_s: float) -> None:
    stage = Stage(asks_for_a_number)
    record = stage.play(lambda stage: keys_slowly(stage, keys, every_s))
    assert record.outcome == keys
    assert record.ended_at is not None
    took = (record.ended_at - record.started_at).total_seconds()
    pause = 0 if len(keys) == 11 else 3.0
    assert took == pytest.approx(1.6 + every_s * (len(keys) - 1) + pause, abs=0.3)


def test_a_number_keyed_in_a_loud_room_is_whole() -> None:
    async def caller(stage: Stage) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(stage.speak(quiet(1500), noise(9000), quiet(5000)))
            group.create_task(keys_slowly(stage, "13800138000"))

    assert Stage(asks_for_a_number, [Says("")]).play(caller).outcome == "13800138000"


class Slow:
    """Needs ``s`` seconds for what words mean."""

    name = "slow"

    def __init__(self, meanings: dict[str, str], s: float) -> None:
        self.meanings, self.s = meanings, s

    async def interpret(self, text: str, context: Context) -> Intent:
        await asyncio.sleep(self.s)
        return Intent(self.meanings.get(text, ""), 0.9, engine="slow")


def asks_twice(event: Event) -> list[Action]:
    match event:
        case Started():
            return [Listen("confirm", expected=("affirm",))]
        case Keyed(keys=keys):
            return [Say(2, (Span(f"您按了{keys}还有别的吗"),)), Listen("else", expected=("affirm",))]
        case Heard():
            return [End("spoken")]
        case Silent():
            return [End("kept")]
    return []


@pytest.mark.parametrize("pressed_s", [0.1, 0.5, 0.9])
def test_a_key_while_the_interpreter_thinks_of_a_finished_word_is_the_answer(pressed_s: float) -> None:
    async def caller(stage: Stage) -> None:
        await stage.speak(quiet(300), noise(300), quiet(200))
        while not stage.record.turns or not stage.record.turns[-1].heard:
            await stage.speak(quiet(20))
        await stage.speak(quiet(round(pressed_s * 1000)))
        stage.call.press("1")
        await stage.speak(quiet(20_000))

    stage = Stage(asks_twice, [Says("是的")])
    stage.interpreter = Slow({"是的": "affirm"}, 1.0)  # type: ignore[assignment]
    record = stage.play(caller)
    assert record.outcome == "kept"
    assert stage.script.kinds().count("Heard") == 0
    assert record.counters["false_alarms.keyed"] == 1
    assert record.turns[0].heard == "是的", "what was said stands in the record all the same"
    assert record.turns[0].keys == "1"
    assert any("a key" in note for note in record.turns[0].notes)


def test_a_word_said_while_a_number_is_keyed_loses_no_key() -> None:
    def react(event: Event) -> list[Action]:
        asked_again = Started(datetime(2026, 11, 24, tzinfo=UTC))
        return asks_for_a_number(asked_again if isinstance(event, Heard) else event)

    async def caller(stage: Stage) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(stage.speak(quiet(2500), noise(600), quiet(9000)))
            group.create_task(keys_slowly(stage, "13800138000"))

    assert Stage(react, [Says("稍等")]).play(caller).outcome == "13800138000"
