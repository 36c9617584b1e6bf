"""Who speaks together with the bot's first word is heard; real engines, virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agi_bot.demo.phone.patient import bot_speaks
from tests.bench.lab import material
from tests.bench.lab.dry import DryPhoneCall
from tests.bench.lab.material import Utterance
from tests.integration.conversation.test_bad_sound import on_the_phone


@pytest.fixture(scope="module")
def words() -> dict[tuple[str, str], Utterance]:
    stock = material.load("tune", [])
    return {(each.text, each.voice): each for kind in ("yes_no", "interrupt") for each in stock[kind]}


@pytest.mark.parametrize(
    ("text", "voice", "after_ms"),
    [
        ("我没空", "m3 0.9", 20),
        ("可以改时间吗", "m1 0.9", 200),
        ("我那天没空，能改到后天下午三点吗", "m3 0.9", 20),
        ("我那天没空，能改到后天下午三点吗", "m1 0.9", 400),
    ],
)
def test_who_speaks_at_the_bots_first_word_is_heard_from_his_own(
    tmp_path: Path, words: dict[tuple[str, str], Utterance], text: str, voice: str, after_ms: int
) -> None:
    """Whether the line has an echo is not known then: one that is only assumed must not blot out the caller."""

    async def scene(call: DryPhoneCall) -> None:
        await bot_speaks(call, after_ms)
        await call.line.play(words[text, voice].frame)
        await asyncio.sleep(3)

    record, _ = on_the_phone(scene, tmp_path, "lab_long")
    assert record.counters["barge_ins"] >= 1
    assert next(turn.heard for turn in record.turns if turn.heard).startswith(text[:2])
