"""The times of turns in the record are those that the caller lived through."""

from __future__ import annotations

import pytest

from agi_bot.contracts import Intent
from agi_bot.flow.events import Action, End, Event, Heard, Listen, Say, Silent, Span, Started
from agi_bot.record import CallRecord
from tests.unit.conversation.stage import Says, Stage, Thoughtful, noise, quiet

MEANINGS = {"是的": Intent("affirm", 0.95, engine="table")}
LISTEN = Listen("ask", expected=("affirm",), silence_ms=6000)


def asks(event: Event) -> list[Action]:
    """Asks until it understands."""
    match event:
        case Started():
            return [Say(1, (Span("您能来吗"),)), LISTEN]
        case Heard(intent=intent) if intent.name:
            return [Say(3, (Span("再见"),)), End(intent.name)]
        case Heard():
            return [Say(2, (Span("没听清"),)), LISTEN]
        case Silent():
            return [End("silence")]
    return []


def play(stage: Stage, *parts: list) -> CallRecord:  # type: ignore[type-arg]
    return stage.play(lambda stage: stage.speak(*parts, quiet(9000)))


@pytest.mark.parametrize("finish_s", [0.0, 0.3])
def test_the_reply_time_has_what_the_recogniser_needs_for_the_last_words(finish_s: float) -> None:
    stage = Stage(asks, [Says("是的")], MEANINGS)
    stage.hearing = Thoughtful(stage.lines, finish_s)
    turn = play(stage, quiet(1200), noise(400)).turns[0]
    assert turn.heard_from_ms == pytest.approx(1200, abs=60)
    assert turn.heard_to_ms == pytest.approx(1600, abs=60)
    answered_ms = stage.record.turns[1].said_from_ms
    assert answered_ms is not None
    assert turn.heard_to_ms is not None
    assert turn.reply_ms == answered_ms - turn.heard_to_ms
    assert turn.endpoint_ms is not None
    assert answered_ms == pytest.approx(turn.heard_to_ms + turn.endpoint_ms + 1000 * finish_s, abs=40)


def test_each_turn_without_words_has_its_own_times() -> None:
    stage = Stage(asks, [Says(""), Says(""), Says("是的")], MEANINGS)
    record = play(stage, quiet(1500), noise(800), quiet(3000), noise(800), quiet(3000), noise(400))
    assert [(turn.said, turn.heard) for turn in record.turns] == [
        ("您能来吗", ""),
        ("没听清", ""),
        ("没听清", "是的"),
        ("再见", ""),
    ]
    assert all(0 < (turn.reply_ms or 0) < 1000 for turn in record.turns[:3])
    assert [turn.heard_to_ms for turn in record.turns[:3]] == pytest.approx([2300, 6100, 9500], abs=80)
    assert [turn.notes for turn in record.turns] == [["a voice without words"], ["a voice without words"], [], []]


def test_an_interrupted_prompt_was_spoken_until_the_bot_fell_silent() -> None:
    def react(event: Event) -> list[Action]:
        long = Say(1, (Span("您好这里是市一医院请问您能按时来复查吗谢谢您的配合"),))
        return [long, LISTEN] if isinstance(event, Started) else asks(event)

    stage = Stage(react, [Says("我没有时间啊")], {"我没有时间啊": Intent("deny", 0.9)})
    record = play(stage, quiet(1000), noise(1500))
    heard_ms = 20 * len(stage.call.played) - 400
    turn = record.turns[0]
    assert turn.cut_after_words == pytest.approx(heard_ms / 200, abs=1)
    assert turn.said_to_ms == pytest.approx(heard_ms, abs=40)
    assert (turn.said_to_ms or 0) < 1200, "it fell silent at the first sound, and decided later"
