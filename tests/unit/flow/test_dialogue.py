"""The dialogue: what it says, asks, remembers, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agi_bot.contracts import Entity, Intent, Transcript, Value
from agi_bot.flow import Dialogue, load
from agi_bot.flow.events import (
    End,
    EngineFailed,
    Heard,
    HookFailed,
    HookReturned,
    HungUp,
    Keyed,
    Mark,
    Noticed,
    PromptEnded,
    RunHook,
    Say,
    Silent,
    Span,
    Started,
    TooLong,
    Transfer,
)

from .talking import CHINA, MINIMAL, NOW, dialogue, heard, kinds, listens, said, started, talk_through

FLOWS = Path(__file__).parents[3] / "flows"
FILLER: Mapping[str, Any] = {"filler": (Span("请稍等。"),), "filler_after_ms": 1500}
THURSDAY_3PM = datetime(2026, 11, 26, 15, 0, tzinfo=CHINA)


@pytest.fixture
def reminder() -> Dialogue:
    flow = load(FLOWS / "hospital" / "appointment_reminder.yaml")
    return Dialogue(flow, flow.read_task(flow.example_task()))


class TestTheReminder:
    def test_the_patient_moves_the_appointment_in_one_sentence(self, reminder: Dialogue) -> None:
        greeting = reminder.receive(Started(NOW))
        assert "张伟" in said(greeting)
        assert listens(greeting).wanted == {"new_time": "datetime"}
        asked = reminder.receive(heard("我那天没空，能改到后天下午三点吗", "reschedule", datetime=THURSDAY_3PM))
        assert said(asked).startswith("给您改到")
        assert listens(asked).expected[:2] == ("affirm", "deny")
        (hook,) = reminder.receive(heard("对", "affirm"))
        assert isinstance(hook, RunHook)
        assert hook.arguments == {"appointment": THURSDAY_3PM}
        goodbye = reminder.receive(HookReturned(hook.hook))
        assert kinds(goodbye) == ["Say", "End"]
        assert reminder.outcome == "rescheduled"
        assert reminder.slots == {"new_time": THURSDAY_3PM}

    def test_a_correction_in_the_denial_fills_the_slot_again(self, reminder: Dialogue) -> None:
        talk_through(reminder, Started(NOW), heard("", "reschedule", datetime=THURSDAY_3PM))
        four = Heard(Intent("deny", 0.9, (Entity("time", time(4), "四点"),)), Transcript("不对，四点", final=True))
        reminder.receive(four)
        assert reminder.slots["new_time"] == THURSDAY_3PM.replace(hour=16)
        reminder.receive(heard("对", "affirm"))
        assert reminder.step == "rebooked"

    def test_a_plain_denial_asks_again(self, reminder: Dialogue) -> None:
        talk_through(reminder, Started(NOW), heard("", "reschedule", datetime=THURSDAY_3PM))
        assert "什么时间" in said(reminder.receive(heard("不对", "deny")))
        assert "new_time" not in reminder.slots

    def test_a_time_that_has_passed_is_refused(self, reminder: Dialogue) -> None:
        talk_through(reminder, Started(NOW), heard("", "reschedule"))
        answer = reminder.receive(heard("", "", datetime=NOW - timedelta(days=1)))
        assert "已经过了" in said(answer)
        assert "new_time" not in reminder.slots

    def test_the_notice_is_protected_and_only_it(self, reminder: Dialogue) -> None:
        (prompt,) = [a for a in reminder.receive(Started(NOW)) if isinstance(a, Say)]
        assert [span.text for span in prompt.spans if span.protected] == ["本次通话会被录音"]
        assert next(span.text for span in prompt.spans if not span.fixed) == "张伟"

    def test_a_failed_hook_takes_its_error_path(self, reminder: Dialogue) -> None:
        talk_through(reminder, Started(NOW), heard("", "reschedule", datetime=THURSDAY_3PM), heard("", "affirm"))
        actions = reminder.receive(HookFailed(1, "timeout"))
        assert kinds(actions) == ["Mark", "Say", "End"]
        assert reminder.outcome == "reschedule_requested"
        assert reminder.tags == ["call_back"]

    def test_stop_calling_is_heard_while_confirming(self, reminder: Dialogue) -> None:
        talk_through(reminder, Started(NOW), heard("", "reschedule", datetime=THURSDAY_3PM))
        actions = reminder.receive(heard("别再打了", "stop_calling"))
        assert Mark("do_not_call") in actions
        assert reminder.outcome == "refused"

    def test_a_digression_returns_to_the_question(self, reminder: Dialogue) -> None:
        reminder.receive(Started(NOW))
        assert said(reminder.receive(heard("你是谁", "who_are_you"))) == "我是市一医院的预约助理。您能按时来吗？"

    def test_repeat_says_the_last_words_again_but_not_a_rung(self, reminder: Dialogue) -> None:
        greeting = said(reminder.receive(Started(NOW)))
        reminder.receive(Silent())
        assert said(reminder.receive(heard("再说一遍", "repeat"))) == greeting
        reminder.receive(heard("你是谁", "who_are_you"))
        assert said(reminder.receive(heard("再说一遍", "repeat"))) == "我是市一医院的预约助理。您能按时来吗？"

    def test_a_question_is_answered_and_the_question_asked_again(self, reminder: Dialogue) -> None:
        reminder.receive(Started(NOW))
        (hook,) = reminder.receive(heard("能喝水吗", "question"))
        assert hook == RunHook(1, "knowledge:hospital", {"question": "能喝水吗"}, **FILLER)
        assert (
            said(reminder.receive(HookReturned(1, {"answer": "可以喝少量的水。"}))) == "可以喝少量的水。您能按时来吗？"
        )

    def test_a_follow_up_names_the_answer_before(self, reminder: Dialogue) -> None:
        talk_through(reminder, Started(NOW), heard("要空腹吗", "question"))
        reminder.receive(HookReturned(1, {"answer": "要空腹。", "id": "fasting"}))
        (hook,) = reminder.receive(heard("那吃了怎么办", "question"))
        assert hook == RunHook(2, "knowledge:hospital", {"question": "那吃了怎么办", "after": "fasting"}, **FILLER)

    def test_a_question_nobody_can_answer_counts_as_not_understood(self, reminder: Dialogue) -> None:
        talk_through(reminder, Started(NOW), heard("能喝水吗", "question"))
        assert "没听清" in said(reminder.receive(HookReturned(1)))


class TestLadders:
    def test_silence_climbs_to_its_end(self, reminder: Dialogue) -> None:
        reminder.receive(Started(NOW))
        assert said(reminder.receive(Silent())) == "您好，您能听到吗？"
        assert said(reminder.receive(Silent())) == "抱歉，我没听到您说话。您能按时来吗？"
        assert kinds(reminder.receive(Silent())) == ["Say", "End"]
        assert reminder.outcome == "no_response"

    def test_an_answer_resets_the_silence(self, reminder: Dialogue) -> None:
        talk_through(reminder, Started(NOW), Silent(), Silent(), heard("嗯嗯呃"))
        assert said(reminder.receive(Silent())) == "您好，您能听到吗？"

    def test_unclear_climbs_to_a_transfer(self, reminder: Dialogue) -> None:
        talk_through(reminder, Started(NOW), heard("啊呃"), heard("啊呃"))
        assert Transfer("nurses") in reminder.receive(heard("啊呃"))
        assert reminder.outcome == "transferred"

    def test_a_step_has_its_own_ladder(self) -> None:
        text = MINIMAL.replace("    on:", "    silence: [一步]\n    on:") + "silence: [全部]\n"
        talk, _ = started(text)
        assert said(talk.receive(Silent())) == "一步"

    def test_without_any_ladder_the_call_still_ends(self) -> None:
        talk, _ = started(MINIMAL)
        for _ in range(5):
            talk.receive(Silent())
        assert talk.outcome == "no_response"

    def test_a_rung_with_a_condition_is_passed_over(self) -> None:
        text = MINIMAL + "unclear: [{when: 1 > 2, say: 没有}, 有]\n"
        talk, _ = started(text)
        assert said(talk.receive(heard("呃"))) == "有"


class TestKeys:
    def test_a_key_leads_to_a_step(self, reminder: Dialogue) -> None:
        talk_through(reminder, Started(NOW), Keyed("1"))
        assert reminder.outcome == "confirmed"

    def test_a_key_of_the_whole_flow(self, reminder: Dialogue) -> None:
        assert Transfer("nurses") in talk_through(reminder, Started(NOW), Keyed("0"))

    def test_a_key_that_stands_for_an_intent(self) -> None:
        talk, _ = started(MINIMAL + "keys_mean: {1: affirm}\n")
        talk.receive(Keyed("1"))
        assert talk.outcome == "done"

    def test_an_unknown_key_is_unclear(self, reminder: Dialogue) -> None:
        assert "没听清" in said(talk_through(reminder, Started(NOW), Keyed("9")))


class TestConditions:
    FLOW = """\
