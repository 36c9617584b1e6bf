"""Moments have one form in all answers, and what others fill is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from agi_bot.campaign.model import AttemptEnd
from agi_bot.campaign.retry import Done
from agi_bot.web.keys import Role
from agi_bot.web.times import TIMES, rfc3339, with_times
from tests.unit.web.conftest import NOON, Api

NUMBER = "13800000001"
PATHS = (
    "tasks", "tasks/{task}", f"numbers/{NUMBER}", "outbox?state=waiting", "campaigns", "campaigns/spring",
    "campaigns/spring/report", "campaigns/spring/results", "customers", "customers/7", "appointments", "calls",
)  # fmt: skip


async def lived(api: Api) -> str:
    """A campaign in which everything has happened once; the id of its task."""
    await api.ask(
        "POST", "/api/v1/campaigns", json={"campaign_id": "spring", "script_id": "promotion_001", "remind": ["2h"]}
    )
    await api.ask("PUT", "/api/v1/customers/7", json={"number": NUMBER})
    form = {"customer_id": "7", "script_id": "promotion_001", "campaign_id": "spring", "data": {"name": "at"}}
    task_id: str = (await api.ask("POST", "/api/v1/call/task", json=form)).json()["task_id"]
    event = {"campaign_id": "spring", "customer_id": "7", "event_time": "2026-12-03T09:30:00"}
    await api.ask("PUT", "/api/v1/appointments/a1", json=event)
    store = api.office.tasks
    (campaign,) = await store.campaigns()
    task = await store.task(task_id)
    assert task is not None
    assert await store.begin(task, campaign, "a1", "me", NOON) is not None
    await store.end(task, "a1", AttemptEnd("refused", NOON + 20, answered=True, refused=True), Done("had"))
    await api.ask("POST", "/api/v1/do-not-call", json={"numbers": [NUMBER]})
    await api.ask("PUT", f"/api/v1/consent/{NUMBER}", json={"given": True})
    return task_id


def moments(found: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(found, dict):
        for key, value in found.items():
            yield from moments(value, key)
    elif isinstance(found, list):
        for value in found:
            yield from moments(value, name)
    elif (name in TIMES or name.endswith(("_at", "_time"))) and found is not None:
        yield name, found


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
async def test_every_moment_is_told_with_its_offset(api: Api, role: Role) -> None:
    task_id = await lived(api)
    told = []
    for path in PATHS:
        if role is Role.VIEWER and path.startswith("outbox"):
            continue
        answer = await api.ask("GET", f"/api/v1/{path.format(task=task_id)}", role=role)
        assert answer.status_code == 200, answer.text
        told += list(moments(answer.json()))
    assert {"due_at", "created_at", "updated_at", "placed_at", "ended_at", "at"} <= {name for name, _ in told}
    assert {"refused_at", "consented_at", "added_at", "event_time"} <= {name for name, _ in told}
    wrong = [(name, value) for name, value in told if datetime.fromisoformat(value).tzinfo is None]
    assert wrong == []


def test_the_millisecond_stays() -> None:
    assert rfc3339(NOON + 0.1234) == "2026-11-24T04:00:00.123000+00:00"


def test_what_others_fill_is_left_alone() -> None:
    row = {"at": 0, "data": {"at": 5, "due_at": 6}, "slots": {"until": 7}, "not_after": None, "attempts": [{"at": 1}]}
    told = with_times(row)
    assert (told["data"], told["slots"], told["not_after"]) == (row["data"], row["slots"], None)
    assert (told["at"], told["attempts"]) == ("1970-01-01T00:00:00+00:00", [{"at": "1970-01-01T00:00:01+00:00"}])
