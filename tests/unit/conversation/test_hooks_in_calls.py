"""Hooks in a call: slow ones, failing ones, and what is said meanwhile, in virtual time."""

from __future__ import annotations

import pytest

from agi_bot.flow.events import (
    Action,
    End,
    Event,
    HookFailed,
    HookReturned,
    PromptEnded,
    RunHook,
    Say,
    Span,
    Started,
)
from tests.unit.conversation.stage import HookTable, Stage


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
