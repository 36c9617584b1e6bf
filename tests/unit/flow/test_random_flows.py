"""Flows made at random: the checker never fails, and what it promises about slots holds when they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest.mock import patch

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agi_bot.contracts import Entity, Intent, Transcript
from agi_bot.flow import BrokenFlow, Dialogue, Flow, Problem, load_text
from agi_bot.flow.check import check
from agi_bot.flow.check.known import implied
from agi_bot.flow.check.slots import slots_of
from agi_bot.flow.events import Event, Heard, HookFailed, HookReturned, Keyed, Listen, RunHook, Silent, Started
from agi_bot.flow.expression import parse_expression
from agi_bot.flow.mouth import Mouth
from agi_bot.flow.places import all_ways
from agi_bot.flow.state import Level
from agi_bot.flow.template import parse_template

from .talking import CHINA, NOW

STEPS = ["s0", "s1", "s2", "s3"]
SLOTS = ["x", "y", "z", "given", "maybe"]
TEXTS = st.sampled_from(["好", "好的", "{given}", "{given}吗", "{x}好", "{x}", "{y}和{z}", "{maybe}"])
CONDITIONS = st.sampled_from(
    ["filled(x)", "x > 1", "not filled(y)", "y == 3 and z > 0", "x > 1 or y > 1", "caller is hesitant", "given > 0",
     "filled(maybe)", "x in [y, 1]", "max(x, y) > 1", "x != y"]
)  # fmt: skip
LEADING = st.one_of(st.fixed_dictionaries({"next": st.sampled_from(STEPS)}), st.just({"end": "done"}))
TARGETS = st.one_of(LEADING, st.sampled_from([{"then": "return"}, {"then": "listen"}]))
SET = st.dictionaries(st.sampled_from(SLOTS[:3]), st.sampled_from([1, "= y + 1", "{x}", "= given", "= x"]), max_size=2)


def ways(goal: st.SearchStrategy[dict[str, str]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    more = st.fixed_dictionaries({}, optional={"when": CONDITIONS, "say": TEXTS, "set": SET})
    return st.lists(st.builds(lambda one, other: {**one, **other}, more, goal), min_size=1, max_size=3)


STEP = st.one_of(
    st.fixed_dictionaries(
        {"on": st.dictionaries(st.sampled_from(["affirm", "deny", "otherwise"]), ways(TARGETS), min_size=1)},
        optional={"say": TEXTS, "set": SET, "keys": st.fixed_dictionaries({"1": ways(TARGETS)})},
    ),
    st.fixed_dictionaries(
        {
            "ask": TEXTS,
            "collect": st.dictionaries(st.sampled_from(SLOTS[:3]), st.just("integer"), min_size=1, max_size=2),
            "next": ways(LEADING),
        },
        optional={"confirm": TEXTS, "say": TEXTS, "on": st.fixed_dictionaries({"busy": ways(TARGETS)})},
    ),
    st.fixed_dictionaries({"next": ways(LEADING)}, optional={"say": TEXTS, "set": SET}),
    st.fixed_dictionaries(
        {
            "call": st.fixed_dictionaries({"hook": st.just("h")}, optional={"failed": ways(LEADING)}),
            "next": ways(LEADING),
        },
        optional={"say": TEXTS, "set": SET},
    ),
    st.fixed_dictionaries(
        {
            "call": st.fixed_dictionaries(
                {"hook": st.just("h"), "save": st.just({"x": "integer", "z": "integer"})},
                optional={"failed": ways(LEADING), "with": st.just({"a": "{y}"})},
            ),
            "next": ways(LEADING),
        },
        optional={"say": TEXTS},
    ),
    st.fixed_dictionaries({"end": st.just("done")}, optional={"say": TEXTS}),
)
FLOW = st.fixed_dictionaries(
    {
        "flow": st.just("f"),
        "start": st.just("s0"),
        "task": st.just({"given": "integer", "maybe": {"type": "integer", "required": False}}),
        "steps": st.fixed_dictionaries(dict.fromkeys(STEPS, STEP)),
    },
    optional={
        "anywhere": st.fixed_dictionaries({"help": ways(TARGETS)}),
        "silence": ways(TARGETS),
        "unclear": ways(TARGETS),
        "trouble": ways(LEADING),
    },
)
NUMBER = Entity("number", 3, "三")
HEARD = [
    Heard(Intent(name, 0.9, entities), Transcript(name, final=True))
    for name in ("affirm", "deny", "busy", "help", "")
    for entities in ((), (NUMBER,), (NUMBER, Entity("number", 4, "四")))
]
EVENTS: list[Event] = [*HEARD, Keyed("1"), Keyed("5"), Silent()]


Empty = tuple[str, str]
"""Slot and step."""


@contextmanager
def watched() -> Iterator[set[Empty]]:
    """Collects slots that are spoken while they are empty."""
    empty: set[Empty] = set()
    real = Mouth.speak

    def spy(self: Mouth, text: str, protect: tuple[str, ...], level: Level) -> None:
        slots = parse_template(text).slots
        empty.update((slot, level.step_name) for slot in slots if slot not in level.values)
        real(self, text, protect, level)

    with patch.object(Mouth, "speak", spy):
        yield empty


def predicted(flow: Flow, problems: list[Problem]) -> set[Empty]:
    """Slots and steps that the checker names, and slots computed from those it names."""
    found = set()
    for problem in problems:
        if problem.rule == "unfilled-slot":
            found.add((problem.text, problem.message.split("in step `")[1].split("`")[0]))
        elif problem.rule == "unknown-slot":
            found.update((problem.text, step) for step in STEPS)
    return found | {(slot, step) for slot in computed_from(flow, {slot for slot, _ in found}) for step in STEPS}


def computed_from(flow: Flow, bad: set[str]) -> set[str]:
    """Slots that `set` makes of the slots in ``bad``; only the cause is told by the checker."""
    tables = [step.set for step in flow.script.steps.values()]
    tables += [place.way.set for place in all_ways(flow.script)]
    made: set[str] = set()
    for _ in SLOTS:
        made.update(slot for table in tables for slot, by in table.items() if set(slots_of(by)) & (bad | made))
    return made


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(written=FLOW, events=st.lists(st.sampled_from(EVENTS), max_size=30), works=st.lists(st.booleans(), max_size=8))
def test_the_checker_knows_every_slot_that_may_be_spoken_empty(
    written: dict[str, Any], events: list[Event], works: list[bool]
) -> None:
    try:
        flow = load_text(yaml.safe_dump(written, allow_unicode=True))
    except BrokenFlow:
        return
    known = predicted(flow, check(flow))
    talk = Dialogue(flow, {"given": 7})
    answers = iter(works)
    with watched() as empty:
        for event in [Started(NOW), *events]:
            actions = talk.receive(event)
            while actions and isinstance(actions[-1], RunHook):
                number = actions[-1].hook
                works_now = next(answers, True)
                answer = HookReturned(number, {"x": 1, "z": 2}) if works_now else HookFailed(number, "x")
                actions = talk.receive(answer)
            assert talk.ended or not actions or isinstance(actions[-1], Listen)
    assert empty <= known, talk.trace


@pytest.mark.parametrize(
    ("condition", "slots"),
    [
        ("x > 1", {"x"}), ("x > 1 and filled(y)", {"x", "y"}), ("x > 1 or y > 1", set()), ("x > 1 or x < 0", {"x"}),
        ("not filled(x)", set()), ("not x > 1", set()), ("x", {"x"}), ("caller is hesitant", set()),
        ("x in [y, 1]", {"x"}), ("x + y > 3", {"x", "y"}), ("max(x, y) > 1", set()), ("weekday(x) == 1", set()),
    ],
)  # fmt: skip
def test_what_a_condition_implies(condition: str, slots: set[str]) -> None:
    assert implied(parse_expression(condition).body) == slots


def test_in_trouble_a_hook_has_filled_nothing() -> None:
    flow = load_text(
        "flow: f\nstart: a\nsteps:\n  a: {call: {hook: h, save: {x: integer}}, say: '{x}', next: b}\n"
        "  b: {say: '{x}', end: e}\ntrouble: {say: 对不起, next: b}\n"
    )
    assert ("x", "b") in predicted(flow, check(flow))


def test_the_clock_is_never_read() -> None:
    talk = Dialogue(load_text("flow: f\nstart: a\nsteps: {a: {set: {t: = now}, end: e}}\n"))
    talk.receive(Started(NOW))
    assert talk.slots == {"t": datetime(2026, 11, 24, 9, 0)}
    assert NOW.tzinfo is CHINA
