"""Tasks by REST: the body of the contract, idempotency, refusals with field and reason, nothing half stored."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agi_bot.campaign.office import Office
from tests.unit.web.conftest import Api

TASK = {"customer_id": "12345", "script_id": "promotion_001", "call_time": "2026-11-24T14:00:00"}
NUMBERED = {**TASK, "number": "13800000001"}


async def rows(office: Office, table: str) -> int:
    return int(await office.database.run(lambda db: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]))


async def test_exactly_the_body_of_the_contract(api: Api) -> None:
    customer = {"number": "13800000001", "name": "张伟"}
    assert (await api.ask("PUT", "/api/v1/customers/12345", json=customer)).status_code == 200
    answer = await api.ask("POST", "/api/v1/call/task", json=TASK)
    assert answer.status_code == 201, answer.text
    task = (await api.ask("GET", f"/api/v1/tasks/{answer.json()['task_id']}")).json()
    assert (task["number"], task["state"], task["campaign_id"]) == ("13800000001", "waiting", "promotion_001")
    assert task["due_at"] == "2026-11-24T06:00:00+00:00", "a time without zone is the campaign's"
    assert await rows(api.office, "queue_later") == 1


async def test_a_customer_who_is_not_known_needs_a_number(api: Api) -> None:
    answer = await api.ask("POST", "/api/v1/call/task", json=TASK)
    assert answer.status_code == 422
    assert answer.json()["error"]["fields"][0]["field"] == "customer_id"
    assert (await api.ask("POST", "/api/v1/call/task", json=NUMBERED)).status_code == 201
    assert (await api.ask("POST", "/api/v1/call/task", json=TASK)).status_code == 201


async def test_what_the_task_leaves_out_is_the_customer_s(api: Api) -> None:
    known = {"number": "13800000001", "name": "张伟", "data": {"amount": "12.50", "colour": "red"}}
    await api.ask("PUT", "/api/v1/customers/12345", json=known)
    made = await api.ask("POST", "/api/v1/call/task", json=TASK)
    task = (await api.ask("GET", f"/api/v1/tasks/{made.json()['task_id']}")).json()
    assert task["data"] == {"name": "张伟", "amount": "12.50"}, "only what the script asks for"
    made = await api.ask("POST", "/api/v1/call/task", json={**TASK, "number": "139", "data": {"name": "李娜"}})
    task = (await api.ask("GET", f"/api/v1/tasks/{made.json()['task_id']}")).json()
    assert (task["number"], task["data"]["name"], task["data"]["amount"]) == ("139", "李娜", "12.50")


async def test_not_after(api: Api) -> None:
    made = await api.ask("POST", "/api/v1/call/task", json={**NUMBERED, "not_after": "2026-11-24T15:00"})
    task = (await api.ask("GET", f"/api/v1/tasks/{made.json()['task_id']}")).json()
    assert task["not_after"] == "2026-11-24T07:00:00+00:00"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"number": "1380000000a"}, "number"),
    ({"number": "+8613800000001"}, "number"),
    ({"number": "138 0000 0001"}, "number"),
    ({"number": "1" * 17}, "number"),
    ({"number": "12"}, "number"),
    ({"number": "１３８００００００００"}, "number"),
    ({"number": "138\r\nAction: Originate"}, "number"),
    ({"number": 13800000001}, "number"),
    ({"call_time": "2023-10-01T14:00:00"}, "call_time"),
    ({"call_time": "9999-12-31T23:59:59"}, "call_time"),
    ({"call_time": "0001-01-01T00:00:00"}, "call_time"),
    ({"call_time": "2030-01-01T00:00:00"}, "call_time"),
    ({"call_time": "tomorrow"}, "call_time"),
    ({"call_time": "2026-02-30T10:00:00"}, "call_time"),
    ({"not_after": "2026-11-24T13:00:00"}, "not_after"),
    ({"not_after": "soon"}, "not_after"),
    ({"data": {"name": "张\r\n伟"}}, "data.name"),
    ({"data": {"name": "${SHELL(reboot)}"}}, "data.name"),
    ({"data": {"name": "\ud800"}}, "data.name"),
    ({"data": {"amount": "a lot"}}, "data"),
    ({"data": {"amount": {"deep": [1]}}}, "data"),
    ({"data": {"nmae": "张伟"}}, "data"),
    ({"script_id": "nothing"}, "script_id"),
    ({"campaign_id": "nothing"}, "campaign_id"),
    ({"customer_id": ""}, "customer_id"),
    ({"customer_id": "1\n2"}, "customer_id"),
    ({"customer_id": 12345}, "customer_id"),
    ({"priority": 101}, "priority"),
    ({"priority": True}, "priority"),
    ({"colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("change", "field"), BAD, ids=[f"{field}-{at}" for at, (_, field) in enumerate(BAD)])
async def test_bad_input_is_refused_with_its_field(api: Api, change: dict[str, Any], field: str) -> None:
    import json

    body = json.dumps({**NUMBERED, **change})
    answer = await api.ask("POST", "/api/v1/call/task", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert field in [one["field"] for one in answer.json()["error"]["fields"]]
    assert all(one["reason"] for one in answer.json()["error"]["fields"])
    for table in ("tasks", "queue_later", "customers", "campaigns"):
        assert await rows(api.office, table) == 0, f"something was left in {table}"


async def test_a_time_that_the_clock_leaves_out(api: Api) -> None:
    campaign = {"campaign_id": "eu", "script_id": "promotion_001", "zone": "Europe/Berlin"}
    assert (await api.ask("POST", "/api/v1/campaigns", json=campaign)).status_code == 201
    gap = {**NUMBERED, "campaign_id": "eu", "call_time": "2027-03-28T02:30:00"}
    answer = await api.ask("POST", "/api/v1/call/task", json=gap)
    assert answer.status_code == 422
    assert "leaves this time out" in answer.json()["error"]["fields"][0]["reason"]
    assert (
        await api.ask("POST", "/api/v1/call/task", json={**gap, "call_time": "2027-03-28T02:30:00+08:00"})
    ).status_code == 201


async def test_a_json_bomb(api: Api) -> None:
    head = {"Content-Type": "application/json"}
    deep = '{"data": ' + "[" * 5000 + "]" * 5000 + "}"
    assert (await api.ask("POST", "/api/v1/call/task", content=deep, headers=head)).status_code == 400
    long = '{"customer_id": "' + "1" * 300_000 + '"}'
    assert (await api.ask("POST", "/api/v1/call/task", content=long, headers=head)).status_code == 413
    for path in ("/api/v1/customers/import", "/api/v1/consent/import", "/api/v1/appointments/import"):
        answer = await api.ask("PUT", path, content=long, headers=head, role=None)
        assert answer.status_code == 413, "an id that is called import brings no list"
    digits = '{"priority": ' + "9" * 5000 + "}"
    assert (await api.ask("POST", "/api/v1/call/task", content=digits, headers=head)).status_code in (400, 422)
    brackets = {**NUMBERED, "data": {"name": "[" * 100}}
    assert (await api.ask("POST", "/api/v1/call/task", json=brackets)).status_code == 201


async def test_the_same_idempotency_key_makes_one_task(api: Api) -> None:
    head = {"Idempotency-Key": "order-1"}
    answers = await asyncio.gather(
        *(api.ask("POST", "/api/v1/call/task", json=NUMBERED, headers=head) for _ in range(5))
    )
    assert len({answer.json()["task_id"] for answer in answers}) == 1
    assert await rows(api.office, "tasks") == 1
    again = await api.ask("POST", "/api/v1/call/task", json=NUMBERED, headers=head)
    assert again.headers["Idempotent-Replay"] == "true"
    other = await api.ask("POST", "/api/v1/call/task", json={**NUMBERED, "priority": 1}, headers=head)
    assert other.status_code == 409


async def test_the_same_dedupe_key_is_the_same_task(api: Api) -> None:
    body = {**NUMBERED, "dedupe_key": "order-7"}
    first = await api.ask("POST", "/api/v1/call/task", json=body)
    second = await api.ask("POST", "/api/v1/call/task", json=body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == {"task_id": first.json()["task_id"], "created": False}


async def test_pause_resume_cancel(api: Api) -> None:
    task_id = (await api.ask("POST", "/api/v1/call/task", json=NUMBERED)).json()["task_id"]
    for step, state, queued in (("pause", "paused", 0), ("resume", "waiting", 1), ("cancel", "cancelled", 0)):
        answer = await api.ask("POST", f"/api/v1/tasks/{task_id}/{step}")
        assert (answer.status_code, answer.json()["state"]) == (200, state)
        assert await rows(api.office, "queue_later") == queued
    for step in ("pause", "resume", "cancel"):
        assert (await api.ask("POST", f"/api/v1/tasks/{task_id}/{step}")).status_code == 409
    assert (await api.ask("POST", "/api/v1/tasks/nobody/cancel")).status_code == 404


async def test_an_event_makes_a_task_by_its_rule(api: Api) -> None:
    event = {"event": "payment_failed", "customer_id": "7", "number": "13800000007", "data": {"name": "李娜"}}
    answer = await api.ask("POST", "/api/v1/events", json=event)
    assert answer.status_code == 201, answer.text
    task = (await api.ask("GET", f"/api/v1/tasks/{answer.json()['task_id']}")).json()
    assert (task["flow"], task["priority"], task["due_at"]) == ("promotion_001", 5, "2026-11-24T04:01:00+00:00")
    unknown = await api.ask("POST", "/api/v1/events", json={**event, "event": "moon_rises"})
    assert unknown.status_code == 422
    assert "payment_failed" in unknown.json()["error"]["fields"][0]["reason"]
