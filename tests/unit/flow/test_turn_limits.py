"""Limits of turn-taking in a flow: read with line and column, step over flow, told in the docs."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from agi_bot.flow import BrokenFlow, Dialogue, Problem, load, load_text
from agi_bot.flow.events import Started
from agi_bot.flow.limits import TurnLimits
from agi_bot.flow.schema import flow_schema
from agi_bot.flow.tree import parse
from agi_bot.speech.turn_settings import TurnSettings

from .talking import MINIMAL, NOW, listens, started
from .test_schema import faults

DOCS = Path(__file__).parents[3] / "docs"
FOUND_AT = {
    "head": (MINIMAL + "turns: {}\n", 8, 8),
    "step": (MINIMAL.replace("    on", "    turns: {}\n    on"), 6, 12),
}
"""Where the limits stand -> the flow, line and column of what is written for {}."""


def problem(text: str) -> Problem:
    with pytest.raises(BrokenFlow) as caught:
        load_text(text)
    (only,) = caught.value.problems
    return only


def test_they_are_the_limits_that_the_judge_of_turns_has() -> None:
    known = {each.name for each in fields(TurnSettings) if each.name.endswith("_ms")}
    assert set(TurnLimits.model_fields) == known


@pytest.mark.parametrize("place", FOUND_AT)
@pytest.mark.parametrize(
    ("written", "rule", "right", "says"),
    [
        ("{opn_ms: 1500}", "unknown-key", 1, "did you mean `open_ms`"),
        ("{max_turn: 9000}", "unknown-key", 1, "did you mean `max_turn_ms`"),
        ("{patience: 900}", "unknown-key", 1, "allowed here: answer_ms, backchannel_ms"),
        ("{open_ms: 1.5s}", "bad-value", 10, "write 1500, without quotes or a unit"),
        ("{open_ms: 900ms}", "bad-value", 10, "write 900, without"),
        ("{open_ms: １５００}", "bad-value", 10, "write 1500, without"),
        ("{open_ms: '1500'}", "bad-value", 10, "write 1500, without quotes"),
        ("{open_ms: soon}", "bad-value", 10, "for example 1500"),
        ("{open_ms: true}", "bad-value", 10, "for example 1500"),
        ("{open_ms: [1500]}", "bad-value", 10, "for example 1500"),
        ("{open_ms: -5}", "bad-value", 10, "from 0 on"),
        ("{open_ms: 3600001}", "bad-value", 10, "longer than an hour"),
        ("{max_turn_ms: 15}", "bad-value", 14, "15000 for 15 s"),
        ("60", "bad-value", 0, "`turns` needs `name: value` lines"),
    ],
)
def test_a_wrong_one_has_its_place_and_its_cure(place: str, written: str, rule: str, right: int, says: str) -> None:
    flow, line, column = FOUND_AT[place]
    found = problem(flow.replace("{}", written))
    assert (found.rule, found.line, found.column) == (rule, line, column + right)
    assert says in f"{found.message}; {found.cure}"


@pytest.mark.parametrize("place", FOUND_AT)
def test_editors_know_them(place: str) -> None:
    flow, _, _ = FOUND_AT[place]
    good, *wrong = (
        parse(flow.replace("{}", written), "f.yaml").plain()
        for written in ("{open_ms: 1500}", "{opn_ms: 1500}", "{open_ms: 1.5s}", "{max_turn_ms: 15}")
    )
    assert faults(flow_schema(), good) == []
    assert all(faults(flow_schema(), document) for document in wrong)


def test_a_slip_below_a_step_of_that_name_is_one_of_a_way() -> None:
    flow = MINIMAL.replace("  a:", "  turns:").replace("start: a", "start: turns")
    assert "did you mean `say`" in problem(flow.replace("affirm: b", "affirm: {sai: x, next: b}")).cure


FOUR = """\
flow: f
start: a
turns: {open_ms: 1500, max_turn_ms: 15000}
steps:
  a: {say: 您好, on: {affirm: b}}
  b: {say: 好, turns: {open_ms: 2500, pause_ms: 100}, on: {affirm: c}}
  c: {say: 好, patience: 900ms, on: {affirm: d}}
  d: {say: 好, patience: 900ms, turns: {open_ms: 3000}, on: {affirm: e}}
  e: {say: 再见, end: done}
"""


@pytest.mark.parametrize(
    ("step", "limits"),
    [
        ("a", {"open_ms": 1500, "max_turn_ms": 15_000}),
        ("b", {"open_ms": 2500, "max_turn_ms": 15_000, "pause_ms": 100}),
        ("c", {"max_turn_ms": 15_000}),
        ("d", {"open_ms": 3000, "max_turn_ms": 15_000}),
    ],
)
def test_the_steps_go_over_the_flows(step: str, limits: dict[str, int]) -> None:
    """A step's patience goes over what the flow names of the same kind, and below what the step itself names."""
    _, actions = started(FOUR.replace("start: a", f"start: {step}"))
    assert listens(actions).turns == limits


def test_a_sub_flow_has_its_own(tmp_path: Path) -> None:
    part = MINIMAL.replace("flow: f\n", "flow: inner\npart: true\nturns: {open_ms: 700}\n")
    (tmp_path / "inner.yaml").write_text(part, encoding="utf-8")
    (tmp_path / "f.yaml").write_text(
        MINIMAL.replace("    say: 您好\n    on: {affirm: b}", "    flow: inner\n    next: b")
        + "turns: {open_ms: 1900}\n",
        encoding="utf-8",
    )
    actions = Dialogue(load(tmp_path / "f.yaml")).receive(Started(NOW))
    assert listens(actions).turns == {"open_ms": 700}


@pytest.mark.parametrize("name", TurnLimits.model_fields)
def test_the_docs_tell_each(name: str) -> None:
    text = (DOCS / "turns.md").read_text(encoding="utf-8")
    assert re.search(rf"`{name}`", text)
