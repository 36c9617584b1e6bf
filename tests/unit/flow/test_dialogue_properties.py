# ruff: noqa: E501 - flows and conditions are easier to read in one line
"""Whatever happens in whatever order: no exception, every call ends, nothing after the end."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agi_bot.contracts import Entity, Intent, Transcript
from agi_bot.flow import Dialogue, load, load_text
from agi_bot.flow.events import (
    End,
    EngineFailed,
    Event,
    Heard,
    HookFailed,
    HookReturned,
    HungUp,
    Keyed,
    Listen,
    Noticed,
    PromptCut,
    PromptEnded,
    RunHook,
    Silent,
    Started,
    TooLong,
    Transfer,
)

from .talking import CHINA, NOW

FLOWS = Path(__file__).parents[3] / "flows"
EVERYTHING = load_text(
    """\
flow: everything
task: {name: text, amount: {type: money, default: 5}}
start: a
steps:
  a:
    say: {A: '您好，{name}', B: '{amount}元'}
    collect:
      at: {type: datetime, check: at > now}
      n: {type: integer, ask: 几个, check: n < 10 / (n - 1), invalid: 不行}
      yes: boolean
      grade: {type: choice, choices: {高一: [], 高二: []}}
      note: text
    confirm: '{at}{n}{yes}{grade}{note}，对吗'
    on: {busy: b, price: [{when: n > 3, next: b}, {when: caller is hesitant, say: 嗯}], otherwise: {knowledge: k, then: return}}
    keys: {1: b, 23: c}
    next: [{when: n > 3 and length(note) > 1, next: b}, c]
  b:
    call: {hook: h, with: {a: '{at}', b: = amount * n, c: '{name}!'}, save: {n: integer, at: datetime}, failed: c, filler: '{name}稍等'}
    ask: 好吗
    on: {affirm: a, deny: c}
  c: {set: {n: = n / 0, at: = now + days(n)}, wait: 1s, say: 等, next: d, visits: 3}
  d: {next: [{when: n == 1, next: a}, {when: filled(at), next: b}, {end: done}]}
anywhere:
  stop_calling: {say: 好, mark: stop, end: stopped}
  repeat: {then: return}
  transfer_human: {transfer: '{name}'}
silence: [喂, {then: return}, {when: n > 2, end: silent}]
unclear: [什么, {when: n > 2, transfer: x}]
keys: {0: {transfer: desk}}
keys_mean: {5: affirm, 6: repeat}
"""
)
VALUES = st.one_of(
    st.integers(-5, 10**20), st.floats(), st.text(max_size=5), st.booleans(), st.decimals(),
    st.dates(), st.times(), st.datetimes(), st.datetimes().map(lambda moment: moment.replace(tzinfo=CHINA)),
)  # fmt: skip
ENTITIES = st.builds(
    Entity,
    kind=st.sampled_from(["date", "time", "datetime", "number", "money", "product", "phone"]),
    value=VALUES,
    text=st.text("三点下午7", max_size=4),
)
INTENTS = st.builds(
    Intent,
    name=st.sampled_from(
        ["", "affirm", "deny", "busy", "price", "repeat", "stop_calling", "transfer_human", "reschedule", "question"]
    ),
    entities=st.lists(ENTITIES, max_size=3).map(tuple),
)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Heard, INTENTS, st.builds(Transcript, st.text(max_size=6)), st.booleans()),
    st.builds(Heard, INTENTS, st.builds(Transcript, st.sampled_from(["高一", "三点", "对"])), st.booleans()),
    st.builds(Keyed, st.text("0123456789*#", max_size=3)),
    st.just(Silent()),
    st.builds(PromptEnded, st.integers(0, 5)),
    st.builds(PromptCut, st.integers(0, 5), st.integers(0, 5)),
    st.builds(HookReturned, st.integers(0, 4), st.dictionaries(st.sampled_from(["n", "at", "answer"]), VALUES)),
    st.builds(HookFailed, st.integers(0, 4), st.just("timeout")),
    st.builds(Noticed, st.frozensets(st.sampled_from(["hesitant", "angry"]))),
    st.just(Started(NOW)),
)
RARE: st.SearchStrategy[Event] = st.sampled_from(
    [HungUp(), TooLong(), EngineFailed("voice"), EngineFailed("interpreter")]
)


def conversation(flow_name: str) -> Dialogue:
    if flow_name == "everything":
        return Dialogue(EVERYTHING, {"name": "张{伟}"}, seed="x")
    flow = load(FLOWS / "hospital" / f"{flow_name}.yaml")
    return Dialogue(flow, flow.read_task(flow.example_task()))


FLOW_NAMES = ["everything", "appointment_reminder", "appointment_reminder_en"]


@pytest.mark.parametrize("flow_name", FLOW_NAMES)
@settings(max_examples=150, deadline=None)
@given(events=st.lists(EVENTS, max_size=25), last=RARE)
def test_no_events_raise_and_the_last_word_is_an_end(flow_name: str, events: list[Event], last: Event) -> None:
    talk = conversation(flow_name)
    for event in [Started(NOW), *events, last]:
        ended_before = talk.ended
        actions = talk.receive(event)
        assert not (ended_before and actions)
        ends = [action for action in actions if isinstance(action, End | Transfer)]
        assert len(ends) == (1 if talk.ended and not ended_before and not isinstance(event, HungUp) else 0)
        if actions and not talk.ended:
            assert isinstance(actions[-1], Listen | RunHook)
    assert talk.ended
    assert talk.outcome


@pytest.mark.parametrize("flow_name", FLOW_NAMES)
@settings(max_examples=60, deadline=None)
@given(events=st.lists(EVENTS, min_size=1, max_size=6))
def test_every_call_ends_by_itself(flow_name: str, events: list[Event]) -> None:
    talk = conversation(flow_name)
    talk.receive(Started(NOW))
    hook = 0
    for number in range(1000):
        actions = talk.receive(events[number % len(events)])
        hook = max([hook, *(action.hook for action in actions if isinstance(action, RunHook))])
        talk.receive(HookFailed(hook, "timeout"))
        talk.receive(Silent())
        if talk.ended:
            return
    raise AssertionError("the call never ended")


@given(value=VALUES)
def test_any_value_of_a_slot_can_be_said(value: object) -> None:
    assert isinstance(value, int | float | str | bool | Decimal | date | time | datetime)
    talk = Dialogue(load_text("flow: f\nstart: a\nsteps: {a: {say: '{x}{x|money}{x|date}', end: e}}\n"), {"x": value})
    talk.receive(Started(NOW))
    assert talk.outcome == "e"
