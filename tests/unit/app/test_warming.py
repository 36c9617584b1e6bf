"""Interpreters and voices are ready before the call that needs them, and flows are looked at for ever."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agi_bot.app import warming
from agi_bot.app.warming import all_of, keep_fresh, refresh, start_voices, warm_up
from agi_bot.app.workshop import Workshop
from agi_bot.config import Settings
from agi_bot.flow.catalogue import Catalogue, Change

FLOW = """
flow: NAME
language: zh-CN
voice: calm_female
start: greet
steps:
  greet: {say: 您好。, ask: 能来吗？, on: {affirm: bye, deny: bye}}
  bye: {say: 再见。, voice: VOICE, end: done}
"""


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncIterator[Workshop]:
    made = Workshop(Settings.model_validate({"speaking": {"cache": tmp_path / "prompts"}}))
    yield made
    await made.close()


@pytest.fixture
def flows(tmp_path: Path) -> Catalogue:
    (tmp_path / "flows").mkdir()
    return Catalogue(tmp_path / "flows", checker=lambda _: [])


def write(tmp_path: Path, name: str, voice: str = "pro_male") -> None:
    text = FLOW.replace("NAME", name).replace("VOICE", voice)
    (tmp_path / "flows" / f"{name}.yaml").write_text(text, encoding="utf-8")


def speaking(workshop: Workshop) -> list[int]:
    """Processes of voices."""
    return [pid for pool in workshop.voices._catalogue._pools.values() for pid in pool.pids]


async def test_a_flow_that_comes_while_the_bot_runs_finds_everything_ready(
    workshop: Workshop, flows: Catalogue, tmp_path: Path
) -> None:
    await refresh(workshop, flows)
    assert not speaking(workshop)
    write(tmp_path, "remind")
    await refresh(workshop, flows)
    (making,) = workshop.understanding._made.values()
    assert making.done()
    assert speaking(workshop)


async def test_what_cannot_be_had_is_told_and_the_rest_is_made_ready(
    workshop: Workshop, flows: Catalogue, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "broken", "nobody")
    flows.refresh()
    (tmp_path / "flows" / "nlu.zh-CN.yml").write_text("nlu: [", encoding="utf-8")
    await warm_up(workshop, all_of(flows))
    await start_voices(workshop, all_of(flows))
    assert {record.message for record in caplog.records} == {"nlu.refused", "voice.missing"}
    assert speaking(workshop)


class Failing:
    """Flows that cannot be looked at, and what then."""

    def __init__(self) -> None:
        self.looks = 0

    def refresh(self) -> list[Change]:
        self.looks += 1
        if self.looks < 5:
            raise RuntimeError("the disk is gone")
        return []

    def names(self) -> list[str]:
        return []


async def test_the_service_outlives_a_look_that_fails(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(warming, "REFRESH_S", 0.01)
    flows = Failing()
    looking = asyncio.create_task(keep_fresh(workshop, flows))  # type: ignore[arg-type]
    async with asyncio.timeout(30):
        while flows.looks < 7:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert not looking.done()
    looking.cancel()
    assert [(record.levelno, record.message) for record in caplog.records] == [(logging.ERROR, "flows.not_refreshed")]
