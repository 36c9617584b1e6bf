"""Appointments over HTTP."""

from __future__ import annotations

from agi_bot.web.keys import Role
from tests.unit.web.conftest import Api

FORM = {"campaign_id": "courses", "customer_id": "7", "event_time": "2026-12-03T09:30", "number": "13800000001"}


async def a_campaign(api: Api) -> None:
    form = {"campaign_id": "courses", "script_id": "promotion_001", "remind": ["3d@10:00", "1d@10:00"]}
    made = await api.ask("POST", "/api/v1/campaigns", json=form)
    assert made.status_code == 201, made.text
    assert made.json()["remind"] == ["3d@10:00", "1d@10:00"]


async def test_from_put_to_cancel(api: Api) -> None:
    await a_campaign(api)
    made = (await api.ask("PUT", "/api/v1/appointments/c-1", json=FORM)).json()
    assert (made["new"], made["withdrawn"], made["left_out"]) == (2, 0, [])
    assert made["event_time"] == "2026-12-03T09:30:00+08:00"
    assert [task["call_time"] for task in made["tasks"]] == ["2026-11-30T02:00:00+00:00", "2026-12-02T02:00:00+00:00"]
    moved = await api.ask("PUT", "/api/v1/appointments/c-1", json={**FORM, "event_time": "2026-12-04T09:30+08:00"})
    assert (moved.json()["new"], moved.json()["withdrawn"]) == (2, 2)
    kept = (await api.ask("GET", "/api/v1/appointments?campaign_id=courses")).json()
    assert [one["appointment_id"] for one in kept] == ["c-1"]
    gone = (await api.ask("DELETE", "/api/v1/appointments/c-1")).json()
    assert gone["state"] == "cancelled"
    assert {task["state"] for task in gone["tasks"]} == {"cancelled"}
    assert gone["tasks"][-1]["reason"] == "cancelled by operator"


async def test_what_is_not_there_and_who_may_not(api: Api) -> None:
    await a_campaign(api)
    for method in ("GET", "DELETE"):
        assert (await api.ask(method, "/api/v1/appointments/c-9")).status_code == 404
    assert (await api.ask("PUT", "/api/v1/appointments/c-1", role=Role.VIEWER, json=FORM)).status_code == 403
    bad = await api.ask("PUT", "/api/v1/appointments/c-1", json={**FORM, "repeat": "hourly"})
    assert bad.status_code == 422
    assert bad.json()["error"]["fields"][0]["field"] == "repeat"


async def test_a_viewer_sees_no_number(api: Api) -> None:
    await a_campaign(api)
    await api.ask("PUT", "/api/v1/appointments/c-1", json=FORM)
    shown = (await api.ask("GET", "/api/v1/appointments/c-1", role=Role.VIEWER)).json()
    assert shown["number"] == "138****0001"
    assert (await api.ask("GET", "/api/v1/appointments/c-1")).json()["number"] == "13800000001"
