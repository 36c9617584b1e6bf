"""Hooks in a call: slow ones, failing ones, and what is said meanwhile, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Intent
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
from tests.unit.conversation.stage import Beeper, HookTable, Says, Stage, noise, quiet
from tests.unit.flow.talking import dialogue


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


# --- the caller speaks while a hook runs ---------------------------------------------

FLOW = """
flow: f
language: zh-CN
start: come
steps:
  come: {ask: 您能来吗, on: {affirm: look, deny: end}}
  look: {call: {hook: crm.look, filler: 请稍等}, next: bring}
  bring: {ask: 您会带上病历吗, on: {affirm: end, deny: no}}
  no: {say: 好的, end: refused}
  end: {say: 再见, end: done}
anywhere: {transfer_human: {transfer: desk}}
silence: [在吗, {end: silent}]
unclear: [没听清, {end: unclear}]
"""
MEANINGS = {
    "能来": Intent("affirm", 0.9, engine="table"),
    "我说错了来不了": Intent("deny", 0.9, engine="table"),
    "我要转人工": Intent("transfer_human", 0.9, engine="table"),
}


class Slow(Beeper):
    """Needs a second for the question of the next step."""

    async def speak(self, text: str) -> AsyncIterator[Frame]:
        await asyncio.sleep(1.0 if "病历" in text else 0)
        async for frame in super().speak(text):
            yield frame


def hooked(hook_s: float, *lines: str) -> Stage:
    hooks = HookTable({"crm.look": (hook_s, {})})
    stage = Stage(lambda _: [], [Says(line) for line in lines], MEANINGS, hooks=hooks)
    stage.script = dialogue(FLOW)  # type: ignore[assignment]
    return stage


async def answers_and(stage: Stage, *parts: list[Frame]) -> None:
    await stage.speak(quiet(1200), noise(400), *parts, quiet(20_000))


def test_who_asks_for_a_person_while_a_hook_runs_gets_one_at_once() -> None:
    stage = hooked(8.0, "能来", "我要转人工")
    record = stage.play(lambda stage: answers_and(stage, quiet(700), noise(600)))
    assert (record.transfer_to, stage.call.transferred_to) == ("desk", "desk")
    assert record.ended_at is not None
    assert (record.ended_at - record.started_at).total_seconds() < 6, "the hook is not waited for"


def test_the_filler_waits_for_the_caller_to_finish() -> None:
    stage = hooked(4.5, "能来", "我看看啊")
    record = stage.play(lambda stage: answers_and(stage, quiet(700), noise(2000)))
    filler = next(turn for turn in record.turns if turn.said.startswith("请稍等"))
    assert filler.said_from_ms is not None
    assert filler.said_from_ms > 1200 + 400 + 700 + 2000
    assert "请稍等您会带上病历吗" in "".join(turn.said for turn in record.turns)


def test_what_was_begun_before_the_next_question_does_not_answer_it() -> None:
    stage = hooked(1.6, "能来", "我说错了来不了")
    record = stage.play(lambda stage: answers_and(stage, quiet(1000), noise(1400)))
    assert record.outcome == "silent", "asked again, and nobody answered"
    assert "".join(turn.said for turn in record.turns).count("您会带上病历吗") >= 2


def test_a_prompt_that_nobody_heard_was_not_interrupted() -> None:
    stage = hooked(1.6, "能来", "我说错了来不了")
    stage.voice = Slow()
    record = stage.play(lambda stage: answers_and(stage, quiet(1000), noise(1400)))
    assert "barge_ins" not in record.counters
    assert [turn.cut_after_words for turn in record.turns] == [None] * len(record.turns)
    assert (record.turns[0].said_to_ms or 0) < 3000
    assert "您会带上病历吗" in "".join(turn.said for turn in record.turns), "it is asked all the same"


def test_what_was_begun_after_its_first_sound_answers_it() -> None:
    stage = hooked(0.2, "能来", "我说错了来不了")
    record = stage.play(lambda stage: answers_and(stage, quiet(1400), noise(1400)))
    assert record.outcome == "refused"
