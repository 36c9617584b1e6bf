"""The dialer goes on, and says what is wrong, whatever breaks around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, time

import pytest

from agi_bot.app import outbound
from agi_bot.campaign.dialer import Dialer
from agi_bot.campaign.intake import Refused
from agi_bot.campaign.model import Campaign, TaskState
from agi_bot.campaign.office import windows
from agi_bot.campaign.permission import Window
from agi_bot.campaign.queue import Claim
from tests.unit.campaign.dialing import ALWAYS, CAMPAIGN, Office, a_task, poll


@asynccontextmanager
async def going(office: Office) -> AsyncIterator[Dialer]:
    dialer = office.dialer()
    running = asyncio.create_task(dialer.run())
    try:
        async with asyncio.timeout(30):
            yield dialer
        assert not running.done(), "it goes on"
        dialer.stop()
        await running
    finally:
        running.cancel()
        with suppress(BaseException):
            await running


async def test_one_trunk_that_cannot_be_dialled_leaves_the_others_alone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.add(replace(a_task("bad"), campaign_id="bad"), campaign=Campaign("bad", "x", trunk="bad"))
    await office.add(a_task("good", "13800000002"))
    real = office.queue.claim

    async def claim(owner: str, trunk: str, *rest: object) -> list[Claim]:
        if trunk == "bad":
            raise TypeError("a mistake of ours")
        return await real(owner, trunk, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(office.queue, "claim", claim)
    async with going(office) as dialer:
        await poll(lambda: bool(office.person.placed))
        await poll(lambda: dialer.trouble == "TypeError: a mistake of ours")
        monkeypatch.undo()
        await poll(lambda: dialer.trouble == "")


async def test_a_heart_that_stumbles_beats_on(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    beats = 0

    async def heartbeat(owner: str, now: float) -> int:
        nonlocal beats
        beats += 1
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(office.queue, "heartbeat", heartbeat)
    async with going(office):
        await poll(lambda: beats > 3)


async def test_a_pace_that_hardly_moves_is_no_reason_to_stop(office: Office) -> None:
    await office.add(a_task(), campaign=replace(CAMPAIGN, per_second=1e-320))
    async with going(office) as dialer:
        await poll(lambda: bool(office.person.placed))
        assert dialer.trouble == ""


async def test_a_task_that_cannot_be_decided_is_tried_again_later_not_all_the_time(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = replace(ALWAYS, windows=(Window(time(9, tzinfo=UTC), time(20, tzinfo=UTC)),))
    asked = 0
    real = office.store.history

    async def history(*given: object) -> object:
        nonlocal asked
        asked += 1
        return await real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(office.store, "history", history)
    await office.add(a_task(), campaign=replace(CAMPAIGN, rules=wrong))
    await office.dial_for(30)
    assert asked == 1
    assert await office.state() is TaskState.WAITING
    await office.store.save_campaign(CAMPAIGN)
    office.now += 31
    await office.dial_until(lambda: len(office.person.placed) == 1)


async def test_a_dialer_that_crashes_is_started_again_and_tells_why(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "AGAIN_S", 0.05)
    await office.add(a_task())
    dialer = office.dialer()
    real = dialer.adopt_orphans

    async def adopt() -> None:
        raise KeyError("a mistake of ours")

    monkeypatch.setattr(dialer, "adopt_orphans", adopt)
    running = asyncio.create_task(outbound._persist(dialer))
    async with asyncio.timeout(30):
        await poll(lambda: dialer.trouble == "KeyError: 'a mistake of ours'")
        monkeypatch.setattr(dialer, "adopt_orphans", real)
        await poll(lambda: bool(office.person.placed) and dialer.trouble == "")
    dialer.stop()
    await running


@pytest.mark.parametrize("hours", ["09:00+08:00-20:00+08:00", "09:00-20:00+08:00", "09:00+08:00-20:00"])
def test_hours_with_a_zone_are_refused(hours: str) -> None:
    with pytest.raises(Refused, match="hours"):
        windows([hours], [1])
