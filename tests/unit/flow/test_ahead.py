"""What is said while a hook runs, and what was begun before a question could be heard."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from agi_bot.flow import Dialogue
from agi_bot.flow.events import Event, Heard, HookReturned, Keyed, PromptCut, PromptEnded, RunHook, Silent, Transfer
from tests.unit.flow.talking import heard, kinds, listens, said, started

FLOW = """\
flow: f
language: zh-CN
start: come
steps:
  come: {ask: 您能来吗？, on: {affirm: {say: 我查一下。, next: look}, deny: why, late: why}}
  look: {call: {hook: crm.look}, next: bring}
  bring: {ask: 您会带上病历吗？, again: 病历您带吗？, on: {affirm: day, deny: end, late: end, lost_it: end}}
  day: {ask: 改到哪天？, collect: {on_day: date}, confirm: "{on_day}，对吗？", next: end}
  why: {ask: 为什么呢？, on: {otherwise: end}}
  end: {say: 再见, end: done}
anywhere:
  transfer_human: {say: 好的。, transfer: desk}
  who_are_you: {say: 我是小市。, then: return}
silence: [在吗, {end: silent}]
unclear: [没听清。, 还是没听清。, {end: unclear}]
"""


def ahead(text: str = "", intent: str = "", **entities: object) -> Heard:
    return replace(heard(text, intent, **entities), ahead=True)  # type: ignore[arg-type]


def in_the_hook() -> Dialogue:
    talk, _ = started(FLOW)
    assert kinds(talk.receive(heard("能来", "affirm"))) == ["Say", "RunHook"]
    return talk


def asked_to_bring(*cut: Event) -> Dialogue:
    """The hook has answered, the next question is on its way."""
    talk = in_the_hook()
    assert said(talk.receive(HookReturned(1))) == "您会带上病历吗？"
    for event in cut:
        talk.receive(event)
    return talk


def test_a_way_out_of_the_call_is_taken_while_a_hook_runs() -> None:
    talk = in_the_hook()
    actions = talk.receive(heard("转人工", "transfer_human"))
    assert said(actions) == "好的。"
    assert actions[-1] == Transfer("desk")
    assert talk.ended
    assert talk.receive(HookReturned(1)) == []


def test_nothing_else_counts_while_a_hook_runs() -> None:
    talk = in_the_hook()
    for word in (heard("不来", "deny"), heard("你是谁", "who_are_you"), heard("嗯")):
        assert talk.receive(word) == []
    assert said(talk.receive(HookReturned(1))) == "您会带上病历吗？"


@pytest.mark.parametrize("intent", ["affirm", "deny", "late", ""])
def test_what_was_begun_before_the_question_is_no_answer_to_it(intent: str) -> None:
    """A yes, a no, an intent of the question before, words that mean nothing here: it is asked anew."""
    talk = asked_to_bring(PromptCut(3, 0))
    assert said(talk.receive(ahead("我说错了", intent))) == "您会带上病历吗？"
    assert talk.step == "bring"
    assert said(talk.receive(heard("会的", "affirm"))) == "改到哪天？"


def test_a_question_that_was_spoken_over_the_caller_is_asked_again() -> None:
    assert said(asked_to_bring(PromptEnded(3)).receive(ahead("好", "affirm"))) == "病历您带吗？"


def test_a_question_that_is_still_being_spoken_is_not_asked_twice() -> None:
    actions = asked_to_bring().receive(ahead("好", "affirm"))
    assert said(actions) == ""
    assert listens(actions).step == "bring"


@pytest.mark.parametrize(
    ("intent", "words"), [("lost_it", "再见"), ("transfer_human", "好的。"), ("who_are_you", "我是小市。病历您带吗？")]
)
def test_what_has_a_meaning_of_its_own_counts_at_once(intent: str, words: str) -> None:
    assert said(asked_to_bring(PromptCut(3, 0)).receive(ahead(intent=intent))) == words


def test_a_value_counts_and_the_question_what_was_confirmed_is_another() -> None:
    talk = asked_to_bring()
    talk.receive(heard("会", "affirm"))
    confirm = talk.receive(ahead("明天", date=date(2026, 11, 25)))
    assert "对吗" in said(confirm)
    talk.receive(PromptCut(5, 0))
    assert "对吗" in said(talk.receive(ahead("对", "affirm"))), "nobody has heard the day"
    assert talk.receive(heard("对", "affirm")), "now he has"
    assert talk.outcome == "done"


def test_somebody_who_never_listens_is_not_asked_for_ever() -> None:
    talk = asked_to_bring(PromptCut(3, 0))
    words = [said(talk.receive(ahead("好", "affirm"))) for _ in range(5)]
    assert words[2:4] == ["没听清。", "还是没听清。"]
    assert talk.outcome == "unclear"


@pytest.mark.parametrize("event", [Silent(), Keyed("7"), heard("嗯")])
def test_a_question_that_was_answered_once_is_known(event: Event) -> None:
    """What is begun before the reprompt answers the question, which was heard."""
    talk = asked_to_bring()
    talk.receive(event)
    assert said(talk.receive(ahead("会", "affirm"))) == "改到哪天？"


def test_the_greeting_is_said_again_for_who_spoke_first() -> None:
    talk, _ = started(FLOW)
    talk.receive(PromptCut(1, 0))
    assert said(talk.receive(ahead("喂你好"))) == "您能来吗？"


def test_a_slow_hook_of_an_author_who_wrote_no_filler_has_one() -> None:
    talk, _ = started(FLOW)
    hook = talk.receive(heard("能来", "affirm"))[-1]
    assert isinstance(hook, RunHook)
    assert ("".join(span.text for span in hook.filler), hook.filler_after_ms) == ("请稍等。", 1500)
