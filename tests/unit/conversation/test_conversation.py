"""One call from the first word to the outcome, with a scripted dialogue, in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from agi_bot.contracts import Context, Intent
from agi_bot.conversation import Limits
from agi_bot.conversation.progress import BotSpeaks, CallerSpoke, Over
from agi_bot.flow.events import (
    Action,
    End,
    Event,
    Heard,
    Mark,
    PromptEnded,
    Say,
    Silent,
    Span,
    Started,
    TooLong,
    Transfer,
)
from tests.unit.conversation.asking import LISTEN, YES, after, asks_once
from tests.unit.conversation.stage import Beeper, Says, Stage, noise, quiet


def test_question_answer_goodbye() -> None:
    async def caller(stage: Stage) -> None:
        await after(1.5)
        await stage.speak(quiet(200), noise(400), quiet(3000))

    stage = Stage(asks_once, [Says("是的")], YES)
    record = stage.play(caller)
    assert record.outcome == "affirm"
    assert record.ended_by == "bot"
    assert [turn.said for turn in record.turns] == ["您能来吗", "再见"]
    first = record.turns[0]
    assert (first.heard, first.intent, first.recognition_confidence) == ("是的", "affirm", 0.9)
    assert first.reply_ms is not None
    assert 0 < first.reply_ms < 1000
    assert stage.call.ended_by == "released"
    assert stage.call.results["BOT_OUTCOME"] == "affirm"
    assert stage.call.results["BOT_INTENT"] == "affirm"
    assert stage.hearing.closed


def test_the_watcher_sees_the_conversation() -> None:
    async def caller(stage: Stage) -> None:
        await after(1.5)
        await stage.speak(noise(400), quiet(3000))

    stage = Stage(asks_once, [Says("是的")], YES)
    record = stage.play(caller)
    kinds = [item for item in stage.seen if isinstance(item, BotSpeaks | CallerSpoke | Over)]
    assert [type(item).__name__ for item in kinds] == ["BotSpeaks", "CallerSpoke", "BotSpeaks", "Over"]
    assert isinstance(kinds[2], BotSpeaks)
    assert kinds[2].reply_ms == record.turns[0].reply_ms


def test_the_reply_is_prepared_before_the_turn_ends() -> None:
    async def caller(stage: Stage) -> None:
        await after(1.5)
        await stage.speak(noise(600), quiet(3000))

    stage = Stage(asks_once, [Says("是的")], YES)
    record = stage.play(caller)
    assert stage.voice.spoken.count("再见") == 1
    assert record.turns[0].interpret_ms is not None
    assert [text for text, _ in stage.interpreter.asked].count("是的") == 1


def test_a_turns_step_is_where_its_answer_led() -> None:
    async def caller(stage: Stage) -> None:
        await after(1.5)
        await stage.speak(noise(400), quiet(3000))

    def react(event: Event) -> list[Action]:
        stage.script.step = "goodbye" if isinstance(event, Heard) else stage.script.step
        return asks_once(event)

    stage = Stage(react, [Says("是的")], YES)
    record = stage.play(caller)
    assert [turn.step for turn in record.turns] == ["goodbye", "goodbye"]
    assert {name: count for name, count in record.counters.items() if name.startswith("step.")} == {
        "step.here": 1,
        "step.goodbye": 1,
    }


def test_what_may_come_next_is_rendered_while_the_prompt_is_spoken() -> None:
    stage = Stage(asks_once)
    stage.voice = CachingBeeper()
    stage.play()
    assert stage.voice.ahead == ["再见"]


class CachingBeeper(Beeper):
    """A beeper with a cache."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead: list[str] = []

    async def render(self, prompts: list[tuple[Span, ...]], *, keep: bool) -> None:
        assert not keep, "what is said in one call must not get onto the disk"
        self.ahead += ["".join(span.text for span in spans) for spans in prompts]


def test_another_engine_is_noted_in_the_turn() -> None:
    async def caller(stage: Stage) -> None:
        await after(1.5)
        await stage.speak(noise(400), quiet(2500), noise(400), quiet(3000))

    answers = iter([Intent("", 0.2, engine="rasa"), Intent("affirm", 0.9, engine="embedded")])

    class Changing:
        name = "changing"

        async def interpret(self, text: str, context: Context) -> Intent:
            return next(answers)

    def react(event: Event) -> list[Action]:
        match event:
            case Started():
                return [LISTEN]
            case Heard(intent=intent) if intent.name:
                return [End(intent.name)]
        return []

    stage = Stage(react, [Says("呃"), Says("是")])
    stage.interpreter = Changing()  # type: ignore[assignment]
    record = stage.play(caller)
    assert [turn.notes for turn in record.turns if turn.heard][-1] == ["understood by embedded, not rasa"]


