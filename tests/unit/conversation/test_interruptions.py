"""What an interruption, or the semblance of one, does to the prompt that is being spoken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agi_bot.contracts import Intent
from agi_bot.flow.events import Action, End, Event, Heard, Listen, PromptEnded, Say, Silent, Span, Started
from tests.unit.conversation.stage import Says, Stage, noise, quiet

LISTEN = Listen("ask", expected=("affirm", "deny"), silence_ms=3000)
LONG = Span("您好这里是市一医院请问您能按时来复查吗")
PROTECTED = Span("本次通话会被录音", protected=True)


def asks(listen: Listen, *spans: Span) -> Stage:
    """A dialogue of one prompt that ends the call at the first answer or silence."""

    def react(event: Event) -> list[Action]:
        match event:
            case Started():
                return [Say(1, spans), listen]
            case Heard(intent=intent):
                return [End(intent.name or "unclear")]
            case Silent():
                return [End("silence")]
        return []

    return Stage(react)


def spoken_ms(stage: Stage) -> int:
    """Length of what went out, not counting silence."""
    return sum(20 for frame in stage.call.played if frame.samples.any())


@pytest.mark.parametrize(("heard", "again"), [("嗯", False), ("", True)], ids=["nod", "cough"])
def test_a_prompt_that_starts_again_does_so_for_a_cough_and_not_for_a_nod(heard: str, again: bool) -> None:
    stage = asks(replace(LISTEN, resume="restart"), LONG)
    stage.lines.extend([Says(heard)] if heard else [])
    record = stage.play(lambda stage: stage.speak(quiet(2000), noise(240), quiet(12_000)))
    assert sum(count for name, count in record.counters.items() if name.startswith("false_alarms")) == 1
    whole = len(LONG.text) * 200
    assert (spoken_ms(stage) > whole + 1500) is again
    assert PromptEnded(1) in stage.script.events


def test_what_is_before_a_protected_span_is_cut_and_the_span_is_spoken() -> None:
    stage = asks(LISTEN, LONG, PROTECTED, Span("谢谢您的配合"))
    stage.lines.append(Says("我没有时间啊"))
    stage.interpreter.meanings = {"我没有时间啊": Intent("deny", 0.9)}
    record = stage.play(lambda stage: stage.speak(quiet(600), noise(800), quiet(12_000)))
    assert record.outcome == "deny"
    assert record.counters["barge_ins"] == 1
    protected = len(PROTECTED.text) * 200
    assert protected <= spoken_ms(stage) < protected + 2000
