# ruff: noqa: E501 - flows are easier to read in one line
"""Dialogue tests: that they pass, fail with a useful word, and count what they cover."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from agi_bot.contracts import Context, Intent
from agi_bot.flow import BrokenFlow, Flow, load_text
from agi_bot.flow.coverage import coverage, name_of
from agi_bot.flow.junit import as_junit
from agi_bot.flow.testcase import read_tests
from agi_bot.flow.testrun import TestResult, run_test

FLOW = """\
flow: talk
task: {name: {type: text, example: 张伟}}
start: greet
steps:
  greet:
    say: {A: '您好，{name}，能来吗？', B: '{name}您好，能来吗？'}
    protect: 能来吗
    on: {affirm: stock, deny: ask}
    keys: {1: stock}
  ask: {ask: 什么时候？, collect: {at: datetime}, confirm: '{at}，对吗？', next: stock}
  stock:
    call: {hook: shop.stock, save: {left: integer}, failed: sorry}
    next: [{when: left > 0, next: bye}, {when: left == 0, next: sorry}, bye]
  bye: {say: 再见, mark: seen, result: 好, end: done}
  sorry: {say: 抱歉, transfer: desk}
anywhere:
  stop_calling: {say: 好, mark: do_not_call, end: refused}
  question: {knowledge: k, then: return}
