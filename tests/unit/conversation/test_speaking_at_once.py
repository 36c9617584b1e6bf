"""Who speaks, coughs or presses keys while the bot speaks, in virtual time."""

from __future__ import annotations

from agi_bot.audio import Frame
from agi_bot.contracts import Intent
from agi_bot.conversation.progress import BotInterrupted
from agi_bot.flow.events import (
    Action,
    End,
    Event,
    Keyed,
    Listen,
    PromptCut,
    PromptEnded,
    Say,
    Span,
    Started,
)
from tests.unit.conversation.asking import LISTEN, YES, after, asks_once
from tests.unit.conversation.stage import Says, Stage, noise, quiet


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
