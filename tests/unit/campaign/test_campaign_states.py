"""A campaign that is paused or ended takes nothing from the others, and loses nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agi_bot.campaign.model import Task, TaskState
from agi_bot.campaign.permission import Permission, State
from agi_bot.campaign.queue import Due
from agi_bot.campaign.store.desk import TaskDesk
from tests.unit.campaign.dialing import CAMPAIGN, NOON, Office, a_task

OTHER = replace(CAMPAIGN, campaign_id="autumn")


def of_other(task_id: str, number: str) -> Task:
    return replace(a_task(task_id, number), campaign_id="autumn")


async def queued(office: Office) -> list[str]:
    query = (
        "SELECT task_id FROM queue_later UNION SELECT task_id FROM queue_ready UNION SELECT task_id FROM queue_claimed"
    )
    return await office.database.run(lambda db: sorted(row[0] for row in db.execute(query)))


async def test_paused_tasks_leave_the_queue_and_come_back(office: Office) -> None:
    await office.add(a_task("a"), a_task("b", "13800000002", NOON + 60))
    await office.add(of_other("c", "13800000003"), campaign=OTHER)
    await office.store.set_state("spring", State.PAUSED)
    assert await queued(office) == ["c"]
    await office.store.set_state("spring", State.RUNNING)
    assert await queued(office) == ["a", "b", "c"]
    await office.store.set_state("spring", State.RUNNING)
    assert await queued(office) == ["a", "b", "c"]


async def test_what_is_added_to_a_paused_campaign_waits_outside(office: Office) -> None:
    await office.store.save_campaign(CAMPAIGN)
    await office.store.set_state("spring", State.PAUSED)
    assert await TaskDesk(office.database).add_many([a_task()], [""], "default", NOON) == 1
    await office.dial_for()
    assert await queued(office) == []
    await office.store.set_state("spring", State.RUNNING)
    await office.dial_until(lambda: len(office.person.placed) == 1)


async def test_a_paused_campaign_takes_no_pace_from_others(office: Office) -> None:
    slow = replace(CAMPAIGN, per_second=2.0)
    await office.add(*(a_task(f"p{n:03}", f"1380000{n:04}", NOON - 60) for n in range(200)), campaign=slow)
    await office.store.set_state("spring", State.PAUSED)
    await office.add(of_other("t", "13900000000"), campaign=replace(slow, campaign_id="autumn"))
    await office.dial_until(lambda: [task for task, _ in office.person.placed] == ["t"])


async def test_a_claim_of_a_campaign_that_is_paused_is_let_go_once(office: Office) -> None:
    await office.add(of_other("c", "13800000003"), campaign=OTHER)
    await office.add(a_task())
    await office.database.run(
        lambda db: db.execute("UPDATE campaigns SET state = 'paused' WHERE campaign_id = 'spring'")
    )
    dialer = await office.dial_for()
    assert [task for task, _ in office.person.placed] == ["c"]
    assert dialer.counters["refused.campaign"] <= 1
    assert await queued(office) == []
    await office.store.set_state("spring", State.RUNNING)
    await office.dial_until(lambda: len(office.person.placed) == 2)


async def test_an_ended_campaign_s_tasks_are_closed(office: Office) -> None:
    await office.add(a_task("a"), a_task("b", "13800000002", NOON + 9999))
    await office.store.set_state("spring", State.ENDED)
    assert await office.store.counts("spring") == {"done": 2}
    assert await queued(office) == []
    found = await office.store.task("b")
    assert found is not None
    assert found.reason == "campaign: the campaign has ended"


async def test_an_unknown_campaign_has_no_state(office: Office) -> None:
    assert not await office.store.set_state("nobody", State.ENDED)


async def test_a_task_that_is_resumed_while_it_is_let_go_is_not_lost(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paused in the instant before dialling, and resumed before the dialer has let go of it."""
    desk, begin, finish = TaskDesk(office.database), office.store.begin, office.queue.finish
    told: list[bool] = []

    async def paused_before(*given: Any) -> Permission | None:
        if not told:
            told.append(await desk.move("t", TaskState.WAITING, TaskState.PAUSED, "", NOON))
        return await begin(*given)

    async def resumed_before(owner: str, task_id: str) -> bool:
        if len(told) == 1:
            told.append(await desk.move("t", TaskState.PAUSED, TaskState.WAITING, "", NOON))
            assert await office.queue.put([Due("t", NOON)]) == 0, "the dialer still has it"
        return await finish(owner, task_id)

    monkeypatch.setattr(office.store, "begin", paused_before)
    monkeypatch.setattr(office.queue, "finish", resumed_before)
    await office.add(a_task())
    await office.dial_until(lambda: len(office.person.placed) == 1)
    assert told == [True, True]


@pytest.mark.parametrize("state", [State.PAUSED, State.ENDED])
async def test_a_campaign_that_is_stopped_in_the_last_moment_is_not_dialled(
    office: Office, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = office.store.begin
    asked = 0

    async def stopped_before(*given: Any) -> Permission | None:
        nonlocal asked
        asked += 1
        query = "UPDATE campaigns SET state = ?"
        await office.database.run(lambda db: db.execute(query, [state.value]))
        return await begin(*given)

    monkeypatch.setattr(office.store, "begin", stopped_before)
    await office.add(a_task())
    await office.dial_until(lambda: asked > 0)
    assert office.person.placed == []
    assert (await office.store.decisions("13800000001"))[0]["rule"] == "campaign"