silence: [您好？, {say: 再见, end: no_response}]
unclear: [什么？, {transfer: desk}]
"""


class Keyed:
    """Understands by a table; remembers what it was told."""

    def __init__(self) -> None:
        self.contexts: list[Context] = []

    async def interpret(self, text: str, context: Context) -> Intent:
        self.contexts.append(context)
        table = {"好": "affirm", "不": "deny", "别打了": "stop_calling", "为什么": "question"}
        return Intent(table.get(text, ""), 0.9 if text in table else 0.1)


def flow() -> Flow:
    return load_text(FLOW)


async def run(text: str, tmp_path: Path, interpreter: Keyed | None = None) -> list[TestResult]:
    path = tmp_path / "talk.yaml"
    path.write_text(text, encoding="utf-8")
    return [await run_test(test, flow(), interpreter or Keyed()) for test in read_tests(path)]


@pytest.mark.parametrize(
    "test",
    [
        "{name: t, hooks: {shop.stock: {left: 3}}, talk: [{bot: 张伟}, {caller: 好}, {bot: {is: 再见}}], ends: done, tags: [seen], result: 好, slots: {left: 3}, steps: [greet, stock, bye]}",
        "{name: t, hooks: {shop.stock: {left: 0}}, talk: [{keys: 1}], transfer: desk, ends: transferred}",
        "{name: t, hooks: {shop.stock: fails}, talk: [{caller: 好}, {bot: {contains: [抱, 歉], excludes: 再见}}], transfer: desk}",
        "{name: t, talk: [{hooks: {shop.stock: {left: 1}}, caller: 好}], ends: done}",
        "{name: t, talk: [{caller: 不}, {caller: 后天, entities: {datetime: 2026-11-26T15:00}}, {bot: 后天下午三点}, {caller: 好}], slots: {at: 2026-11-26T15:00, left: null}}",
        "{name: t, talk: [{silence: 2}], ends: no_response}",
        "{name: t, talk: [{caller: 呃}, {bot: 什么}, {caller: 好, interrupts: 3}]}",
        "{name: t, talk: [{hang_up: true}], ends: hung_up}",
        "{name: t, talk: [{too_long: true}], ends: too_long}",
        "{name: t, talk: [{engine_failed: recognizer}], ends: error}",
        "{name: t, hooks: {'knowledge:k': 因为}, talk: [{caller: 为什么}, {bot: [因为, 能来吗]}]}",
        "{name: t, hooks: {'knowledge:k': [因为, fails]}, talk: [{caller: 为什么}, {bot: 因为}, {caller: 为什么}, {bot: 什么}]}",
        "{name: t, talk: [{bot: {protected: 能来吗, step: greet}}, {mood: hesitant, caller: 好}]}",
        "{name: t, task: {name: 李四}, talk: [{bot: 李四}]}",
    ],
)
async def test_a_test_that_passes(test: str, tmp_path: Path) -> None:
    (result,) = await run(f"- {test}\n", tmp_path)
    assert result.failures == []


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("{name: t, talk: [{bot: 李四}]}", "1:20: the bot should say “李四”"),
        ("{name: t, talk: [{bot: {excludes: 张伟}}]}", "should not say"),
        ("{name: t, talk: [{bot: {is: 张伟}}]}", "should say"),
        ("{name: t, talk: [{bot: {step: ask}}]}", "it is at greet"),
        ("{name: t, talk: [{bot: {protected: 张伟}}]}", "should be protected"),
        ("{name: t, talk: [], ends: done}", "it is none, the call still runs"),
        ("{name: t, talk: [{caller: 别打了}], ends: done}", "it is refused"),
        ("{name: t, talk: [{caller: 别打了}, {caller: 好}]}", "already ended (refused)"),
        ("{name: t, talk: [{caller: 别打了}], tags: [seen]}", "they are do_not_call"),
        ("{name: t, talk: [], result: 好}", "it is none"),
        ("{name: t, talk: [], transfer: desk}", "it is none"),
        ("{name: t, talk: [], slots: {at: 2026-11-26T15:00}}", "it is empty"),
        ("{name: t, talk: [], steps: [a]}", "they are greet"),
        ("{name: t, task: {nmae: x}, talk: []}", "unknown field `nmae`"),
        ("{name: t, now: soon, talk: []}", "soon"),
    ],
)
async def test_a_test_that_fails_says_where_and_why(test: str, said: str, tmp_path: Path) -> None:
    (result,) = await run(f"- {test}\n", tmp_path)
    assert not result.passed
    assert said in "\n".join(result.failures)
    assert all("talk.yaml:1:" in failure for failure in result.failures)


@pytest.mark.parametrize(
    ("text", "rule", "cure"),
    [
        ("name: t\n", "not-a-test", "begin each test"),
        ("- {name: t}\n", "missing-key", "talk"),
        ("- {name: t, talk: [{bott: x}]}\n", "unknown-key", "`bot`"),
        ("- {name: t, talk: [{bot: {contain: x}}]}\n", "unknown-key", "`contains`"),
        ("- {nam: t, talk: []}\n", "unknown-key", "`name`"),
    ],
)
def test_a_broken_test_file(text: str, rule: str, cure: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BrokenFlow) as caught:
        read_tests(path)
    found = {problem.rule: problem.cure for problem in caught.value.problems}
    assert cure in found[rule]


async def test_the_interpreter_is_told_what_is_expected(tmp_path: Path) -> None:
    interpreter = Keyed()
    await run("- {name: t, talk: [{caller: 不}, {caller: 后天}]}\n", tmp_path, interpreter)
    assert interpreter.contexts[0].expected == ("affirm", "deny")
    assert interpreter.contexts[0].wanted == {"at": "datetime"}
    assert interpreter.contexts[0].now.isoformat() == "2026-11-24T09:00:00+08:00"
    assert interpreter.contexts[1].wanted == {"at": "datetime"}


async def test_coverage(tmp_path: Path) -> None:
    results = await run(
        "- {name: one, hooks: {shop.stock: {left: 3}}, talk: [{caller: 好}]}\n- {name: two, talk: [{silence: 1}, {caller: 别打了}]}\n",
        tmp_path,
    )
    found = coverage(flow(), [result.trace for result in results])
    assert found.of("steps") == (3, 5)
    assert found.of("ladders") == (1, 4)
    missed = {name_of(point) for point, _ in found.missed()}
    assert {
        "ask",
        "greet on deny",
        "greet keys 1",
        "stock failed",
        "stock next #1",
        "anywhere silence 1",
        "anywhere question",
    } <= missed
    assert "anywhere stop_calling" not in missed
    assert [spot.line for _, spot in found.missed()] == sorted(spot.line for _, spot in found.missed())
    assert 0 < found.percent < 100


async def test_junit(tmp_path: Path) -> None:
    results = await run("- {name: 好, talk: []}\n- {name: '<&>', talk: [{bot: 李四}]}\n", tmp_path)
    root = ET.fromstring(as_junit(results))
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "李四" in (failure.text or "")
    assert "bot: " in (failure.text or "")
