"""What the API shows of a call's recording."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agi_bot.campaign.store import CallStore
from agi_bot.record import CallRecord
from agi_bot.web.keys import Role
from tests.unit.web.conftest import Api


@pytest.mark.parametrize(
    ("kept", "shown"),
    [("recordings/2026-11-24/c1.flac", "2026-11-24/c1.flac"), ("elsewhere/c1.flac", "c1.flac"), ("", "")],
)
async def test_nobody_is_told_where_recordings_lie_on_the_disk(api: Api, tmp_path: Path, kept: str, shown: str) -> None:
    recording = str(tmp_path / kept) if kept else ""
    record = CallRecord("c1", "promotion_001", "zh-CN", datetime(2026, 11, 24, tzinfo=UTC), recording=recording)
    await CallStore(api.office.database).save(record)
    for role in (Role.VIEWER, Role.OPERATOR):
        one = await api.ask("GET", "/api/v1/calls/c1", role=role)
        many = await api.ask("GET", "/api/v1/calls", role=role)
        assert str(tmp_path) not in one.text + many.text
    assert (one.json()["recording"], many.json()[0]["recording"]) == (shown, shown)
