"""How fast flows are checked and rehearsed.

``python -m tests.bench.bench_flow`` prints the figures and writes ``bench-results/flow.json``.
Ratios are against a plain piece of Python work in the same run, so that two machines can be
compared: ``yaml.safe_load`` of the same text for loading and checking.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from agi_bot.flow import Flow, load, load_text
from agi_bot.flow.check import check
from agi_bot.flow.testcase import WrittenTest, read_tests
from agi_bot.flow.testrun import run_test
from agi_bot.nlu import EmbeddedInterpreter, load_embedded
from tests.bench.results import Figure, save

ROOT = Path(__file__).parents[2]
FLOW = ROOT / "flows" / "hospital" / "appointment_reminder.yaml"
STEPS = 500
REHEARSALS = 1000
ROUNDS = 5


def large_flow(steps: int) -> str:
    """A flow of ``steps`` steps: questions, collected slots, conditions, ladders."""
    head = "flow: large\ntask: {name: {type: text, example: 张伟}}\nstart: s0\nsteps:\n"
    tail = """\
  s%d: {say: 再见。, end: done}
anywhere:
  stop_calling: {say: 好的，再见。, mark: do_not_call, end: refused}
  transfer_human: {transfer: desk}
silence: [您好？, {say: 再见。, end: no_response}]
unclear: [请再说一遍。, {transfer: desk}]
"""
    return head + "".join(_step(number) for number in range(steps - 1)) + tail % (steps - 1)


def _step(number: int) -> str:
    if number % 3 == 1:
        return f"""\
  s{number}:
    ask: 第{number}个问题，您什么时候方便？
    collect: {{at{number}: {{type: datetime, check: at{number} > now, invalid: 请说以后的时间。}}}}
    confirm: "{{at{number}}}，对吗？"
    on: {{busy: s{number + 1}}}
    next: [{{when: at{number} > now + days(3), say: 还早。, next: s{number + 1}}}, s{number + 1}]
"""
    return f"""\
  s{number}:
    say:
      A: "{{name}}您好，本次通话会被录音。第{number}个问题，您能来吗？"
      B: "您好，{{name}}，本次通话会被录音。能来吗？"
    protect: 本次通话会被录音
    on:
      affirm: s{number + 1}
      deny: [{{when: name == "张伟" and caller is hesitant, say: 不急。, next: s{max(0, number - 1)}}}, s{number + 1}]
    silence: [喂？, {{say: 再见。, end: no_response}}]
"""


def seconds(work: Callable[[], Any]) -> float:
    """The best of some rounds of ``work``, as the machine is shared."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def compiler() -> list[Figure]:
    text = large_flow(STEPS)
    flow = load_text(text)
    assert len(flow.script.steps) == STEPS
    assert not check(flow), check(flow)[0]
    loading, checking = seconds(lambda: load_text(text)), seconds(lambda: check(flow))
    plain = seconds(lambda: yaml.safe_load(text))
    return [
        Figure("load a flow of 500 steps", round(loading, 3), "s"),
        Figure("check a flow of 500 steps", round(checking, 3), "s"),
        Figure("load and check, to yaml.safe_load of the same text", round((loading + checking) / plain, 2), "ratio"),
    ]


async def rehearsals(flow: Flow, tests: list[WrittenTest], interpreter: EmbeddedInterpreter) -> float:
    """Seconds for :data:`REHEARSALS` rehearsed calls, every test of the flow in turn."""
    began = time.perf_counter()
    for number in range(REHEARSALS):
        result = await run_test(tests[number % len(tests)], flow, interpreter)
        assert result.passed, result.failures
    return time.perf_counter() - began


def simulator() -> list[Figure]:
    interpreter = load_embedded([ROOT / "flows" / "shared", FLOW.parent], "zh-CN")
    tests = read_tests(FLOW.parent / "tests" / FLOW.name)
    spent = asyncio.run(rehearsals(load(FLOW), tests, interpreter))
    return [
        Figure("1,000 rehearsals with the embedded interpreter", round(spent, 2), "s"),
        Figure("one rehearsal", round(spent / REHEARSALS * 1000, 2), "ms"),
    ]


def main() -> None:
    save("flow.json", [*compiler(), *simulator()], ("pyyaml", "pydantic", "scikit-learn"))


if __name__ == "__main__":
    main()
