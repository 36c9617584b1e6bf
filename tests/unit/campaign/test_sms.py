"""Text messages after a call: which, to whom, once, and never to people who said no."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from agi_bot.campaign.model import AttemptEnd, Campaign, Task
from agi_bot.campaign.outbox import Receiver
from agi_bot.campaign.retry import Again, Done
from agi_bot.campaign.sms import SmsRule, messages, wrong
from agi_bot.campaign.store import Database
from agi_bot.campaign.store.outbox import Letter, OutboxStore
from agi_bot.campaign.store.tasks import TaskStore

NOON = 1_795_492_800.0
RULES = (
    SmsRule(("rescheduled",), "{name}您好，已为您改到{new_time}。"),
    SmsRule(("no_answer", "busy"), "{name}您好，刚才给您打过电话。"),
)
CAMPAIGN = Campaign("spring", "promotion", sms=RULES)
TASK = Task("t1", "spring", "13800000001", "promotion", NOON, "7", {"name": "张伟"})
AGAIN = Again(datetime.fromtimestamp(NOON + 600, UTC), "once more")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    found = Database(tmp_path / "a.db")
    await found.open()
    store = TaskStore(found)
    await store.save_campaign(CAMPAIGN)
    await store.add([TASK], NOON)
    yield found
    await found.close()


async def ended(database: Database, attempt: str, end: AttemptEnd, follows: Again | Done) -> None:
    row = {"attempt_id": attempt, "task_id": "t1", "number": TASK.number, "trunk": "", "owner": "", "placed_at": NOON}
    row |= {"how": "", "cause": 0, "sip": 0, "detail": ""}
    await database.run(lambda db: db.table("attempts").insert(row))
    await TaskStore(database).end(TASK, attempt, end, follows)


async def texts(database: Database, state: str = "waiting") -> list[dict[str, Any]]:
    rows = await OutboxStore(database).listed(state)
    return [row for row in rows if row["receiver"] == "sms"]


async def test_a_text_with_what_was_agreed(database: Database) -> None:
    result = {"slots": {"new_time": "2026-12-03T15:00:00+08:00"}}
    await ended(database, "a1", AttemptEnd("rescheduled", NOON, answered=True, result=result), Done("had"))
    (row,) = await texts(database)
    assert row["payload"]["to"] == "13800000001"
    assert row["payload"]["text"] == "张伟您好，已为您改到2026-12-03 15:00。"
    assert row["key"] == "t1:sms:0"


async def test_nobody_gets_it_for_every_try(database: Database) -> None:
    await ended(database, "a1", AttemptEnd("busy", NOON), AGAIN)
    assert await texts(database) == [], "not while it is tried again"
    await ended(database, "a2", AttemptEnd("no_answer", NOON), Done("no_answer 2 times"))
    assert len(await texts(database)) == 1
    await ended(database, "a3", AttemptEnd("no_answer", NOON), Done("by hand"))
    assert len(await texts(database)) == 1, "one of a rule for a task"


async def test_who_said_no_gets_none(database: Database) -> None:
    await TaskStore(database).save_campaign(replace(CAMPAIGN, sms=(SmsRule(("*",), "再见"),)))
    await ended(database, "a1", AttemptEnd("refused", NOON, answered=True, refused=True), Done("refused"))
    await TaskStore(database).add_do_not_call("state", [TASK.number], "", NOON)
    await ended(database, "a2", AttemptEnd("no_answer", NOON), Done("over"))
    assert await texts(database) == []


async def test_a_hole_that_nothing_fills_is_a_dead_letter_with_its_reason(database: Database) -> None:
    await ended(database, "a1", AttemptEnd("rescheduled", NOON, answered=True), Done("had"))
    assert await texts(database) == []
    (row,) = await texts(database, "dead")
    assert row["error"] == "nothing fills {new_time}"


async def test_letters_go_to_their_own_receiver(database: Database) -> None:
    await ended(database, "a1", AttemptEnd("no_answer", NOON), Done("over"))
    store = OutboxStore(database)
    assert [letter.key for letter in await store.due(NOON, 10)] == ["a1"]
    assert [letter.key for letter in await store.due(NOON, 10, "sms")] == ["t1:sms:1"]


def test_any_outcome_and_more_than_one_rule() -> None:
    rules = (SmsRule(("*",), "a {outcome}"), SmsRule(("busy",), "b"))
    found = messages(rules, "busy", {"outcome": "busy"})
    assert [(one.number, one.text, one.missing) for one in found] == [(0, "a busy", ""), (1, "b", "")]


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        (SmsRule(("busy",), "{nmae}"), "nmae"),
        (SmsRule((), "x"), "outcomes"),
        (SmsRule(("busy",), "  "), "text"),
        (SmsRule(("busy",), "x" * 501), "501"),
    ],
)
def test_a_wrong_rule(rule: SmsRule, word: str) -> None:
    assert word in wrong(rule, ["name"])


def test_the_gateway_s_own_fields() -> None:
    letter = Letter(1, "k", "sms", json.dumps({"to": "138", "text": "您好 {to} &=1"}), 0)
    gateway = Receiver(
        "http://sms.test", name="sms", body={"mobile": "{to}", "content": "【医院】{text}", "id": "{key}"}
    )
    sent, kind = gateway.content(letter)
    assert json.loads(sent) == {"mobile": "138", "content": "【医院】您好 {to} &=1", "id": "k"}
    assert kind == "application/json"
    sent, kind = replace(gateway, as_form=True).content(letter)
    assert parse_qs(sent.decode()) == {"mobile": ["138"], "content": ["【医院】您好 {to} &=1"], "id": ["k"]}
    assert kind == "application/x-www-form-urlencoded"
    assert Receiver("http://sms.test").content(letter) == (letter.payload.encode(), "application/json")
