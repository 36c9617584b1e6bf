"""What became of a call, as the dialer is told: dispositions, refusals, callbacks, and whatever went wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agi_bot.app.following import CallFailed
from agi_bot.app.placer import DIED_IN_CALL, BotPlacer
from agi_bot.campaign.model import Campaign, Task
from agi_bot.campaign.retry import Done
from agi_bot.campaign.store import CallStore, Database
from agi_bot.campaign.store.people import PeopleStore
from agi_bot.campaign.store.tasks import TaskStore
from agi_bot.contracts import Disposition, Status
from agi_bot.errors import PbxDown
from agi_bot.flow import TaskError
from agi_bot.record import CallRecord, Turn

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)
TASK = Task("t", "spring", "13800000001", "promotion", 0.0, data={"name": "张伟"})
CAMPAIGN = Campaign("spring", "promotion", caller_id="4001", ring_s=20.0)


def a_record(**changes: Any) -> CallRecord:
    record = CallRecord("a1", "promotion", "zh-CN", BEGAN, ended_at=BEGAN + timedelta(seconds=31), outcome="interested")
    record.turns.append(Turn(step="greet"))
    for name, value in changes.items():
        setattr(record, name, value)
    return record


class Told:
    """A bot that answers as it is told, and notes what it was asked."""

    def __init__(self, answer: tuple[Disposition, CallRecord | None] | Exception) -> None:
        self.answer = answer
        self.asked: dict[str, Any] = {}

    async def call(
        self, number: str, flow: str, task: Mapping[str, object], **how: Any
    ) -> tuple[Disposition, CallRecord | None]:
        self.asked = {"number": number, "flow": flow, "task": task, **how}
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def talking(self, call_id: str) -> bool:
        return call_id == self.asked.get("call_id")


ANSWERED = Disposition(Status.ANSWERED, 16, 200)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "a.db")
    await opened.open()
    yield opened
    await opened.close()


def placer(database: Database, answer: tuple[Disposition, CallRecord | None] | Exception) -> BotPlacer:
    return BotPlacer(Told(answer), CallStore(database), lambda: 1000.0)


async def test_the_result_has_the_recording_s_place_and_not_the_disk_s(database: Database, tmp_path: Path) -> None:
    record = a_record(recording=str(tmp_path / "2026-11-24" / "a1.flac"))
    bot = Told((ANSWERED, record))
    placed = BotPlacer(bot, CallStore(database), lambda: 1000.0, recordings=tmp_path)
    assert (await placed.place(TASK, CAMPAIGN, "a1")).result["recording"] == "2026-11-24/a1.flac"
    await CallStore(database).save(record)
    found = await placed.found(TASK, CAMPAIGN, "a1")
    assert found is not None
    assert found.result["recording"] == "2026-11-24/a1.flac"


async def test_the_attempt_is_the_call(database: Database) -> None:
    bot = Told((ANSWERED, a_record()))
    end = await BotPlacer(bot, CallStore(database), lambda: 1000.0).place(TASK, CAMPAIGN, "a1")
    assert bot.asked["call_id"] == "a1"
    assert (bot.asked["caller_id"], bot.asked["ring_timeout_s"]) == ("4001", 20.0)
    assert (end.how, end.answered, end.refused, end.cause) == ("interested", True, False, 16)
    assert (end.result["turns"], end.result["talk_s"]) == (1, 31.0)


async def test_the_crm_learns_what_each_stage_cost(database: Database) -> None:
    turns = [Turn(endpoint_ms=300, interpret_ms=2.4, reply_ms=400), Turn(endpoint_ms=500, interpret_ms=1.2), Turn()]
    record = a_record(turns=turns)
    end = await placer(database, (ANSWERED, record)).place(TASK, CAMPAIGN, "a1")
    costs = {"endpoint_ms": 400, "interpret_ms": 2, "reply_ms": 400}
    assert {name: end.result[name] for name in costs} == costs
    await CallStore(database).save(record)
    kept = await placer(database, (ANSWERED, None)).found(TASK, CAMPAIGN, "a1")
    assert kept is not None
    assert {name: kept.result[name] for name in costs} == costs, "also of a call that the bot did not survive"


@pytest.mark.parametrize("status", [one for one in Status if one is not Status.ANSWERED])
async def test_a_call_that_nobody_answered(database: Database, status: Status) -> None:
    end = await placer(database, (Disposition(status, 17, 486, "x"), None)).place(TASK, CAMPAIGN, "a1")
    assert (end.how, end.answered, end.cause, end.sip, end.detail) == (status.value, False, 17, 486, "x")


async def test_an_answer_that_never_arrived_is_no_success(database: Database) -> None:
    end = await placer(database, (ANSWERED, None)).place(TASK, CAMPAIGN, "a1")
    assert (end.how, end.answered) == ("error", True)


async def test_who_says_never_again_is_listed(database: Database) -> None:
    record = a_record(outcome="done", tags=["do_not_call"])
    end = await placer(database, (ANSWERED, record)).place(TASK, CAMPAIGN, "a1")
    assert end.refused
    assert end.listed == "own"
    await TaskStore(database).end(TASK, "a1", end, Done("the person refused"))
    assert [one["list"] for one in await PeopleStore(database).lists(TASK.number)] == ["own"]


async def test_a_refusal_alone_is_on_no_list(database: Database) -> None:
    end = await placer(database, (ANSWERED, a_record(outcome="refused"))).place(TASK, CAMPAIGN, "a1")
    assert end.refused
    assert end.listed == ""


@pytest.mark.parametrize("slot", ["call_back_at", "callback_time"])
async def test_a_callback_without_zone_is_in_the_campaigns(database: Database, slot: str) -> None:
    record = a_record(slots={slot: datetime(2026, 11, 25, 15)})
    end = await placer(database, (ANSWERED, record)).place(TASK, CAMPAIGN, "a1")
    assert end.call_back_at == datetime(2026, 11, 25, 7, tzinfo=UTC).timestamp()
    assert end.result["slots"] == {slot: "2026-11-25T15:00:00"}


async def test_a_callback_without_a_time_is_later(database: Database) -> None:
    end = await placer(database, (ANSWERED, a_record(outcome="call_later"))).place(TASK, CAMPAIGN, "a1")
    assert end.call_back_at == 1000.0 + 7200


async def test_a_pbx_that_is_down_is_told_as_that(database: Database) -> None:
    with pytest.raises(PbxDown):
        await placer(database, PbxDown("not connected")).place(TASK, CAMPAIGN, "a1")


@pytest.mark.parametrize("error", [TaskError("promotion", ["`x` is missing"]), ValueError("control character")])
async def test_what_cannot_be_dialled_is_not_tried_again(database: Database, error: Exception) -> None:
    end = await placer(database, error).place(TASK, CAMPAIGN, "a1")
    assert (end.how, end.answered) == ("bad_task", False)


async def test_a_conversation_that_failed_was_answered(database: Database) -> None:
    end = await placer(database, CallFailed("no voice")).place(TASK, CAMPAIGN, "a1")
    assert (end.how, end.answered, end.detail) == ("error", True, "no voice")


async def test_a_crash_is_unknown_and_so_never_redialled(database: Database) -> None:
    end = await placer(database, RuntimeError("boom")).place(TASK, CAMPAIGN, "a1")
    assert end.how == Status.UNKNOWN
    assert "boom" in end.detail


async def test_a_conversation_that_was_kept_ends_its_attempt(database: Database) -> None:
    """The bot died between the conversation and the note of the attempt's end."""
    record = a_record(outcome="call_back", slots={"call_back_at": datetime(2026, 11, 25, 15)}, tags=["warm"])
    told = await placer(database, (ANSWERED, record)).place(TASK, CAMPAIGN, "a1")
    await CallStore(database).save(record)
    found = await placer(database, (ANSWERED, None)).found(TASK, CAMPAIGN, "a1")
    assert found == replace(told, cause=0, sip=0)
    assert await placer(database, (ANSWERED, None)).found(TASK, CAMPAIGN, "a2") is None


