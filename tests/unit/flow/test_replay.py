"""Stored calls against another version: what would differ."""

from __future__ import annotations

from datetime import datetime

from agi_bot.contracts import Context, Intent
from agi_bot.flow import load_text
from agi_bot.flow.replay import Difference, replay, summary
from agi_bot.record import CallRecord, Turn

from .talking import CHINA, NOW

FLOW = """\
flow: f
task: {name: text}
start: a
steps:
  a: {say: '您好，{name}', on: {affirm: b, deny: c}}
  b: {call: {hook: h, save: {left: integer}}, next: [{when: left > 0, next: d}, c]}
  c: {say: 再见, end: no}
  d: {say: 好的, end: yes}
silence: [喂, {end: quiet}]
"""


class Understands:
    def __init__(self, **table: str) -> None:
        self.table = table

    async def interpret(self, text: str, context: Context) -> Intent:
        return Intent(self.table.get(text, ""), 0.9)


def record(*turns: Turn, outcome: str = "yes", ended_by: str = "bot") -> CallRecord:
    slots = {"left": 3} if outcome == "yes" else {}
    return CallRecord(
        "id-1", "f", "zh-CN", NOW, outcome=outcome, ended_by=ended_by, turns=list(turns), slots=dict(slots),
        task={"name": "张"},
    )  # fmt: skip


YES = Turn(step="d", heard="好", intent="affirm")


async def test_the_same_flow_gives_the_same_call() -> None:
    difference = await replay(record(YES), load_text(FLOW), Understands(好="affirm"))
    assert difference.same
    assert difference.outcome == ("yes", "yes")


async def test_another_interpreter_is_seen_in_intent_step_outcome_and_slots() -> None:
    difference = await replay(record(YES), load_text(FLOW), Understands(好="deny"))
    assert not difference.same
    assert difference.outcome == ("yes", "no")
    (turn,) = difference.turns
    assert (turn.intent, turn.step) == (("affirm", "deny"), ("d", "c"))
    assert difference.slots == {"left": ("3", "")}


async def test_another_flow_that_ends_earlier() -> None:
    early = load_text(FLOW.replace("affirm: b", "affirm: {end: early}"))
    difference = await replay(record(YES, Turn(step="x", heard="还有")), early, Understands(好="affirm"))
    assert difference.outcome == ("yes", "early")
    assert difference.turns[-1].step == ("x", "(ended)")


async def test_a_hook_that_had_failed_fails_again() -> None:
    flow = load_text(FLOW.replace("{left: integer}}", "{left: integer}, failed: {end: later}}"))
    turn = Turn(step="b", heard="好", intent="affirm")
    assert (await replay(record(turn, outcome="later"), flow, Understands(好="affirm"))).same


async def test_silence_after_the_last_answer_and_a_hang_up() -> None:
    quiet = record(outcome="quiet")
    assert (await replay(quiet, load_text(FLOW), Understands())).same
    gone = record(outcome="hung_up", ended_by="caller")
    assert (await replay(gone, load_text(FLOW), Understands())).same


async def test_task_data_that_does_not_fit_is_told() -> None:
    flow = load_text(FLOW.replace("{name: text}", "{name: date}"))
    difference = await replay(record(YES), flow, Understands())
    assert "`name`" in difference.error
    assert not difference.same


async def test_the_summary_counts() -> None:
    flow = load_text(FLOW)
    found = [await replay(record(YES), flow, Understands(好=name)) for name in ("affirm", "deny", "deny")]
    table = summary(found)
    assert (table.calls, table.same) == (3, 1)
    assert table.outcomes == {("yes", "no"): 2, ("yes", "yes"): 1}
    assert table.intents == {("affirm", "deny"): 2}
    assert summary([]).calls == 0


async def test_moments_are_compared_in_the_zone_of_the_call() -> None:
    text = "flow: f\nstart: a\nsteps: {a: {ask: x, collect: {at: datetime}, next: b}, b: {end: e}}\n"
    stored = CallRecord("x", "f", "zh-CN", NOW, outcome="quiet", slots={"at": datetime(2026, 1, 1, 9, tzinfo=CHINA)})
    difference = await replay(stored, load_text(text), Understands())
    assert difference.slots == {"at": ("2026-01-01T09:00", "")}
    assert isinstance(difference, Difference)
