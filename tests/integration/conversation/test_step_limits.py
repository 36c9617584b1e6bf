"""Limits of turn-taking that a flow and a step have of their own, with the real engines in virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from agi_bot.audio import LINE_RATE
from agi_bot.record import CallRecord, Turn
from agi_bot.testing import VirtualTimeLoop
from tests.bench.lab import material
from tests.bench.lab.dry import dry_phone
from tests.bench.lab.material import Utterance
from tests.integration.conversation.test_bad_sound import asked, frame

FLOW = """\
flow: limits
language: zh-CN
start: slow
turns: {quick_ms: 200, sure_ms: 200, normal_ms: 200, open_ms: 200, max_turn_ms: 4000}
steps:
  slow:
    ask: 您好，本次通话会被录音。您明天能来吗？
    protect: 本次通话会被录音
    turns: {quick_ms: 1500, sure_ms: 1500, normal_ms: 1500, open_ms: 1500}
    on: {affirm: quick, otherwise: quick}
  quick: {ask: 您后天能来吗？, on: {affirm: long, otherwise: long}}
  long: {ask: 请您慢慢说。, on: {otherwise: finish}}
  finish: {say: 谢谢您，再见。, end: finished}
anywhere:
  stop_calling: {say: 好的，再见。, mark: do_not_call, end: refused}
silence: [您还在吗？, {say: 再见。, end: silent}]
unclear: [没听清。, {say: 再见。, end: unclear}]
"""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> CallRecord:
    folder = tmp_path_factory.mktemp("limits")
    (folder / "limits.yaml").write_text(FLOW, encoding="utf-8")
    words = {str(kind): some for kind, some in material.load("tune", []).items()}
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_call(folder, words))


async def _call(folder: Path, words: dict[str, list[Utterance]]) -> CallRecord:
    answer = next(each for each in words["yes_no"] if each.text == "没问题")
    fluent = [each.samples for each in words["when"] if "…" not in each.text]
    async with dry_phone(folder, flows=folder) as phone, asyncio.timeout(300):
        call = await phone.call("limits")
        for said in (answer.frame, answer.frame, frame(np.concatenate(fluent)[: 6 * LINE_RATE])):
            await asked(call)
            await call.line.play(said)
        await call.ended.wait()
        await call.hang_up()
    assert call.record is not None
    return call.record


def answers(record: CallRecord) -> list[Turn]:
    """To the three questions; who never stops talking begins another one."""
    return [turn for turn in record.turns if turn.heard_to_ms is not None][:3]


def test_the_turn_ends_when_the_step_says_so(record: CallRecord) -> None:
    """The same answer to a step with limits of its own, and to one with those of the flow."""
    slow, quick, _ = answers(record)
    assert slow.heard == quick.heard
    assert slow.reply_ms is not None
    assert quick.reply_ms is not None
    assert slow.reply_ms >= 1500 > quick.reply_ms >= 180


def test_the_longest_turn_is_the_flows(record: CallRecord) -> None:
    _, _, long = answers(record)
    assert long.heard_from_ms is not None
    assert long.heard_to_ms is not None
    assert long.heard_to_ms - long.heard_from_ms == pytest.approx(4000, abs=100)
    assert "interrupted: the caller spoke without end" in long.notes
