"""Who may do what, and everything beside tasks."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agi_bot.campaign.office import Office
from agi_bot.campaign.store import CallStore
from agi_bot.record import CallRecord, Turn
from agi_bot.web.api import open_application
from agi_bot.web.guard import depth
from agi_bot.web.keys import Role
from agi_bot.web.live import Live
from agi_bot.web.roles import masked
from tests.unit.web.conftest import NOON, Api

TASK = {"customer_id": "1", "script_id": "promotion_001", "number": "13800000001"}


def test_every_path_but_the_watched_ones_needs_a_key(api: Api) -> None:
    paths = open_application(api.office, Live(), api.options).openapi()["paths"]
    free = {path for path, methods in paths.items() for one in methods.values() if not one.get("security")}
    assert free == {"/healthz", "/readyz", "/metrics"}
    assert len(paths) > 20


async def test_wrong_keys(api: Api) -> None:
    for key in ("", "x", "ab__", "ab_123456789012_wrong", api.keys[Role.ADMIN][:-1] + "~", "ü"):
        answer = await api.ask("GET", "/api/v1/tasks", role=None, headers={"Authorization": f"Bearer {key}".encode()})
        assert answer.status_code == 401
    assert (await api.ask("GET", "/api/v1/tasks", role=None)).status_code == 401


async def test_a_revoked_key_ends_and_its_name_is_free(api: Api, office: Office) -> None:
    assert (await api.ask("GET", "/api/v1/tasks", role=Role.VIEWER)).status_code == 200
    assert await office.access.revoke("viewer", NOON)
    later = Api(office, api.keys, api.options)
    assert (await later.ask("GET", "/api/v1/tasks", role=Role.VIEWER)).status_code == 401
    assert not await office.access.revoke("viewer", NOON)


async def test_a_clock_that_is_set_back_keeps_no_key_alive_and_nobody_out(api: Api, office: Office) -> None:
    now, steady = NOON, 1000.0
    office.clock = lambda: now
    moved = Api(office, api.keys, replace(api.options, requests_per_minute=30, steady=lambda: steady))
    assert (await moved.ask("GET", "/api/v1/tasks", role=Role.VIEWER)).status_code == 200
    assert (await moved.ask("GET", "/api/v1/tasks")).status_code == 200
    assert await office.access.revoke("viewer", NOON)
    now, steady = NOON - 3600, 1010.0
    assert (await moved.ask("GET", "/api/v1/tasks", role=Role.VIEWER)).status_code == 401
    assert (await moved.ask("GET", "/api/v1/tasks")).status_code == 200


async def test_keys_are_kept_hashed(api: Api, office: Office) -> None:
    rows = await office.database.run(lambda db: list(db.table("api_keys").rows))
    secrets = [key.split("_", 2)[2] for key in api.keys.values()]
    assert rows
    assert not any(secret in str(row) for secret in secrets for row in rows)


async def test_a_viewer_only_looks(api: Api) -> None:
    assert (await api.ask("POST", "/api/v1/call/task", role=Role.VIEWER, json=TASK)).status_code == 403
    assert (await api.ask("GET", "/api/v1/tasks", role=Role.VIEWER)).status_code == 200
    assert (await api.ask("POST", "/api/v1/outbox/resend", role=Role.OPERATOR)).status_code == 403
    assert (await api.ask("POST", "/api/v1/outbox/resend", role=Role.ADMIN)).json() == {"resent": 0}


async def test_too_many_requests(api: Api, office: Office) -> None:
    narrow = Api(office, api.keys, replace(api.options, requests_per_minute=30))
    codes = [(await narrow.ask("GET", "/api/v1/tasks")).status_code for _ in range(6)]
    assert codes == [200, 200, 200, 429, 429, 429]
    assert (await narrow.ask("GET", "/api/v1/tasks", role=Role.ADMIN)).status_code == 200, "another key is not hit"
    assert int((await narrow.ask("GET", "/api/v1/tasks")).headers["Retry-After"]) >= 1


async def test_campaign_from_start_to_end(api: Api) -> None:
    form = {
        "campaign_id": "spring",
        "script_id": "promotion_001",
        "hours": ["09:00-12:00", "14:00-18:00"],
        "days": [1, 2],
        "caps": [[1, 2]],
        "lines": 3,
    }
    made = await api.ask("POST", "/api/v1/campaigns", json=form)
    assert made.status_code == 201, made.text
    assert (made.json()["hours"], made.json()["days"], made.json()["caps"]) == (form["hours"], [1, 2], [[1, 2]])
    assert (await api.ask("POST", "/api/v1/campaigns", json=form)).status_code == 422
    for step, state in (("pause", "paused"), ("resume", "running"), ("end", "ended")):
        assert (await api.ask("POST", f"/api/v1/campaigns/spring/{step}")).json()["state"] == state
    assert (await api.ask("GET", "/api/v1/campaigns/spring")).json()["tasks"] == {}
    assert (await api.ask("GET", "/api/v1/campaigns/autumn")).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hours": ["9 to 5"]}, "hours"),
        ({"hours": ["20:00-09:00"]}, "hours"),
        ({"days": [0]}, "days"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"caller_id": "4001\n"}, "caller_id"),
        ({"campaign_id": "a b"}, "campaign_id"),
        ({"campaign_id": "../x"}, "campaign_id"),
        ({"script_id": "nothing"}, "script_id"),
        ({"holidays": ["soon"]}, "holidays"),
        ({"lines": 0}, "lines"),
        ({"title": "a\r\nb"}, "title"),
    ],
)
async def test_a_bad_campaign(api: Api, change: dict[str, object], field: str) -> None:
    form = {"campaign_id": "spring", "script_id": "promotion_001", **change}
    answer = await api.ask("POST", "/api/v1/campaigns", json=form)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["fields"][0]["field"] == field
    assert (await api.ask("GET", "/api/v1/campaigns")).json() == []


async def test_a_list_by_http(api: Api) -> None:
    await api.ask("POST", "/api/v1/campaigns", json={"campaign_id": "spring", "script_id": "promotion_001"})
    body = "number,name\n13800000001,张伟\nabc,李娜\n".encode("gbk")
    head = {"Content-Type": "text/csv"}
    answer = await api.ask("POST", "/api/v1/campaigns/spring/import", content=body, headers=head)
    told = answer.json()
    assert (told["new"], told["refused"]) == (1, 1)
    assert told["problems"] == [{"line": 3, "field": "number", "reason": "'a' is not a digit 0-9"}]
    assert "GBK" in told["note"]
    wrong = await api.ask(
        "POST", "/api/v1/campaigns/spring/import", content=b"x", headers={"Content-Type": "image/png"}
    )
    assert wrong.status_code == 415


async def test_customers_and_tags(api: Api) -> None:
    form = {"number": "13800000001", "name": "张伟", "zone": "Asia/Shanghai", "tags": ["vip", "new"]}
    assert (await api.ask("PUT", "/api/v1/customers/1", json=form)).json()["tags"] == ["new", "vip"]
    await api.ask("PUT", "/api/v1/customers/2", json={"number": "13800000002"})
    assert [one["customer_id"] for one in (await api.ask("GET", "/api/v1/customers?tag=vip")).json()] == ["1"]
    assert (await api.ask("PUT", "/api/v1/customers/1/tags", json={"tags": ["old"]})).json()["tags"] == ["old"]
    assert (await api.ask("GET", "/api/v1/customers?after=1")).json()[0]["customer_id"] == "2"
    assert (await api.ask("PUT", "/api/v1/customers/9/tags", json={"tags": []})).status_code == 404


async def test_do_not_call_and_consent(api: Api) -> None:
    listed = {"numbers": ["13800000001", "13800000002"], "list": "state"}
    assert (await api.ask("POST", "/api/v1/do-not-call", json=listed)).json() == {"added": 2}
    assert (await api.ask("POST", "/api/v1/do-not-call", json=listed)).json() == {"added": 0}
    bad = await api.ask("POST", "/api/v1/do-not-call", json={"numbers": ["13800000003", "x"]})
    assert bad.json()["error"]["fields"][0]["field"] == "numbers[1]"
    assert (await api.ask("PUT", "/api/v1/consent/13800000001", json={"given": True})).status_code == 204
    known = (await api.ask("GET", "/api/v1/numbers/13800000001")).json()
    assert known["known"]["consented_at"] == "2026-11-24T04:00:00+00:00"
    assert [one["list"] for one in known["do_not_call"]] == ["state"]
    assert (await api.ask("GET", "/api/v1/numbers/13800000003")).json()["do_not_call"] == []
    assert (await api.ask("DELETE", "/api/v1/do-not-call/state/13800000001")).status_code == 204
    assert (await api.ask("DELETE", "/api/v1/do-not-call/state/13800000001")).status_code == 404


async def test_numbers_by_the_list(api: Api) -> None:
    body, head = b"number\n13800000001\n+86138\n13800000001\n13800000002\n", {"Content-Type": "text/csv"}
    path = "/api/v1/do-not-call/state/import"
    told = (await api.ask("POST", path, content=body, headers=head)).json()
    assert (told["rows"], told["new"], told["known"], told["refused"]) == (4, 2, 1, 1)
    assert told["problems"] == [{"line": 3, "field": "number", "reason": "'+' is not a digit 0-9"}]
    assert (await api.ask("POST", path, content=body, headers=head)).json()["new"] == 0
    agreed = await api.ask("POST", "/api/v1/consent/import?source=form", content=body, headers=head)
    assert agreed.json()["new"] == 2
    known = (await api.ask("GET", "/api/v1/numbers/13800000002")).json()
    assert (known["known"]["consent_source"], [one["list"] for one in known["do_not_call"]]) == ("form", ["state"])
    rows = await api.office.database.run(lambda db: list(db.table("consents").rows))
    assert [(row["number"], row["given"]) for row in rows] == [("13800000001", 1), ("13800000002", 1)]
    other = await api.ask("POST", path, content=b"phone\n1\n", headers=head)
    assert other.status_code == 422
    assert other.json()["error"]["fields"][0]["reason"].startswith("list.csv:1: no column 'number'")
    assert (await api.ask("POST", path, content=b"x", headers={"Content-Type": "image/png"})).status_code == 415


TIMES: dict[str, Any] = {
    "said_from_ms": 120,
    "said_to_ms": 900,
    "heard_from_ms": 1400,
    "heard_to_ms": 1900,
    "endpoint_ms": 180,
    "interpret_ms": 1,
    "reply_ms": 230,
}


async def a_call(office: Office, recording: Path | str) -> None:
    record = CallRecord("c1", "promotion_001", "zh-CN", datetime(2026, 11, 24, tzinfo=UTC), recording=str(recording))
    record.turns.append(Turn(step="hello", said="您好", heard="好", **TIMES))
    await CallStore(office.database).save(record)


async def test_a_call_with_its_recording(api: Api, tmp_path: Path) -> None:
    file = tmp_path / "recordings" / "2026-11-24" / "c1.flac"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"fLaC")
    await a_call(api.office, file)
    turn = (await api.ask("GET", "/api/v1/calls/c1")).json()["turns"][0]
    assert turn["heard"] == "好"
    assert {name: turn[name] for name in TIMES} == TIMES
    assert (await api.ask("GET", "/api/v1/calls")).json()[0]["call_id"] == "c1"
    assert (await api.ask("GET", "/api/v1/calls/c1/recording")).content == b"fLaC"
    assert (await api.ask("GET", "/api/v1/calls/c1/recording", role=Role.VIEWER)).status_code == 403


async def test_what_masking_hid_is_for_admins(api: Api) -> None:
    when = datetime(2026, 11, 24, tzinfo=UTC)
    masked, said = CallRecord("c1", "f", "zh-CN", when), CallRecord("c1", "f", "zh-CN", when)
    masked.turns.append(Turn(heard="我的号码是***"))
    said.turns.append(Turn(heard="我的号码是13800000001"))
    await CallStore(api.office.database).save(masked, said)
    assert "13800000001" not in (await api.ask("GET", "/api/v1/calls/c1")).text
    assert (await api.ask("GET", "/api/v1/calls/c1/original")).status_code == 403
    shown = await api.ask("GET", "/api/v1/calls/c1/original", role=Role.ADMIN)
    assert "13800000001" in shown.text
    assert (await api.ask("GET", "/api/v1/calls/c2/original", role=Role.ADMIN)).status_code == 404


async def test_a_viewer_sees_no_number(api: Api) -> None:
    data = {"card": "6222021234567890", "spare": 13800000001}
    await api.ask("PUT", "/api/v1/customers/1", json={"number": "13800000001", "data": data})
    task_id = (await api.ask("POST", "/api/v1/call/task", json=TASK)).json()["task_id"]
    for path in ("tasks", f"tasks/{task_id}", "customers", "customers/1"):
        shown = (await api.ask("GET", f"/api/v1/{path}", role=Role.VIEWER)).text
        assert "138****0001" in shown, path
        assert "13800000001" not in shown
        assert "6222021234567890" not in shown
        assert "13800000001" in (await api.ask("GET", f"/api/v1/{path}")).text


@pytest.mark.parametrize(
    "data", [{"a": ["x", "\ud83d"]}, {"a": {"b": "x\ny"}}, {"a\n": 1}, {"a": {"b": "${SHELL(x)}"}}]
)
async def test_texts_inside_of_a_customers_data_are_checked(api: Api, data: dict[str, Any]) -> None:
    body = json.dumps({"number": "13800000001", "data": data})
    head = {"Content-Type": "application/json"}
    answer = await api.ask("PUT", "/api/v1/customers/1", content=body, headers=head)
    assert answer.status_code == 422
    assert answer.json()["error"]["fields"][0]["field"].startswith("data")


def test_what_a_viewer_sees_of_other_fields() -> None:
    found = {
        "channel": "Local/13900000201@agi-bot-outbound-00000015;1",
        "appointment_id": "13900000201",
        "task_id": "13900000201-1",
        "said_to_ms": 1_200_000,
        "slots": {"card": 6222020200112233445, "number_of_days": 12, "task_id": "13900000201", "yes": True},
    }
    assert masked("", found) == {
        "channel": "Local/***********@agi-bot-outbound-********;*",
        "appointment_id": "***********",
        "task_id": "13900000201-1",
        "said_to_ms": 1_200_000,
        "slots": {"card": "*" * 19, "number_of_days": 12, "task_id": "***********", "yes": True},
    }


async def test_results_to_take_away(api: Api) -> None:
    await api.ask("POST", "/api/v1/call/task", json=TASK)
    path = "/api/v1/campaigns/promotion_001/results"
    (row,) = (await api.ask("GET", path)).json()
    assert (row["number"], row["state"], row["attempts"], row["slots"]) == ("13800000001", "waiting", 0, {})
    assert (await api.ask("GET", path, role=Role.VIEWER)).json()[0]["number"] == "138****0001"
    table = await api.ask("GET", f"{path}?format=csv&bom=true")
    assert table.content.startswith(b"\xef\xbb\xbftask_id,customer_id,number")
    assert table.headers["content-disposition"] == 'attachment; filename="promotion_001.csv"'
    by_accept = await api.ask("GET", path, headers={"Accept": "text/csv"})
    assert by_accept.headers["content-type"] == "text/csv; charset=utf-8"
    assert (await api.ask("GET", f"{path}?format=xlsx")).content.startswith(b"PK")
    assert (await api.ask("GET", f"{path}?original=true")).status_code == 403
    assert (await api.ask("GET", f"{path}?original=true", role=Role.ADMIN)).status_code == 200
    assert (await api.ask("GET", f"{path}?format=pdf")).status_code == 422
    assert (await api.ask("GET", "/api/v1/campaigns/nothing/results")).status_code == 404


async def test_a_recording_outside_of_its_folder_is_not_given(api: Api, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    await a_call(api.office, tmp_path / "recordings" / ".." / "secret")
    assert (await api.ask("GET", "/api/v1/calls/c1/recording")).status_code == 404


async def test_watching(api: Api) -> None:
    await api.ask("POST", "/api/v1/call/task", json=TASK)
    assert (await api.ask("GET", "/healthz", role=None)).json() == {"status": "ok"}
    assert (await api.ask("GET", "/readyz", role=None)).json()["status"] == "ready"
    text = (await api.ask("GET", "/metrics", role=None)).text
    assert 'agibot_tasks{state="waiting"} 1.0' in text
    assert "agibot_live_calls 2.0" in text
    assert "13800000001" not in text


async def test_a_store_that_cannot_be_written_is_not_ready(api: Api) -> None:
    await api.office.database.run(lambda db: db.execute("PRAGMA query_only = ON"))
    assert (await api.ask("GET", "/readyz", role=None)).status_code == 503
    assert (await api.ask("GET", "/healthz", role=None)).status_code == 200


@pytest.mark.parametrize(
    ("text", "deep"),
    [(b'{"a": "[[[[[["}', 1), (b"[" * 3 + b"]" * 3, 0), (b'["\\"[[[[", [1]]', 2), (b"[[[[[[", 4), (b"[][][][]", 1)],
)
def test_depth_counts_outside_of_text(text: bytes, deep: int) -> None:
    assert depth(text, 3) == deep
