"""What the record tells of turns, against the caller's own telephone; real engines, virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from agi_bot.demo.phone.patient import bot_speaks
from agi_bot.record import Turn
from tests.bench.lab import material
from tests.bench.lab.dry import DryPhoneCall
from tests.bench.lab.material import Utterance
from tests.bench.lab.verdict import active
from tests.integration.conversation.test_bad_sound import asked, on_the_phone

TOLERANCE_MS = 40
"""Two packets: one on each way."""


@pytest.fixture(scope="module")
def words() -> dict[str, Utterance]:
    stock = material.load("tune", [])
    return {each.text: each for kind in ("yes_no", "when", "interrupt", "backchannel") for each in stock[kind]}


def answered(turns: list[Turn]) -> list[Turn]:
    return [turn for turn in turns if turn.heard]


def test_the_records_reply_times_are_those_of_the_telephone(tmp_path: Path, words: dict[str, Utterance]) -> None:
    spoken: list[tuple[float, float]] = []

    async def scene(call: DryPhoneCall) -> None:
        for text in ("可以", "后天下午三点", "我没时间", "明天上午十点"):
            await asked(call)
            began, _ = await call.line.play(words[text].frame)
            zero = call.line.heard[0].at
            spoken.append(((began - zero) * 1000, (began - zero) * 1000 + words[text].ms))
        await asked(call)

    record, sound = on_the_phone(scene, tmp_path)
    turns = answered(record.turns)
    assert len(turns) == len(spoken)
    bot = active(sound)
    for turn, (began, ended) in zip(turns, spoken, strict=True):
        assert turn.reply_ms is not None
        assert turn.heard_from_ms is not None
        assert turn.heard_to_ms is not None
        reply = int(ended // 10) + int(np.argmax(bot[int(ended // 10) :]))
        assert abs(turn.reply_ms - (reply * 10 - ended)) <= TOLERANCE_MS
        assert abs(turn.heard_to_ms - ended) <= TOLERANCE_MS
        assert 0 <= turn.heard_from_ms - began <= 3 * TOLERANCE_MS, "a voice begins softly"


def test_who_interrupts_twice_in_a_row_is_heard_twice(tmp_path: Path, words: dict[str, Utterance]) -> None:
    async def scene(call: DryPhoneCall) -> None:
        for text in ("我没空", "我要改时间"):
            await bot_speaks(call, 3500)
            await call.line.play(words[text].frame)
            await asyncio.sleep(0.8)
        await asyncio.sleep(2)

    record, _ = on_the_phone(scene, tmp_path, "lab_long")
    turns = answered(record.turns)
    assert record.counters["barge_ins"] == 2
    assert [turn.cut_after_words is not None for turn in turns] == [True, True]
    assert all(turn.intent for turn in turns)
    assert all(turn.reply_ms is not None and turn.reply_ms < 1000 for turn in turns)
