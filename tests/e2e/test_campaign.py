"""A campaign as it is run: REST request, real Asterisk, conversations, retries, CRM, report."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from agi_bot.campaign.store.reports import CampaignReport
from agi_bot.demo.campaign import run_campaign
from agi_bot.demo.installation import Installation
from agi_bot.demo.people import cast
from agi_bot.demo.theatre import AsteriskTheatre

PEOPLE = 10
"""One of each part."""

pytestmark = [pytest.mark.asterisk, pytest.mark.wall_clock]


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory, asterisk_installation: Installation
) -> tuple[CampaignReport, Path, str]:
    folder = tmp_path_factory.mktemp("campaign")
    console = Console(record=True, width=120)
    report = run_campaign(PEOPLE, folder, console, AsteriskTheatre(asterisk_installation))
    return report, folder, console.export_text()


def test_everybody_ends_as_they_behave(ran: tuple[CampaignReport, Path, str]) -> None:
    report, _, _ = ran
    once = ("confirmed", "rescheduled", "refused", "call_later", "transferred", "busy", "no_answer", "message_left")
    assert report.ends == {**dict.fromkeys(once, 1), "invalid_number": 2}
    assert (report.attempts, report.answered) == (PEOPLE, 6)
    assert report.tasks == {"done": 7, "waiting": 3}, "busy, unanswered and called-later people wait for another call"


def test_each_call_is_its_attempt_with_turns_and_recording(ran: tuple[CampaignReport, Path, str]) -> None:
    _, folder, _ = ran
    with sqlite3.connect(folder / "agi-bot.db") as db:
        query = "SELECT direction, recording FROM calls JOIN attempts ON attempt_id = call_id"
        calls = db.execute(query).fetchall()
        allowed = db.execute("SELECT count(*) FROM decisions WHERE moment = 'dial' AND allowed = 1").fetchone()[0]
        listed = db.execute("SELECT list FROM do_not_call").fetchall()
        unallocated = db.execute("SELECT count(*) FROM numbers WHERE unallocated = 1").fetchone()[0]
    db.close()
    assert [direction for direction, _ in calls] == ["outbound"] * 6
    assert all(Path(recording).stat().st_size > 1000 for _, recording in calls)
    assert allowed == PEOPLE
    assert listed == [("own",)]
    assert unallocated == 2, "one by its cause, one by what the network said of it"


def test_who_asked_for_tomorrow_afternoon_is_called_then(ran: tuple[CampaignReport, Path, str]) -> None:
    _, folder, _ = ran
    with sqlite3.connect(folder / "agi-bot.db") as db:
        query = "SELECT due_at, updated_at, state FROM tasks WHERE outcome = 'call_later'"
        ((due_at, ended_at, state),) = db.execute(query).fetchall()
    db.close()
    due, ended = (datetime.fromtimestamp(at, ZoneInfo("Asia/Shanghai")) for at in (due_at, ended_at))
    assert (due.date() - ended.date(), due.hour, due.minute) == (timedelta(days=1), 15, 0)
    assert state == "waiting"


def test_machine_and_announcement_are_known_for_what_they_are(ran: tuple[CampaignReport, Path, str]) -> None:
    report, folder, _ = ran
    assert report.answered_by == {"human": 5, "network": 4, "machine": 1}
    with sqlite3.connect(folder / "agi-bot.db") as db:
        query = "SELECT answered_by_why, said FROM calls JOIN turns USING (call_id) WHERE outcome = 'message_left'"
        machine = db.execute(f"{query} ORDER BY number DESC LIMIT 1").fetchone()
        query = "SELECT how, cause, answered_by_why FROM attempts WHERE number LIKE '139%'"
        empty = db.execute(query).fetchall()
    db.close()
    assert machine[0].startswith("words: ")
    assert machine[1].endswith("请您回电确认复诊预约，谢谢。")
    assert empty == [("invalid_number", 19, "words: 空号")], "the cause alone says no answer"
    assert not list((folder / "early-media").iterdir()), "nothing of it is kept"


def test_the_crm_knows_every_attempt_once(ran: tuple[CampaignReport, Path, str]) -> None:
    _, folder, text = ran
    assert f"told to the CRM  {PEOPLE} results" in text
    with sqlite3.connect(folder / "agi-bot.db") as db:
        rows = db.execute("SELECT state, payload FROM outbox").fetchall()
    db.close()
    assert [state for state, _ in rows] == ["delivered"] * PEOPLE
    moved = next(one for one in (json.loads(payload) for _, payload in rows) if one["outcome"] == "rescheduled")
    assert moved["result_class"] == "已改期"
    assert "T15:00" in moved["slots"]["new_time"]
    assert moved["talk_s"] > 5
    assert 0 < moved["endpoint_ms"] <= moved["reply_ms"] < 5000


def test_the_report_is_one_file(ran: tuple[CampaignReport, Path, str]) -> None:
    _, folder, _ = ran
    page = (folder / "campaign.html").read_text(encoding="utf-8")
    assert "复诊预约提醒" in page
    assert page.count("<svg") >= 5
    assert "What a turn costs" in page
    assert "http" not in page


def test_a_cast_has_every_part() -> None:
    assert len({person.part.name for person in cast(20)}) == 10
    assert [person.part.name for person in cast(20)].count("agrees") == 4
