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
    assert turn.reply_ms == answered_ms - turn.heard_to_ms
    assert turn.endpoint_ms is not None
    assert answered_ms == pytest.approx(turn.heard_to_ms + turn.endpoint_ms + 1000 * finish_s, abs=40)