def test_a_turn_without_words_is_no_fallback_of_the_interpreter() -> None:
    async def caller(stage: Stage) -> None:
        await after(1.5)
        await stage.speak(noise(800), quiet(2500), noise(400), quiet(3000))

    stage = Stage(lambda event: [LISTEN] if isinstance(event, Started) else [], [Says(""), Says("是")])
    record = stage.play(caller)
    assert record.engines["nlu"] == stage.interpreter.name
    assert not any("understood by" in note for turn in record.turns for note in turn.notes)
    assert "fallback.interpreter" not in record.counters


def test_silence_after_the_prompt_is_told_once_it_is_due() -> None:
    stage = Stage(asks_once)
    record = stage.play()
    assert record.outcome == "silence"
    ended = [event for event in stage.script.events if isinstance(event, PromptEnded)]
    assert ended == [PromptEnded(1)]
    assert record.counters["silences"] == 1


def test_nobody_hangs_up_on_a_caller_who_speaks() -> None:
    async def caller(stage: Stage) -> None:
        await after(0.9)
        await stage.speak(noise(5000), quiet(3000))

    stage = Stage(asks_once, [Says("是的")], YES)
    assert stage.play(caller).outcome == "affirm"
    assert "Silent" not in stage.script.kinds()


def test_the_caller_hangs_up() -> None:
    async def caller(stage: Stage) -> None:
        await after(0.5)
        stage.call.caller_hangs_up()

    stage = Stage(asks_once)
    record = stage.play(caller)
    assert (record.outcome, record.ended_by) == ("hung_up", "caller")
    assert stage.call.results["BOT_OUTCOME"] == "hung_up"


def test_a_call_whose_sound_breaks_was_not_hung_up_by_the_caller() -> None:
    async def caller(stage: Stage) -> None:
        await after(0.5)
        stage.call.sound_breaks("nothing came for 120 s")

    stage = Stage(asks_once)
    record = stage.play(caller)
    assert (record.outcome, record.ended_by) == ("error", "error")
    assert stage.call.results["BOT_OUTCOME"] == "error"
    assert "the call's sound was lost: nothing came for 120 s" in record.turns[-1].notes


@pytest.mark.parametrize("moment_ms", range(0, 2600, 130))
def test_hang_up_at_every_moment_leaves_nothing_behind(moment_ms: int) -> None:
    async def caller(stage: Stage) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(stage.speak(quiet(900), noise(400), quiet(2000)))
            await after(moment_ms / 1000)
            stage.call.caller_hangs_up()

    record = Stage(asks_once, [Says("是的")], YES).play(caller)
    assert record.ended_at is not None
    assert record.outcome in ("hung_up", "affirm")


def test_transfer() -> None:
    def react(event: Event) -> list[Action]:
        if isinstance(event, Started):
            return [Say(1, (Span("请稍等"),)), Mark("asked_for_a_person"), Transfer("nurses")]
        return []

    stage = Stage(react)
    record = stage.play()
    assert stage.call.transferred_to == "nurses"
    assert (record.outcome, record.ended_by, record.transfer_to) == ("transferred", "transfer", "nurses")
    assert record.tags == ["asked_for_a_person"]
    assert len(stage.call.played) * 20 == 600


def test_hang_up_by_the_bot() -> None:
    stage = Stage(lambda event: [End("done", hang_up=True)] if isinstance(event, Started) else [])
    stage.play()
    assert stage.call.ended_by == "hung up"


@pytest.mark.parametrize("last", [Transfer("queue"), End("done"), End("done", hang_up=True)])
def test_a_dialogue_that_ends_without_a_word_frees_its_ear(last: Action) -> None:
    stage = Stage(lambda event: [last] if isinstance(event, Started) else [])
    stage.play()
    assert stage.hearing.closed
    assert stage.activity.open == 0


def test_the_longest_call() -> None:
    def react(event: Event) -> list[Action]:
        match event:
            case Started() | Silent():
                return [LISTEN]
            case TooLong():
                return [Say(9, (Span("时间到了再见"),)), End("too_long")]
        return []

    stage = Stage(react, limits=Limits(max_call_s=10))
    record = stage.play()
    assert record.outcome == "too_long"
    assert len(stage.call.played) * 20 == 1200


def test_a_dialogue_that_ignores_the_limit_is_ended() -> None:
    stage = Stage(lambda event: [LISTEN], limits=Limits(max_call_s=10))
    record = stage.play()
    assert record.outcome == "too_long"
    assert any("did not end" in note for turn in record.turns for note in turn.notes)


def test_slots_reach_the_dialplan() -> None:
    stage = Stage(lambda event: [End("done")])
    stage.script.slots["new time"] = "three\r\nUserEvent: x"
    stage.play()
    assert stage.call.results["BOT_SLOT_NEW_TIME"] == "three  UserEvent: x"
