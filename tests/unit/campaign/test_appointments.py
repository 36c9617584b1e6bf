"""Reminders from the API's side: planned once, moved, cancelled, repeated, and dialled only while they make sense."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agi_bot.campaign.appointments import Appointments, Wanted
from agi_bot.campaign.intake import Refused
from agi_bot.campaign.model import AttemptEnd, Campaign, Task, TaskState
from agi_bot.campaign.office import Office
from agi_bot.campaign.reminders import read_reminder
from agi_bot.campaign.retry import Again, Done
from agi_bot.campaign.store import Database
from agi_bot.campaign.store.appointments import Appointment
from agi_bot.contracts import Status
from agi_bot.flow import Flow, load_text

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = 1_795_492_800.0
"""2026-11-24 12:00 in Shanghai, a Tuesday."""
DAY = 86_400.0
FLOW = """\
flow: course
task: {course: {type: text}, begins: {type: datetime}}
start: hello
steps:
  hello: {say: "您好，{course}。", end: done}
"""
WANTED = Wanted("c-1", "courses", "7", "2026-12-03T09:30", "13800000001", {"course": "钢琴"}, "begins")


class Scripts:
    def get(self, name: str) -> Flow | None:
        flow = load_text(FLOW, "course.yaml")
        assert isinstance(flow, Flow)
        return flow

    def names(self) -> list[str]:
        return ["course"]


class World:
    """A store whose clock is moved by hand."""

    def __init__(self, database: Database) -> None:
        self.now = NOON
        self.office = Office(database, Scripts(), clock=lambda: self.now)
        self.appointments = Appointments(self.office)

    async def calls(self, state: str = "waiting") -> list[str]:
        rows = await self.office.desk.page("courses", state, limit=1000)
        return sorted(f"{datetime.fromtimestamp(row['due_at'], SHANGHAI):%m-%d %H:%M}" for row in rows)

    async def rows(self) -> list[dict[str, Any]]:
        return await self.office.desk.page("courses", limit=1000)

    async def another_campaign(self) -> None:
        campaign = await self.office.tasks.campaign("courses")
        assert campaign is not None
        await self.office.tasks.save_campaign(replace(campaign, campaign_id="others"))

    async def queued(self) -> int:
        query = "SELECT (SELECT count(*) FROM queue_later) + (SELECT count(*) FROM queue_ready)"
        return int(await self.office.database.run(lambda db: db.execute(query).fetchone()[0]))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = Database(tmp_path / "a.db")
    await database.open()
    found = World(database)
    campaign = Campaign("courses", "course", remind=(read_reminder("3d@10:00"), read_reminder("1d@10:00")))
    await found.office.tasks.save_campaign(campaign)
    yield found
    await database.close()


async def test_three_days_and_one_day_before(world: World) -> None:
    _, done, plan = await world.appointments.put(WANTED)
    assert (done.new, done.withdrawn, plan.left_out) == (2, 0, [])
    assert await world.calls() == ["11-30 10:00", "12-02 10:00"]
    assert await world.queued() == 2
    for row in await world.rows():
        assert row["data"] == {"course": "钢琴", "begins": "2026-12-03T09:30:00"}
        assert row["not_after"] == datetime(2026, 12, 3, 9, 30, tzinfo=SHANGHAI).timestamp()


async def test_put_twice_it_is_the_same(world: World) -> None:
    await world.appointments.put(WANTED)
    _, done, _ = await world.appointments.put(WANTED)
    assert (done.new, done.withdrawn) == (0, 0)
    assert await world.queued() == 2


async def test_moved_the_old_calls_are_withdrawn_and_moved_back_they_come_again(world: World) -> None:
    await world.appointments.put(WANTED)
    _, done, _ = await world.appointments.put(replace(WANTED, event_time="2026-12-10T09:30"))
    assert (done.new, done.withdrawn) == (2, 2)
    assert await world.calls() == ["12-07 10:00", "12-09 10:00"]
    assert await world.calls("cancelled") == ["11-30 10:00", "12-02 10:00"]
    _, done, _ = await world.appointments.put(WANTED)
    assert (done.new, done.withdrawn) == (2, 2)
    assert await world.queued() == 2


async def test_another_number_and_other_data_reach_the_calls_that_wait(world: World) -> None:
    await world.appointments.put(WANTED)
    _, done, _ = await world.appointments.put(replace(WANTED, number="13900000002", data={"course": "小提琴"}))
    assert (done.new, done.withdrawn) == (0, 0)
    assert {(row["number"], row["data"]["course"]) for row in await world.rows()} == {("13900000002", "小提琴")}


async def test_a_retry_that_waits_is_not_withdrawn_by_putting_it_again(world: World) -> None:
    await world.appointments.put(WANTED)
    first = next(row for row in await world.rows() if row["due_at"] < NOON + 7 * DAY)
    later = first["due_at"] + 7200
    query = "UPDATE tasks SET due_at = ? WHERE task_id = ?"
    await world.office.database.run(lambda db: db.execute(query, [later, first["task_id"]]))
    world.now = first["due_at"] + 60
    _, done, plan = await world.appointments.put(WANTED)
    assert (done.new, done.withdrawn, plan.left_out) == (0, 0, ["3d@10:00"])
    assert await world.calls() == ["11-30 12:00", "12-02 10:00"]


async def test_cancelled(world: World) -> None:
    await world.appointments.put(WANTED)
    assert await world.appointments.cancel("c-1", "by hand") == 2
    assert await world.calls() == []
    assert await world.queued() == 0
    assert await world.appointments.cancel("c-1", "again") == 0
    assert await world.appointments.cancel("c-2", "unknown") is None
    found = await world.appointments.store.get("c-1")
    assert found is not None
    assert found.state == "cancelled"


async def test_the_past_is_left_out(world: World) -> None:
    _, done, plan = await world.appointments.put(replace(WANTED, event_time="2026-11-26T09:30"))
    assert (done.new, plan.left_out) == (1, ["3d@10:00"])
    with pytest.raises(Refused, match="in the past"):
        await world.appointments.put(replace(WANTED, event_time="2026-11-23T09:30"))


async def test_repeated_it_is_planned_as_far_as_the_horizon_and_then_further(world: World) -> None:
    weekly = replace(WANTED, repeat="weekly")
    _, done, _ = await world.appointments.put(weekly)
    assert done.new == 16, "8 Thursdays in 60 days, two calls each"
    assert await world.appointments.extend() == 0, "nothing new at once"
    for days in range(1, 22):
        world.now = NOON + days * DAY
        await world.appointments.extend()
    assert len(await world.rows()) == 22
    keys = [row["dedupe_key"] for row in await world.rows()]
    assert len(set(keys)) == len(keys)
    await world.appointments.cancel("c-1", "over")
    world.now += 30 * DAY
    assert await world.appointments.extend() == 0, "cancelled is cancelled"


async def test_a_repeated_event_may_have_begun(world: World) -> None:
    _, done, _ = await world.appointments.put(replace(WANTED, event_time="2026-09-03T09:30", repeat="weekly"))
    assert done.new > 10
    assert min(row["due_at"] for row in await world.rows()) >= NOON


async def test_what_is_over_is_closed(world: World) -> None:
    await world.appointments.put(WANTED)
    world.now += 70 * DAY
    await world.appointments.extend()
    found = await world.appointments.store.get("c-1")
    assert found is not None
    assert found.state == "over"


async def test_the_callee_s_own_clock(world: World) -> None:
    await world.office.people.save("7", "13800000001", zone="Asia/Urumqi")
    await world.appointments.put(WANTED)
    assert await world.calls() == ["11-30 12:00", "12-02 12:00"], "10:00 in Urumqi"


async def test_a_customer_who_is_known_needs_no_number(world: World) -> None:
    await world.office.people.save("7", "13800000001", data={"course": "书法", "colour": "red"})
    await world.appointments.put(replace(WANTED, number="", data={}))
    assert {row["data"]["course"] for row in await world.rows()} == {"书法"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"appointment_id": "a b"}, "appointment_id"),
        ({"campaign_id": "nothing"}, "campaign_id"),
        ({"event_time": "soon"}, "event_time"),
        ({"event_time": "9999-12-31T23:59"}, "event_time"),
        ({"event_time": "2027-03-28T02:30", "zone": "Europe/Berlin"}, "event_time"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"repeat": "hourly"}, "repeat"),
        ({"time_field": "when"}, "time_field"),
        ({"number": "+86138"}, "number"),
        ({"data": {}}, "data"),
        ({"data": {"course": "a\r\nb"}}, "data.course"),
        ({"customer_id": "1\n2"}, "customer_id"),
    ],
)
async def test_nothing_is_kept_of_what_is_refused(world: World, change: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as caught:
        await world.appointments.put(replace(WANTED, **change))
    assert [one.field for one in caught.value.problems] == [field]
    assert await world.appointments.store.page() == []
    assert await world.rows() == []


async def test_a_campaign_without_reminders_is_told(world: World) -> None:
    await world.office.tasks.save_campaign(Campaign("courses", "course"))
    with pytest.raises(Refused, match="remind"):
        await world.appointments.put(WANTED)


async def ringing(world: World) -> Task:
    """The first reminder is being called."""
    await world.appointments.put(WANTED)
    (first, *_) = sorted(await world.rows(), key=lambda row: float(row["due_at"]))
    world.now = float(first["due_at"])
    task = await world.office.tasks.task(first["task_id"])
    campaign = await world.office.tasks.campaign("courses")
    assert task is not None
    assert campaign is not None
    permission = await world.office.tasks.begin(task, campaign, "attempt", "dialer", world.now)
    assert permission is not None
    assert permission.allowed
    return task


CHANGES: list[Callable[[World], Awaitable[Any]]] = [
    lambda world: world.appointments.cancel("c-1", "its event was cancelled"),
    lambda world: world.appointments.put(replace(WANTED, event_time="2026-12-10T09:30")),
    lambda world: world.appointments.put(replace(WANTED, campaign_id="others")),
]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_call_that_is_out_when_its_event_goes_is_the_last_one(
    world: World, change: Callable[[World], Awaitable[Any]]
) -> None:
    await world.another_campaign()
    task = await ringing(world)
    await change(world)
    end = AttemptEnd(Status.NO_ANSWER, world.now)
    again = Again(datetime.fromtimestamp(world.now + 7200, UTC), "no_answer: once more")
    assert isinstance(await world.office.tasks.end(task, "attempt", end, again), Done)
    found = await world.office.tasks.task(task.task_id)
    assert found is not None
    assert found.state is TaskState.DONE
    assert "event was" in found.reason


async def test_a_call_that_was_not_placed_when_its_event_went_is_not_placed_later(world: World) -> None:
    task = await ringing(world)
    await world.appointments.cancel("c-1", "by hand")
    assert not await world.office.tasks.not_placed(task, "attempt", "away", world.now, world.now + 30)
    found = await world.office.tasks.task(task.task_id)
    assert found is not None
    assert (found.state, found.reason) == (TaskState.CANCELLED, "by hand")


async def test_a_call_about_an_event_that_stays_is_tried_again(world: World) -> None:
    task = await ringing(world)
    await world.appointments.put(WANTED)
    again = Again(datetime.fromtimestamp(world.now + 7200, UTC), "no_answer: once more")
    assert await world.office.tasks.end(task, "attempt", AttemptEnd(Status.NO_ANSWER, world.now), again) == again


async def test_in_another_campaign_the_first_one_s_calls_are_withdrawn(world: World) -> None:
    await world.another_campaign()
    await world.appointments.put(WANTED)
    _, done, _ = await world.appointments.put(replace(WANTED, campaign_id="others"))
    assert (done.new, done.withdrawn) == (2, 2)
    assert await world.calls() == []
    assert await world.queued() == 2


@pytest.mark.parametrize("change", CHANGES[:2])
async def test_planning_further_undoes_nothing_that_happens_meanwhile(
    world: World, change: Callable[[World], Awaitable[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.appointments.put(replace(WANTED, repeat="weekly"))
    world.now += 10 * DAY
    real = world.appointments.store.to_plan

    async def to_plan(before: float, limit: int) -> list[Appointment]:
        found = await real(before, limit)
        await change(world)
        return found

    monkeypatch.setattr(world.appointments.store, "to_plan", to_plan)
    assert await world.appointments.extend() == 0
    found = await world.appointments.store.get("c-1")
    assert found is not None
    assert (found.state, found.repeat) in [("cancelled", "FREQ=WEEKLY"), ("active", "")]