async def test_a_conversation_in_which_the_bot_died_was_answered(database: Database) -> None:
    store = CallStore(database)
    await store.begun(a_record(outcome="", ended_at=None), "life-1")
    where = placer(database, (ANSWERED, None))
    assert await where.found(TASK, CAMPAIGN, "a1") is None, "it may go on in another bot"
    await store.lost(lambda life: True, datetime(2026, 11, 24, 12, tzinfo=UTC))
    end = await where.found(TASK, CAMPAIGN, "a1")
    assert end is not None
    assert (end.how, end.answered, end.detail) == ("error", True, DIED_IN_CALL)


@pytest.mark.parametrize(("home", "hour"), [("America/New_York", 20), ("", 12)])
async def test_an_hour_that_is_named_is_one_of_where_the_person_lives(database: Database, home: str, hour: int) -> None:
    """ "At three" without a zone: the customer's own, else the campaign's."""
    people = PeopleStore(database)
    await people.save("7", TASK.number, zone=home)
    bot = Told((ANSWERED, a_record(outcome="call_back", slots={"call_back_at": datetime(2026, 11, 25, 15)})))
    campaign = replace(CAMPAIGN, zone="Europe/Moscow")
    task = replace(TASK, customer_id="7")
    end = await BotPlacer(bot, CallStore(database), lambda: 1000.0, people).place(task, campaign, "a1")
    assert str(bot.asked["zone"]) == (home or "Europe/Moscow")
    assert end.call_back_at == datetime(2026, 11, 25, hour, tzinfo=UTC).timestamp()
