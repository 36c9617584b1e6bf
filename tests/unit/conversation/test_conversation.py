"""One call from the first word to the outcome, with a scripted dialogue, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Context, Intent
from agi_bot.conversation import Limits
from agi_bot.conversation.progress import BotInterrupted, BotSpeaks, CallerSpoke, Over
from agi_bot.errors import EngineDown, SpeechError
from agi_bot.flow.events import (
    Action,
    End,
    EngineFailed,
    Event,
    Heard,
    HookFailed,
    HookReturned,
    Keyed,
    Listen,
    Mark,
    PromptCut,
    PromptEnded,
    RunHook,
    Say,
    Silent,
    Span,
    Started,
    TooLong,
    Transfer,
)
from tests.unit.conversation.stage import Beeper, HookTable, Says, Stage, noise, quiet

YES = {"是的": Intent("affirm", 0.95, engine="table")}
QUESTION = Say(1, (Span("您能来吗"),))
LISTEN = Listen("ask", expected=("affirm",), silence_ms=3000)


def asks_once(event: Event) -> list[Action]:
    """Asks one question and says goodbye to whatever is answered."""
    match event:
        case Started():
            return [QUESTION, LISTEN]
        case Heard(intent=intent):
            return [Say(2, (Span("再见"),)), End(intent.name or "unclear")]
        case Silent():
            return [End("silence")]
        case _:
            return []


async def after(seconds: float) -> None:
    await asyncio.sleep(seconds)


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


def test_an_interruption_cuts_the_prompt() -> None:
    async def caller(stage: Stage) -> None:
        await after(0.2)
        await stage.speak(noise(800), quiet(3000))

    long = Say(1, (Span("您好这里是市一医院请问您能按时来复查吗谢谢您的配合"),))

    def react(event: Event) -> list[Action]:
        return [long, LISTEN] if isinstance(event, Started) else asks_once(event)

    stage = Stage(react, [Says("我没有时间啊")], {"我没有时间啊": Intent("deny", 0.9)})
    record = stage.play(caller)
    cut = next(event for event in stage.script.events if isinstance(event, PromptCut))
    assert cut.prompt == 1
    assert 1 <= cut.words <= 8
    assert record.turns[0].cut_after_words == cut.words
    assert record.outcome == "deny"
    assert BotInterrupted(cut.words) in stage.seen
    assert stage.script.kinds().index("PromptCut") < stage.script.kinds().index("Heard")


def test_a_cough_does_not_end_the_prompt() -> None:
    async def caller(stage: Stage) -> None:
        await after(0.4)
        await stage.speak(noise(300), quiet(6000))

    long = Say(1, (Span("您好这里是市一医院请问您能按时来复查吗"),))

    def react(event: Event) -> list[Action]:
        return [long, LISTEN] if isinstance(event, Started) else asks_once(event)

    stage = Stage(react, [])
    record = stage.play(caller)
    assert PromptEnded(1) in stage.script.events
    assert record.counters["false_alarms.no_words"] == 1
    assert record.turns[0].cut_after_words is None
    assert len(stage.call.played) * 20 >= 19 * 200


def test_what_is_odd_about_the_line_is_in_the_record() -> None:
    async def caller(stage: Stage) -> None:
        await after(0.2)
        await stage.speak([Frame(b"\xff\x7f\x01\x80" * 80)] * 60, quiet(6000))

    stage = Stage(asks_once, [], YES)
    record = stage.play(caller)
    assert "line: clipped_audio" in [note for turn in record.turns for note in turn.notes]


def test_a_protected_span_is_not_cut() -> None:
    async def caller(stage: Stage) -> None:
        await after(0.2)
        await stage.speak(noise(800), quiet(6000))

    spans = (Span("本次通话会被录音", protected=True), Span("您能按时来复查吗谢谢您的配合"))

    def react(event: Event) -> list[Action]:
        return [Say(1, spans), LISTEN] if isinstance(event, Started) else asks_once(event)

    answer = "我会准时去的"
    stage = Stage(react, [Says(answer)], {answer: YES["是的"]})
    record = stage.play(caller)
    assert record.outcome == "affirm"
    assert len(stage.call.played) * 20 >= 8 * 200
    assert "Heard" in stage.script.kinds()


def test_a_yes_before_the_question_was_asked_is_no_answer() -> None:
    async def caller(stage: Stage) -> None:
        await after(0.2)
        await stage.speak(noise(500), quiet(9000))

    def react(event: Event) -> list[Action]:
        spans = (Span("您预约了明天上午十点的复查请空腹前往您能按时来吗"),)
        return [Say(1, spans), LISTEN] if isinstance(event, Started) else asks_once(event)

    stage = Stage(react, [Says("是的")], YES)
    record = stage.play(caller)
    assert PromptEnded(1) in stage.script.events
    assert record.counters["false_alarms.backchannel"] == 1


def test_keys_interrupt_and_answer() -> None:
    async def caller(stage: Stage) -> None:
        await after(0.3)
        stage.call.press("1")

    def react(event: Event) -> list[Action]:
        match event:
            case Started():
                return [Say(1, (Span("按一确认按二更改"),)), Listen("menu")]
            case Keyed(keys=keys):
                return [End(f"key_{keys}")]
        return []

    stage = Stage(react)
    record = stage.play(caller)
    assert record.outcome == "key_1"
    assert record.turns[0].keys == "1"
    assert len(stage.call.played) * 20 < 8 * 200


def test_several_keys_are_one_answer() -> None:
    async def caller(stage: Stage) -> None:
        await after(0.1)
        for key in "138":
            stage.call.press(key)
            await after(0.5)

    def react(event: Event) -> list[Action]:
        match event:
            case Started():
                return [Listen("number", keys=11, silence_ms=5000)]
            case Keyed(keys=keys):
                return [End(keys)]
        return []

    assert Stage(react).play(caller).outcome == "138"


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


def hook_flow(event: Event) -> list[Action]:
    match event:
        case Started():
            return [RunHook(1, "crm.find", timeout_s=2, filler=(Span("请稍等"),), filler_after_ms=500)]
        case HookReturned(values=values):
            return [End(str(values["tier"]))]
        case HookFailed():
            return [End("hook_failed")]
    return []


def test_a_hook_answers() -> None:
    stage = Stage(hook_flow, hooks=HookTable({"crm.find": (0.1, {"tier": "gold"})}))
    record = stage.play()
    assert record.outcome == "gold"
    assert stage.call.played == []


def test_a_slow_hook_gets_a_filler() -> None:
    stage = Stage(hook_flow, hooks=HookTable({"crm.find": (1.5, {"tier": "gold"})}))
    assert stage.play().outcome == "gold"
    assert stage.voice.spoken == ["请稍等"]
    assert not [event for event in stage.script.events if isinstance(event, PromptEnded)]


def test_a_filler_is_said_by_the_voice_that_spoke_last() -> None:
    def flow(event: Event) -> list[Action]:
        said = [Say(1, (Span("我查一下"),), voice="pro_male")] if isinstance(event, Started) else []
        return [*said, *hook_flow(event)]

    stage = Stage(flow, hooks=HookTable({"crm.find": (3.0, {"tier": "gold"})}))
    stage.play()
    assert stage.voice.spoken == ["我查一下", "请稍等"]
    assert stage.voices_asked == ["pro_male", "pro_male"]


@pytest.mark.parametrize("answers", [{}, {"crm.find": (60.0, {})}], ids=["unknown", "silent"])
def test_a_hook_that_fails(answers: dict[str, tuple[float, dict[str, str]]]) -> None:
    stage = Stage(hook_flow, hooks=HookTable(answers))
    record = stage.play()
    assert record.outcome == "hook_failed"
    assert any("crm.find" in note for turn in record.turns for note in turn.notes)


def test_a_hook_whose_answer_lacks_a_value_has_failed(caplog: pytest.LogCaptureFixture) -> None:
    def flow(event: Event) -> list[Action]:
        return [RunHook(1, "crm.find", saves=("tier",))] if isinstance(event, Started) else hook_flow(event)

    stage = Stage(flow, hooks=HookTable({"crm.find": (0.1, {"level": "gold"})}))
    assert stage.play().outcome == "hook_failed"
    (line,) = [line for line in caplog.records if line.getMessage() == "hook.failed"]
    assert line.__dict__["reason"] == "the answer lacks tier"


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
