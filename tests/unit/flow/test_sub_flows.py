"""Sub-flows: arguments in, slots and outcomes out, the outer flow's ways open inside."""

from __future__ import annotations

from pathlib import Path

import pytest

from agi_bot.flow import Dialogue, load
from agi_bot.flow.check import check
from agi_bot.flow.coverage import coverage, name_of
from agi_bot.flow.events import HookFailed, HookReturned, RunHook, Silent, Started, Transfer

from .talking import NOW, heard, kinds, listens, said, talk_through

MAIN = """\
flow: main
task: {name: {type: text, example: 张伟}}
start: hello
steps:
  hello: {say: 您好，本次通话会被录音。, protect: all, next: verify}
  verify:
    flow: identity
    with: {who: "{name}先生", tries: 2}
    save: {last4: digits4}
    outcomes: {verified: details, refused: [{when: name == "李四", end: odd}, bye]}
    next: bye
  details: {say: '尾号{last4}，好的。', end: done}
  bye: {say: 再见。, end: left}
  person: {say: 转接。, transfer: desk}
anywhere:
  stop_calling: {say: 好的。, mark: do_not_call, end: refused}
  transfer_human: person
  who_are_you: {say: 我是助理。, then: return}
  price: {knowledge: k, then: return}
silence: [外面安静, {say: 再见。, end: no_response}]
unclear: [外面不懂, {transfer: desk}]
keys: {0: person}
trouble: {say: 抱歉。, transfer: desk}
results: {done: 好}
"""
PART = """\
flow: identity
part: true
task: {who: text, tries: integer}
start: ask
steps:
  ask:
    ask: '{who}，请说卡号后四位。'
    collect: {digits4: {type: digits, length: 4}}
    on: {deny: {end: refused}, busy: {say: 好吧, end: later}}
    next: test
  test:
    call: {hook: bank.verify, with: {digits: '{digits4}', tries: '{tries}'}, save: {ok: boolean}}
    next: [{when: ok, end: verified}, {say: 不对。, next: ask}]
anywhere: {who_are_you: {say: 我是核实助理。, then: return}}
results: {refused: 拒绝}
"""


@pytest.fixture
def talk(tmp_path: Path) -> Dialogue:
    (tmp_path / "main.yaml").write_text(MAIN, encoding="utf-8")
    (tmp_path / "identity.yaml").write_text(PART, encoding="utf-8")
    flow = load(tmp_path / "main.yaml")
    assert check(flow) == []
    dialogue = Dialogue(flow, flow.read_task({"name": "张伟"}))
    first = dialogue.receive(Started(NOW))
    assert said(first) == "您好，本次通话会被录音。张伟先生，请说卡号后四位。"
    assert listens(first).step == "identity/ask"
    return dialogue


def test_the_way_through(talk: Dialogue) -> None:
    (hook,) = talk.receive(heard("一二三四", digits="1234"))
    assert isinstance(hook, RunHook)
    assert hook.arguments == {"digits": "1234", "tries": 2}
    assert "尾号幺二三四" in said(talk.receive(HookReturned(1, {"ok": True})))
    assert (talk.outcome, talk.slots, talk.result_class) == ("done", {"last4": "1234"}, "好")


def test_a_second_try_inside(talk: Dialogue) -> None:
    talk.receive(heard("一二三四", digits="1234"))
    assert said(talk.receive(HookReturned(1, {"ok": False}))) == "不对。张伟先生，请说卡号后四位。"
    assert talk.step == "identity/ask"


def test_an_outcome_chooses_the_way_on(talk: Dialogue) -> None:
    talk.receive(heard("不", "deny"))
    assert (talk.outcome, talk.result_class) == ("left", "拒绝")


def test_any_other_outcome_goes_on_by_next(talk: Dialogue) -> None:
    assert said(talk.receive(heard("忙", "busy"))) == "好吧再见。"
    assert talk.outcome == "left"


def test_the_inner_anywhere_wins_and_the_outer_one_holds(talk: Dialogue) -> None:
    assert said(talk.receive(heard("你是谁", "who_are_you"))).startswith("我是核实助理。")
    assert kinds(talk.receive(heard("别打了", "stop_calling"))) == ["Mark", "Say", "End"]
    assert talk.outcome == "refused"


def test_an_outer_way_leaves_the_sub_flow(talk: Dialogue) -> None:
    assert talk.receive(heard("转人工", "transfer_human"))[-1] == Transfer("desk")
    assert talk.step == "person"


def test_outer_knowledge_returns_into_the_sub_flow(talk: Dialogue) -> None:
    talk.receive(heard("多少钱", "price"))
    assert said(talk.receive(HookReturned(1, {"answer": "免费。"}))) == "免费。张伟先生，请说卡号后四位。"
    assert talk.step == "identity/ask"


def test_outer_ladders_and_trouble_hold_inside(talk: Dialogue) -> None:
    assert said(talk.receive(Silent())) == "外面安静"
    assert said(talk.receive(heard("呃"))) == "外面不懂"
    talk_through(talk, heard("一二三四"), HookFailed(1, "timeout"))
    assert talk.transfer_to == "desk"


def test_coverage_tells_the_levels_apart(talk: Dialogue) -> None:
    talk_through(talk, heard("你是谁", "who_are_you"), Silent(), heard("不", "deny"))
    found = coverage(talk.flow, [talk.trace])
    missed = {name_of(point) for point, _ in found.missed()}
    assert {
        "anywhere who_are_you",
        "identity/test",
        "verify outcomes verified",
        "anywhere silence 1",
        "verify outcomes refused#0",
    } <= missed
    assert (
        not {"identity/ on deny", "identity/ who_are_you", "anywhere silence 0", "verify outcomes refused#1"} & missed
    )
    assert ("anywhere", "identity/", "who_are_you") in found.covered
