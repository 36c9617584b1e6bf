"""Nobody who speaks is hung up on: ends that silence brought, last words, the longest call."""

from __future__ import annotations

import pytest

from agi_bot.contracts import Intent
from agi_bot.conversation import Limits
from agi_bot.record import CallRecord
from tests.unit.conversation.stage import Says, Stage, noise, quiet
from tests.unit.flow.talking import dialogue

FLOW = """
flow: f
language: zh-CN
start: ask
steps:
  ask: {ask: 您能来吗, on: {affirm: done}}
  done: {say: 好的再见, end: confirmed, hang_up: true}
silence:
  - {say: 在听吗, then: return}
  - {say: 一直没有听到您的声音先挂了再见, mark: gone, end: silent, hang_up: true}
unclear: [没听清, {say: 再见, end: unclear}]
too_long: {say: 时间到了再见, end: too_long, hang_up: true}
"""
MEANINGS = {"喂我在": Intent("", 0.2, engine="table"), "我能来的": Intent("affirm", 0.9, engine="table")}
GOODBYE_MS = 12_200
"""Question, silence, 在听吗 and the question again, silence: then the goodbye of 3 s begins."""


def a_stage(*lines: str, max_call_s: float = 600.0) -> Stage:
    stage = Stage(lambda _: [], [Says(line) for line in lines], MEANINGS, limits=Limits(max_call_s))
    stage.script = dialogue(FLOW)  # type: ignore[assignment]
    return stage


def play(stage: Stage, *parts: list) -> CallRecord:  # type: ignore[type-arg]
    return stage.play(lambda stage: stage.speak(*parts, quiet(60_000)))


def said(record: CallRecord) -> str:
    return "".join(turn.said for turn in record.turns)


def length_ms(record: CallRecord) -> float:
    assert record.ended_at is not None
    return (record.ended_at - record.started_at).total_seconds() * 1000


def test_who_says_nothing_is_hung_up_on_after_the_ladder() -> None:
    stage = a_stage()
    record = play(stage)
    assert (record.outcome, record.tags, stage.call.ended_by) == ("silent", ["gone"], "hung up")
    assert length_ms(record) == pytest.approx(GOODBYE_MS + 3000, abs=200)


@pytest.mark.parametrize("after_ms", [-20, 0, 600, 2400])
def test_who_answers_over_the_goodbye_of_silence_is_still_asked(after_ms: int) -> None:
    stage = a_stage("喂我在", "我能来的")
    record = play(stage, quiet(GOODBYE_MS + after_ms), noise(700), quiet(4000), noise(700))
    assert (record.outcome, record.tags) == ("confirmed", [])
    assert "没听清" in said(record), "the words over the goodbye were taken for an answer"
    assert record.counters["ends_taken_back"] == 1
    assert "the end was taken back" in "".join(note for turn in record.turns for note in turn.notes)


def test_who_begins_in_the_last_moment_of_the_goodbye_is_heard_to_the_end() -> None:
    stage = a_stage("我能来的")
    record = play(stage, quiet(GOODBYE_MS + 2750), noise(1500))
    assert record.outcome == "confirmed"


def test_a_key_over_the_goodbye_of_silence_is_an_answer() -> None:
    stage = a_stage()
    stage.script = dialogue(FLOW.replace("on: {affirm: done}", "on: {affirm: done}, keys: {1: done}"))  # type: ignore[assignment]

    async def caller(stage: Stage) -> None:
        await stage.speak(quiet(GOODBYE_MS + 1000))
        stage.call.press("1")
        await stage.speak(quiet(9000))

    assert stage.play(caller).outcome == "confirmed"


def test_a_cough_over_the_goodbye_does_not_take_it_back() -> None:
    record = play(a_stage(), quiet(GOODBYE_MS + 600), noise(160))
    assert record.outcome == "silent"
    assert "ends_taken_back" not in record.counters


def test_who_speaks_when_the_bot_has_said_its_last_word_is_heard_out() -> None:
    stage = a_stage("我能来的", "谢谢您啊再见")
    record = play(stage, quiet(1200), noise(700), quiet(700), noise(1600))
    assert (record.outcome, stage.call.ended_by) == ("confirmed", "hung up")
    assert record.turns[-1].heard == "谢谢您啊再见"
    assert length_ms(record) > 4200


def test_who_does_not_stop_is_not_heard_out_for_ever() -> None:
    stage = a_stage("我能来的", "啊")
    record = play(stage, quiet(1200), noise(700), quiet(700), noise(9000))
    assert record.outcome == "confirmed"
    assert length_ms(record) == pytest.approx(6100, abs=400)


# --- the longest call ----------------------------------------------------------------


def test_who_speaks_when_the_longest_call_is_over_may_finish_and_is_answered() -> None:
    record = play(a_stage("我能来的", max_call_s=6), quiet(2000), noise(9000))
    assert record.outcome == "confirmed"
    assert (record.turns[0].heard_to_ms or 0) > 10_900
    stage = a_stage("我想一下啊", max_call_s=6)
    record = play(stage, quiet(2000), noise(9000))
    assert (record.outcome, record.turns[0].heard) == ("too_long", "我想一下啊")
    assert (record.turns[1].said_from_ms or 0) > 11_000
    assert "时间到了再见" in said(record)


def test_who_does_not_stop_is_interrupted_when_the_longest_call_is_over() -> None:
    record = play(a_stage("我想一下啊", max_call_s=6), quiet(2000), noise(25_000))
    assert record.outcome == "too_long"
    assert 14_000 < length_ms(record) < 20_000


def test_the_longest_call_ends_on_time_where_nobody_speaks() -> None:
    record = play(a_stage(max_call_s=3))
    assert record.outcome == "too_long"
    assert length_ms(record) == pytest.approx(4200, abs=100)


# --- sound without words -------------------------------------------------------------


@pytest.mark.parametrize(("sound_ms", "every_ms"), [(160, 1500), (250, 2750), (0, 1000)])
def test_sound_without_words_keeps_the_bot_silent_for_no_more_than_as_long_again(sound_ms: int, every_ms: int) -> None:
    stage = a_stage()
    record = play(stage, *[part for _ in range(60) for part in (noise(sound_ms), quiet(every_ms - sound_ms))])
    assert record.outcome == "silent"
    assert length_ms(record) < 2 * 10_000 + 5200 + 5000, "sound over the prompts holds them up, too"


def test_nobody_is_asked_into_a_cough() -> None:
    record = play(a_stage(), quiet(5500), noise(200))
    asked = next(turn for turn in record.turns if "在听吗" in turn.said)
    assert asked.said == "您能来吗在听吗您能来吗一直没有听到您的声音先挂了再见"
    assert length_ms(record) == pytest.approx(12_200 + 3000 + 1300, abs=250)