flow: f
task: {amount: money, level: {type: text, default: low}}
start: a
steps:
  a:
    next:
      - {when: amount > 1000 and level == "high", next: serious}
      - {when: caller is hesitant, next: gentle}
      - friendly
  serious: {say: 严肃, end: s}
  gentle: {say: 温和, end: g}
  friendly: {say: 友好, end: f}
"""

    @pytest.mark.parametrize(
        ("amount", "level", "outcome"),
        [(Decimal(2000), "high", "s"), (Decimal(2000), "low", "f"), (Decimal(5), "high", "f")],
    )
    def test_the_first_way_that_holds_is_taken(self, amount: Decimal, level: str, outcome: str) -> None:
        talk, _ = started(self.FLOW, {"amount": amount, "level": level})
        assert talk.outcome == outcome

    def test_a_mood_is_neutral_until_noticed(self) -> None:
        text = MINIMAL.replace("{affirm: b}", "{affirm: [{when: caller is hesitant, say: 不急, then: listen}, b]}")
        talk, _ = started(text)
        talk.receive(Noticed(frozenset({"hesitant"})))
        assert said(talk.receive(heard("", "affirm"))) == "不急"
        talk.receive(Noticed())
        talk.receive(heard("", "affirm"))
        assert talk.outcome == "done"

    def test_no_way_on_is_trouble(self) -> None:
        text = "flow: f\nstart: a\nsteps: {a: {next: {when: 1 > 2, next: a}}}\ntrouble: {say: 抱歉, transfer: desk}\n"
        talk, actions = started(text)
        assert kinds(actions) == ["Say", "Transfer"]
        assert talk.transfer_to == "desk"


class TestMemory:
    def test_set_computes(self) -> None:
        text = """\
