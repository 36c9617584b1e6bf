"""A campaign's report tells what it is, when it called, and counts calls that are over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agi_bot.campaign.model import Campaign, Task
from agi_bot.campaign.report_html import html
from agi_bot.campaign.store import CallStore, Database
from agi_bot.campaign.store.reports import ReportStore
from agi_bot.campaign.store.tasks import TaskStore
from agi_bot.record import CallRecord

NOON = datetime(2026, 11, 24, 4, tzinfo=UTC).timestamp()
TASK = Task("t1", "spring", "13800000001", "promotion", due_at=NOON)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "a.db")
    await opened.open()
    yield opened
    await opened.close()


async def test_script_period_and_hours_by_the_campaign_s_clock(database: Database) -> None:
    store, campaign = TaskStore(database), Campaign("spring", "promotion", title="春季活动", zone="Asia/Tokyo")
    await store.save_campaign(campaign)
    await store.add([TASK], NOON)
    began = await store.begin(TASK, campaign, "a1", "dialer", NOON)
    assert began is not None
    assert began.allowed
    going_on = CallRecord("a1", "promotion", "zh-CN", datetime.fromtimestamp(NOON, UTC))
    await CallStore(database).begun(going_on, "life-1")
    report = await ReportStore(database).campaign("spring")
    assert (report.answered, report.outcomes) == (0, {}), "a call that goes on has no outcome yet"
    assert (report.script_id, report.first_call) == ("promotion", "2026-11-24T13:00:00+09:00")
    page = html(report, "2026-11-24 14:00 JST")
    head = page.partition("<div")[0].partition("</style>")[2]
    assert "calls from 2026-11-24 13:00 to 2026-11-24 13:00" in head
    assert "times of Asia/Tokyo" in head
    assert "spring" in head
    assert "made 2026-11-24 14:00 JST" in head
