"""Campaigns that are made and not started yet."""

from __future__ import annotations

import pytest

from tests.unit.web.conftest import Api


@pytest.mark.parametrize(
    ("more", "state"), [({}, "running"), ({"start": True}, "running"), ({"start": False}, "paused")]
)
async def test_a_campaign_is_started_when_that_is_wanted(api: Api, more: dict[str, bool], state: str) -> None:
    form = {"campaign_id": "spring", "script_id": "promotion_001", **more}
    made = await api.ask("POST", "/api/v1/campaigns", json=form)
    assert (made.status_code, made.json()["state"]) == (201, state)
    resumed = await api.ask("POST", "/api/v1/campaigns/spring/resume")
    assert resumed.json()["state"] == "running"
