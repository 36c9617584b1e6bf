"""What a step expects reaches the ear; what was heard is understood in the words of the business."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from agi_bot.contracts import Entity, Hints, Intent, Transcript
from agi_bot.conversation.bias import Bias
from agi_bot.flow import load, load_text
from agi_bot.flow.builtin import DEFAULTS
from agi_bot.flow.events import Action, End, Event, Heard, Listen, Say, Span, Started
from agi_bot.flow.listening import listening
from agi_bot.flow.state import Asking, Level
from agi_bot.record import CallRecord
from agi_bot.shipped import shipped
from tests.unit.conversation.stage import Says, Stage, noise, quiet

WANTED = Listen("tail", digits=4, spelled=True, silence_ms=3000)
NUMBERS = """
flow: numbers
start: ask
steps:
  ask: {ask: "?", collect: {%s}, next: bye}
  bye: {say: 再见。, end: done}
"""


def phrases(intents: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{intent} said" for intent in intents)


def waits_for(collect: str) -> Listen:
    flow = load_text(NUMBERS % collect)
    return listening(Level(flow, {}, step_name="ask"), "ask", DEFAULTS["zh-CN"], Asking())


def test_a_closed_question_expects_the_examples_of_its_intents() -> None:
    bias = Bias("zh-CN", phrases=phrases, anywhere=["repeat"])
    asks = Listen("greet", expected=("affirm",), hints=("豆浆机",), closed=True)
    assert bias.hints(asks) == Hints(("豆浆机", "affirm said", "repeat said"), closed=True)


def test_an_open_question_expects_nothing_more_than_its_hints() -> None:
    bias = Bias("zh-CN", phrases=phrases)
    assert bias.hints(Listen("when", hints=("月底",))) == Hints(("月底",))
    assert bias.hints(WANTED) == Hints(digits=4)


@pytest.mark.parametrize(
    ("collect", "closed", "digits", "spelled"),
    [
        ("sure: boolean", True, 0, False),
        ("item: {type: choice, choices: {豆浆机: [破壁机]}}", True, 0, False),
        ("tail: {type: digits, length: 4}", False, 4, True),
        ("tail: digits", False, 0, True),
        ("at: datetime", False, 0, False),
        ("words: text", False, 0, False),
        ("tail: {type: digits, length: 4}, amount: money", False, 0, True),
    ],
)
def test_what_a_step_collects_tells_what_answers_it(collect: str, closed: bool, digits: int, spelled: bool) -> None:
    asks = waits_for(collect)
    assert (asks.closed, asks.digits, asks.spelled) == (closed, digits, spelled)


def test_a_choice_is_said_by_its_name_too() -> None:
    flow = load(shipped("flows") / "shop" / "stock_line.yaml")
    assert {"豆浆机", "破壁机"} < set(flow.hints("greet"))


def test_words_are_corrected_where_no_digits_are_waited_for() -> None:
    bias = Bias("zh-CN", ["处方药"], known=["我去厨房要水"])
    heard, changes = bias.understood_as(Transcript("我要厨房要", confidence=0.5), Listen("greet"))
    assert (heard.text, [change.heard for change in changes]) == ("我要处方药", ["厨房要"])
    assert bias.understood_as(Transcript("我去厨房要水"), Listen("greet")) == (Transcript("我去厨房要水"), ())
    assert bias.understood_as(Transcript("要三八零"), Listen("greet"))[1] == ()
    assert bias.understood_as(Transcript("要三八零"), WANTED)[0].text == "幺三八零"


def test_without_a_flow_nothing_is_corrected() -> None:
    assert Bias().understood_as(Transcript("厨房要"), WANTED) == (Transcript("厨房要"), ())


def talk(said: str, meant: str, asks: Listen, bias: Bias) -> CallRecord:
    """A call of one question and one answer."""

    def react(event: Event) -> list[Action]:
        match event:
            case Started():
                return [Say(1, (Span("请说"),)), asks]
            case Heard(intent=intent, transcript=transcript):
                return [End(f"{intent.name} {transcript.text}")]
            case _:
                return []

    async def caller(stage: Stage) -> None:
        await asyncio.sleep(1.5)
        await stage.speak(noise(600), quiet(3000))

    meaning = Intent("inform", 0.9, (Entity("text", meant, meant),), engine="table")
    return Stage(react, [Says(said)], {meant: meaning}, bias=bias).play(caller)


def test_the_dialogue_gets_what_was_meant_and_the_record_tells_what_was_heard() -> None:
    record = talk("厨房要", "处方药", Listen("greet", silence_ms=3000), Bias("zh-CN", ["处方药"]))
    assert record.outcome == "inform 处方药"
    turn = next(turn for turn in record.turns if turn.heard)
    assert (turn.heard, turn.intent) == ("处方药", "inform")
    assert "厨房要 understood as 处方药" in turn.notes
    assert record.counters["words_corrected"] == 1


def test_the_record_does_not_spell_digits_in_its_notes() -> None:
    record = talk("要三八零", "幺三八零", WANTED, Bias("zh-CN"))
    turn = next(turn for turn in record.turns if turn.heard)
    assert (turn.heard, turn.notes) == ("幺三八零", ["a word understood as a digit"])
