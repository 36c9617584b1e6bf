"""The dialer: permission before every call, retries, refusals, dead dialers; nobody is called twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import time, timedelta

import pytest

from agi_bot.campaign.dialer_rescue import LOOK_IT_UP
from agi_bot.campaign.model import AttemptEnd, Task, TaskState
from agi_bot.campaign.permission import State, Window
from agi_bot.campaign.queue import Due
from agi_bot.contracts import Status
from agi_bot.errors import PbxDown
from tests.unit.campaign.dialing import ALWAYS, CAMPAIGN, NOON, Office, a_task, poll


async def test_a_due_task_is_called_once_and_the_crm_is_told(office: Office) -> None:
    await office.add(a_task())
    await office.dial_for()
    assert len(office.person.placed) == 1
    assert await office.state() is TaskState.DONE
    (told,) = await office.outbox()
    assert (told["outcome"], told["final"], told["script_id"]) == ("confirmed", True, "promotion")
    assert told["attempt_id"] == office.person.placed[0][1]


async def test_what_is_not_due_waits(office: Office) -> None:
    await office.add(a_task(due_at=NOON + 60))
    await office.dial_for()
    assert office.person.placed == []
    office.now += 60
    await office.dial_for()
    assert len(office.person.placed) == 1


async def test_every_call_has_a_permission_that_can_be_explained(office: Office) -> None:
    await office.add(a_task())
    await office.dial_for()
    decisions = await office.store.decisions("13800000001")
    assert [(one["allowed"], one["moment"]) for one in decisions] == [(1, "dial"), (1, "due")], "newest first"


async def test_a_listed_number_is_never_called(office: Office) -> None:
    await office.store.add_do_not_call("own", ["13800000001"], "test", NOON)
    await office.add(a_task())
    dialer = await office.dial_for()
    assert office.person.placed == []
    assert await office.state() is TaskState.DONE
    (decision,) = await office.store.decisions("13800000001")
    assert (decision["allowed"], decision["rule"]) == (0, "do_not_call")
    assert dialer.counters["refused.do_not_call"] == 1


async def test_outside_the_window_the_task_waits_for_it(office: Office) -> None:
    campaign = replace(CAMPAIGN, rules=replace(ALWAYS, windows=(Window(time(13), time(20)),)))
    await office.add(a_task(), campaign=campaign)
    await office.dial_for()
    assert office.person.placed == []
    office.now += 3600
    await office.dial_for()
    assert len(office.person.placed) == 1


async def test_a_clock_that_is_set_back_does_not_prolong_a_trunk_s_rest(office: Office) -> None:
    tasks = [a_task(f"t{n}", f"1380000000{n}") for n in range(8)]
    office.person.ends = {task.task_id: [AttemptEnd(Status.CONGESTION, 0)] for task in tasks[:5]}
    await office.add(*tasks, campaign=replace(CAMPAIGN, lines=1))
    dialer = office.dialer()
    running = asyncio.create_task(dialer.run())
    async with asyncio.timeout(30):
        await poll(lambda: len(office.person.placed) == 5)
        office.now -= 3600
        await asyncio.sleep(0.1)
        assert len(office.person.placed) == 5, "it rests"
        office.steady += 61
        office.now += 3600 + 61
        await poll(lambda: len(office.person.placed) == 8)
    dialer.stop()
    await running


async def test_a_claim_that_comes_before_the_task_s_own_time_is_given_back(office: Office) -> None:
    await office.add(a_task(due_at=NOON + 600))
    await office.queue.withdraw(["t"])
    await office.queue.put([Due("t", NOON)])
    await office.dial_for()
    assert office.person.placed == []
    office.now += 601
    await office.dial_until(lambda: len(office.person.placed) == 1)


@pytest.mark.parametrize("wrong", [8 * 3600, -8 * 3600])
async def test_what_a_wrong_clock_put_off_is_asked_about_again(office: Office, wrong: int) -> None:
    campaign = replace(CAMPAIGN, rules=replace(ALWAYS, windows=(Window(time(9), time(19)),)))
    await office.add(a_task(due_at=NOON - 86400), campaign=campaign)
    office.now += wrong
    dialer = office.dialer()
    running = asyncio.create_task(dialer.run())
    async with asyncio.timeout(30):
        await poll(lambda: dialer.counters["refused.window"] > 0)
        assert office.person.placed == []
        office.now -= wrong
        await poll(lambda: len(office.person.placed) == 1)
    dialer.stop()
    await running
    assert await office.state() is TaskState.DONE


async def test_caps_count_over_campaigns(office: Office) -> None:
    rules = replace(ALWAYS, caps=((1, 1),))
    other = replace(CAMPAIGN, campaign_id="autumn", rules=rules)
    await office.add(a_task(), campaign=replace(CAMPAIGN, rules=rules))
    await office.add(replace(a_task("u"), campaign_id="autumn"), campaign=other)
    await office.dial_for()
    assert len(office.person.placed) == 1


async def test_a_paused_campaign_is_not_dialled(office: Office) -> None:
    await office.add(a_task())
    await office.store.set_state("spring", State.PAUSED)
    await office.dial_for()
    assert office.person.placed == []
    await office.store.set_state("spring", State.RUNNING)
    await office.dial_for()
    assert len(office.person.placed) == 1


async def test_busy_is_tried_again_after_its_interval(office: Office) -> None:
    office.person.ends["t"] = [AttemptEnd(Status.BUSY, 0, cause=17)]
    await office.add(a_task())
    await office.dial_for()
    assert await office.state() is TaskState.WAITING
    await office.dial_for()
    assert len(office.person.placed) == 1
    office.now += 600
    await office.dial_for()
    assert len(office.person.placed) == 2
    assert await office.state() is TaskState.DONE
    assert [told["final"] for told in await office.outbox()] == [False, True]


async def test_who_refuses_is_not_called_again(office: Office) -> None:
    office.person.ends["t"] = [AttemptEnd("refused", 0, answered=True, refused=True)]
    await office.add(a_task(), campaign=replace(CAMPAIGN, rules=replace(ALWAYS, cool_down=timedelta(days=90))))
    await office.dial_for()
    await office.add(a_task("again"), campaign=replace(CAMPAIGN, rules=replace(ALWAYS, cool_down=timedelta(days=90))))
    office.now += 86400
    await office.dial_for()
    assert len(office.person.placed) == 1


async def test_an_unallocated_number_is_marked(office: Office) -> None:
    office.person.ends["t"] = [AttemptEnd(Status.INVALID_NUMBER, 0, cause=1)]
    await office.add(a_task())
    await office.dial_for()
    await office.add(a_task("other"))
    await office.dial_for()
    assert len(office.person.placed) == 1
    assert (await office.store.decisions("13800000001"))[0]["rule"] == "unallocated"


@pytest.mark.parametrize("how", ["busy", "invalid_number", "unknown", "machine"])
async def test_who_talked_to_the_bot_is_not_redialled_or_struck_off(office: Office, how: str) -> None:
    office.person.ends["t"] = [AttemptEnd(how, 0, answered=True, answered_by="human")]
    await office.add(a_task())
    await office.dial_for()
    assert await office.state() is TaskState.DONE
    assert await office.database.run(lambda db: db.table("numbers").count) == 0


async def test_a_callback_is_dialled_when_it_was_asked_for(office: Office) -> None:
    office.person.ends["t"] = [AttemptEnd("call_back", 0, answered=True, call_back_at=NOON + 7200)]
    await office.add(a_task())
    await office.dial_for()
    office.now += 7199
    await office.dial_for()
    assert len(office.person.placed) == 1
    office.now += 1
    await office.dial_for()
    assert len(office.person.placed) == 2


async def test_a_call_that_may_have_gone_out_is_never_repeated(office: Office) -> None:
    office.person.ends["t"] = [AttemptEnd(Status.UNKNOWN, 0)]
    await office.add(a_task())
    await office.dial_for()
    office.now += 10 * 86400
    await office.dial_for()
    assert len(office.person.placed) == 1


async def test_an_exchange_that_goes_away_costs_neither_a_try_nor_a_call(office: Office) -> None:
    once = replace(CAMPAIGN, rules=replace(ALWAYS, caps=((1, 1),)))
    office.person.ends["t"] = [PbxDown("not connected") for _ in range(7)]
    await office.add(a_task(), campaign=once)
    for _ in range(8):
        await office.dial_for()
        office.now += 30
    assert len(office.person.placed) == 8
    assert await office.state() is TaskState.DONE
    assert [told["outcome"] for told in await office.outbox()] == ["confirmed"]


async def test_nothing_is_claimed_while_the_exchange_is_away(office: Office) -> None:
    await office.add(a_task())
    office.obstacle = "the exchange is away"
    dialer = await office.dial_for()
    assert dialer.trouble == "the exchange is away"
    assert office.person.placed == []
    assert await office.database.run(lambda db: db.table("attempts").count) == 0
    office.obstacle = ""
    dialer = await office.dial_for()
    assert dialer.trouble == ""
    assert len(office.person.placed) == 1


async def test_never_more_calls_than_lines(office: Office) -> None:
    office.person.takes_s = 0.02
    await office.add(*(a_task(f"t{n}", f"1380000{n:04}") for n in range(30)))
    await office.dial_until(lambda: len(office.person.placed) == 30)
    assert office.person.most_at_once <= CAMPAIGN.lines


async def test_a_cancelled_task_is_not_called(office: Office) -> None:
    await office.add(a_task())
    assert await office.store.cancel("t", "by hand", NOON)
    await office.dial_for()
    assert office.person.placed == []
    assert not await office.store.cancel("t", "again", NOON)


async def test_the_same_dedupe_key_is_the_same_task(office: Office) -> None:
    await office.add(replace(a_task("a"), dedupe_key="order-7"), replace(a_task("b"), dedupe_key="order-7"))
    await office.dial_for()
    assert len(office.person.placed) == 1


async def test_a_claim_without_an_attempt_is_given_back(office: Office) -> None:
    await office.add(a_task())
    await office.queue.claim("dead", "default", 1, NOON)
    await office.after_silence()
    await office.dial_for()
    assert len(office.person.placed) == 1


async def dead_with_an_attempt(office: Office) -> Task:
    await office.add(a_task())
    await office.queue.claim("dead", "default", 1, NOON)
    task = await office.store.task("t")
    assert task is not None
    permission = await office.store.begin(task, CAMPAIGN, "attempt-1", "dead", NOON)
    assert permission is not None
    assert permission.allowed
    return task


async def test_a_claim_with_an_attempt_is_set_aside(office: Office) -> None:
    await dead_with_an_attempt(office)
    dialer = await office.after_silence()
    await office.dial_for()
    assert office.person.placed == []
    assert await office.state() is TaskState.ORPHANED
    assert dialer.counters["orphaned"] == 1
    assert (await office.outbox())[0]["outcome"] == "unknown"
    task = await office.store.task("t")
    assert task is not None
    assert task.reason == LOOK_IT_UP


async def test_an_orphan_whose_conversation_was_kept_ended_like_it(office: Office) -> None:
    await dead_with_an_attempt(office)
    office.records.ends["attempt-1"] = AttemptEnd("confirmed", NOON, answered=True)
    dialer = await office.after_silence()
    assert await office.state() is TaskState.DONE
    assert dialer.counters["orphaned"] == 0
    assert [told["outcome"] for told in await office.outbox()] == ["confirmed"]


async def test_an_orphan_who_is_still_talking_is_waited_for(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agi_bot.campaign.dialer_rescue.TALKING_S", 0.01)
    await dead_with_an_attempt(office)
    office.records.going_on.add("attempt-1")
    waiting = asyncio.create_task(office.after_silence())
    await asyncio.sleep(0.1)
    assert await office.state() is TaskState.DIALLING
    office.records.ends["attempt-1"] = AttemptEnd("refused", NOON, answered=True, refused=True)
    office.records.going_on.clear()
    await waiting
    assert [told["outcome"] for told in await office.outbox()] == ["refused"]


async def test_the_truth_comes_in_the_place_of_unknown(office: Office) -> None:
    """A dialer that was frozen, not dead, tells how the call ended that was set aside."""
    task = await dead_with_an_attempt(office)
    await office.after_silence()
    await office.dialer("dead").ended(task, CAMPAIGN, "attempt-1", AttemptEnd(Status.BUSY, NOON, cause=17))
    assert await office.state() is TaskState.WAITING
    assert [told["outcome"] for told in await office.outbox()] == ["unknown", "busy"]
    await office.dialer("dead").ended(task, CAMPAIGN, "attempt-1", AttemptEnd(Status.UNKNOWN, NOON))
    assert len(await office.outbox()) == 2
    office.now += 600
    await office.dial_for()
    assert len(office.person.placed) == 1
    assert await office.state() is TaskState.DONE


async def test_a_task_that_never_reached_the_queue_is_found(office: Office) -> None:
    await office.store.save_campaign(CAMPAIGN)
    await office.store.add([a_task()], NOON)
    await office.dial_for()
    assert len(office.person.placed) == 1


async def test_two_dialers_share_the_work(office: Office) -> None:
    office.person.takes_s = 0.002
    await office.add(*(a_task(f"t{n}", f"1380000{n:04}") for n in range(60)))
    dialers = [office.dialer("one"), office.dialer("two")]
    running = [asyncio.create_task(dialer.run()) for dialer in dialers]
    async with asyncio.timeout(30):
        await poll(lambda: len(office.person.placed) >= 60)
    for dialer in dialers:
        dialer.stop()
    await asyncio.gather(*running)
    assert len({task for task, _ in office.person.placed}) == len(office.person.placed) == 60


async def test_a_task_of_an_unknown_campaign_is_explained(office: Office) -> None:
    await office.add(a_task())
    await office.queue.put([Due("nobody", NOON)])
    await office.dial_for()
    assert len(office.person.placed) == 1