flow: f
task: {name: text, amount: money}
start: a
steps:
  a:
    set: {half: = amount / 2, polite: "{name}女士", copy: "{amount}", due: = today + days(3), many: 7}
    say: 您好，{polite}
    end: done
"""
        talk, actions = started(text, {"name": "李{amount}", "amount": Decimal("199.90")})
        assert talk.slots == {
            "half": Decimal("99.95"), "polite": "李{amount}女士", "copy": Decimal("199.90"),
            "due": date(2026, 11, 27), "many": 7,
        }  # fmt: skip
        assert said(actions) == "您好，李{amount}女士"

    def test_braces_in_task_data_are_text(self) -> None:
        talk, actions = started(
            "flow: f\ntask: {name: text}\nstart: a\nsteps: {a: {say: '好，{name}', end: e}}\n", {"name": "{x} {{"}
        )
        assert said(actions) == "好，{x} {{"
        assert talk.ended

    def test_hook_values_are_typed(self) -> None:
        text = """\
flow: f
start: a
steps:
  a:
    call: {hook: stock, save: {left: integer, price: money}}
    next: [{when: left > 0, next: b}, c]
  b: {say: 还有, end: in_stock}
  c: {say: 没有, end: sold_out}
"""
        talk, actions = started(text)
        assert kinds(actions) == ["RunHook"]
        talk.receive(HookReturned(1, {"left": "3", "price": "199.9", "other": "x"}))
        assert talk.slots == {"left": 3, "price": Decimal("199.9")}
        assert talk.outcome == "in_stock"

    def test_a_hook_answer_of_the_wrong_kind_is_a_failure(self) -> None:
        text = "flow: f\nstart: a\nsteps: {a: {call: {hook: h, save: {n: integer}, failed: {end: bad}}, end: ok}}\n"
        talk, _ = started(text)
        talk.receive(HookReturned(1, {"n": "viele"}))
        assert talk.outcome == "bad"

    @pytest.mark.parametrize("answer", [{}, {"money": 3}, {"fee": None}])
    def test_a_hook_answer_without_what_the_flow_saves_is_a_failure(self, answer: dict[str, Value]) -> None:
        step = "{call: {hook: h, save: {fee: text}, failed: {end: bad}}, say: '{fee}', end: ok}"
        text = f"flow: f\nstart: a\nsteps: {{a: {step}}}\n"
        talk, actions = started(text)
        assert [action.saves for action in actions if isinstance(action, RunHook)] == [("fee",)]
        talk.receive(HookReturned(1, answer))
        assert (talk.outcome, talk.slots) == ("bad", {})

    def test_an_old_hook_answer_is_ignored(self, reminder: Dialogue) -> None:
        reminder.receive(Started(NOW))
        assert reminder.receive(HookReturned(7, {"x": 1})) == []
        assert reminder.receive(PromptEnded(9)) == []

    def test_speech_during_a_hook_is_ignored(self, reminder: Dialogue) -> None:
        talk_through(reminder, Started(NOW), heard("", "reschedule", datetime=THURSDAY_3PM), heard("", "affirm"))
        assert reminder.receive(heard("喂", "affirm")) == []

    def test_results_and_tags(self) -> None:
        text = MINIMAL.replace("say: 再见,", "say: 再见, mark: [vip, vip],") + "results: {done: 强烈意向}\n"
        talk, _ = started(text)
        talk.receive(heard("", "affirm"))
        assert talk.result_class == "强烈意向"
        assert talk.tags == ["vip"]


class TestWordings:
    def test_wordings_rotate(self) -> None:
        talk, actions = started(MINIMAL.replace("say: 您好", "say: [一, 二]").replace("affirm: b", "affirm: a"))
        texts = [said(actions), *(said(talk.receive(heard("", "affirm"))) for _ in range(2))]
        assert texts == ["一", "二", "一"]

    def test_an_ab_test_keeps_its_text_in_a_call_and_splits_the_calls(self) -> None:
        text = MINIMAL.replace("say: 您好", "say: {short: 一, long: 二}").replace("affirm: b", "affirm: a")
        talk, actions = started(text, seed="call-1")
        assert said(talk.receive(heard("", "affirm"))) == said(actions)
        assert set(talk.variants) == {"a.say"}
        seen = {said(started(text, seed=f"call-{n}")[1]) for n in range(30)}
        assert seen == {"一", "二"}

    def test_english_sentences_are_kept_apart(self) -> None:
        text = "flow: f\nlanguage: en\nstart: a\nsteps: {a: {say: Hello., next: b}, b: {say: Bye., end: e}}\n"
        _, actions = started(text)
        assert said(actions) == "Hello. Bye."

    def test_a_step_that_cannot_be_interrupted_speaks_by_itself(self) -> None:
        text = "flow: f\nstart: a\nsteps: {a: {say: 一, next: b}, b: {say: 二, barge_in: false, end: e}}\n"
        _, actions = started(text)
        assert [(a.text, a.barge_in) for a in actions if isinstance(a, Say)] == [("一", True), ("二", False)]

    def test_protect_all(self) -> None:
        _, actions = started("flow: f\nstart: a\nsteps: {a: {say: 一二, protect: all, end: e}}\n")
        assert actions[0] == Say(1, (Span("一二", protected=True),))


class TestGuards:
    def test_a_circle_without_an_answer_is_trouble(self) -> None:
        talk, actions = started("flow: f\nstart: a\nsteps: {a: {next: b}, b: {next: a}}\n")
        assert talk.outcome == "error"
        assert isinstance(actions[-1], End)

    def test_a_step_visited_too_often_is_trouble(self) -> None:
        talk, _ = started(MINIMAL.replace("affirm: b", "affirm: a") + "limits: {visits: 3}\n")
        talk_through(talk, *[heard("", "affirm")] * 3)
        assert talk.outcome == "error"

    def test_too_many_answers_are_trouble(self) -> None:
        talk, _ = started(MINIMAL + "limits: {turns: 4}\nanywhere: {hello: {say: 您好, then: listen}}\n")
        talk_through(talk, *[heard("", "hello")] * 5)
        assert talk.outcome == "error"

    def test_the_longest_call(self, reminder: Dialogue) -> None:
        actions = talk_through(reminder, Started(NOW), TooLong())
        assert kinds(actions) == ["Say", "End"]
        assert reminder.outcome == "too_long"

    def test_hang_up_at_any_moment(self, reminder: Dialogue) -> None:
        assert talk_through(reminder, Started(NOW), HungUp()) == []
        assert reminder.outcome == "hung_up"
        assert talk_through(reminder, heard("喂", "affirm"), Started(NOW), Silent()) == []

    def test_a_dead_voice_transfers_without_a_word(self, reminder: Dialogue) -> None:
        actions = talk_through(reminder, Started(NOW), EngineFailed("voice"))
        assert actions == [Transfer("nurses")]

    def test_engines_dead_before_the_start(self, reminder: Dialogue) -> None:
        assert reminder.receive(EngineFailed("recognizer")) == [End("error")]

    def test_events_before_the_start_are_ignored(self) -> None:
        assert talk_through(dialogue(MINIMAL), heard("", "affirm"), Silent()) == []

    def test_wait_goes_on_after_silence(self) -> None:
        talk, actions = started("flow: f\nstart: a\nsteps: {a: {say: 请稍等, wait: 2s, next: b}, b: {end: e}}\n")
        assert listens(actions).silence_ms == 2000
        talk.receive(Silent())
        assert talk.outcome == "e"
