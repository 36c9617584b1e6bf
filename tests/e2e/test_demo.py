"""The demo as a user runs it: a real Asterisk, the real recogniser, voice and interpreter, in both languages."""

from __future__ import annotations

import json
import sqlite3
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import soundfile as sf
from rich.console import Console

from agi_bot.demo.freeswitch import find_binary
from agi_bot.demo.installation import Installation
from agi_bot.demo.scenario import scenario
from agi_bot.demo.show import run_demo
from agi_bot.demo.theatre import AsteriskTheatre, BuiltinTheatre, FreeswitchTheatre

pytestmark = pytest.mark.wall_clock


@pytest.fixture(
    scope="module",
    params=[pytest.param("zh", marks=pytest.mark.asterisk), pytest.param("en", marks=pytest.mark.asterisk)],
)
def shown(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, asterisk_installation: Installation
) -> tuple[dict[str, Any], Path, str]:
    folder = tmp_path_factory.mktemp(f"demo-{request.param}")
    console = Console(record=True, width=160)
    run_demo(scenario(request.param), folder, console, AsteriskTheatre(asterisk_installation))
    data = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return data, folder, console.export_text()


def test_the_appointment_is_moved(shown: tuple[dict[str, Any], Path, str]) -> None:
    data, _, _ = shown
    when = datetime.fromisoformat(data["slots"]["new_time"])
    assert data["outcome"] == "rescheduled"
    assert when.hour == 15
    assert date.today() + timedelta(days=1) <= when.date() <= date.today() + timedelta(days=3)
    assert data["crm_received"][0]["appointment"].startswith(data["slots"]["new_time"][:16])


def test_the_report_names_the_real_parts(shown: tuple[dict[str, Any], Path, str]) -> None:
    data, _, _ = shown
    assert data["pbx"]["name"] == "asterisk"
    assert int(data["pbx"]["version"].split(".")[0]) >= 18
    assert data["recognizer"].startswith("vosk:")
    assert data["voice"].startswith("espeak-ng")
    assert data["nlu"].startswith("embedded")
    assert data["channel"].startswith("Local/")


def test_every_turn_has_its_reply_time(shown: tuple[dict[str, Any], Path, str]) -> None:
    data, _, _ = shown
    answered = [turn for turn in data["turns"] if turn["heard"]]
    assert [turn["intent"] for turn in answered] == ["reschedule", "affirm"]
    assert all(turn["confidence"] > 0.5 for turn in answered)
    assert all(isinstance(turn["reply_ms"], int) for turn in answered)
    assert [note for turn in data["turns"] for note in turn["notes"]] == [], "nothing is wrong with this line"


def test_the_call_was_asked_for_over_http(shown: tuple[dict[str, Any], Path, str]) -> None:
    data, _, text = shown
    task = data["task"]
    assert set(task["request"]) == {"customer_id", "script_id", "call_time"}
    assert task["url"].endswith("/api/v1/call/task")
    assert (task["status"], task["state"]) == (201, "done")
    assert [(one["attempt_id"], one["how"]) for one in task["attempts"]] == [(data["call_id"], "rescheduled")]
    assert f"201 {task['task_id']}" in text
    assert data["crm_received"][-1]["task_id"] == task["task_id"]


def test_prometheus_would_have_read_the_call(shown: tuple[dict[str, Any], Path, str]) -> None:
    data, folder, _ = shown
    text = (folder / "metrics.txt").read_text("utf-8")
    found = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    replies = [turn["reply_ms"] for turn in data["turns"] if turn["reply_ms"] is not None]
    assert found['agibot_calls_total{direction="outbound",outcome="rescheduled"}'] == "1.0"
    assert float(found["agibot_reply_seconds_count"]) == len(replies)
    assert float(found["agibot_reply_seconds_sum"]) == pytest.approx(sum(replies) / 1000)
    assert float(found["agibot_talk_seconds_sum"]) > 5
    assert found['agibot_attempts_total{how="rescheduled"}'] == "1.0"
    assert found["agibot_answer_rate"] == "1.0"
    assert found['agibot_tasks{state="done"}'] == "1.0"
    assert found['agibot_outbox_sendings_total{receiver="crm",result="delivered"}'] == "1.0"
    assert (found["agibot_live_calls"], found['agibot_queue_depth{queue="claimed"}']) == ("0.0", "0.0")


def test_the_recording_has_both_sides(shown: tuple[dict[str, Any], Path, str]) -> None:
    data, _, _ = shown
    sound, rate = sf.read(data["recording"])
    assert rate == 8000
    assert sound.shape[1] == 2
    assert (abs(sound) > 0.05).any(axis=0).all()


def test_the_call_is_in_the_database(shown: tuple[dict[str, Any], Path, str]) -> None:
    data, folder, _ = shown
    with sqlite3.connect(folder / "agi-bot.db") as db:
        row = db.execute(
            "SELECT outcome, ended_by, direction FROM calls WHERE call_id = ?", [data["call_id"]]
        ).fetchone()
        turns = db.execute("SELECT count(*) FROM turns WHERE heard != ''").fetchone()
    db.close()
    assert row == ("rescheduled", "bot", "outbound")
    assert turns == (2,)


def test_the_terminal_shows_the_conversation(shown: tuple[dict[str, Any], Path, str]) -> None:
    _, _, text = shown
    assert "demo model" in text
    assert "reschedule" in text
    assert "ms after the caller's last sound" in text
    assert "report.json" in text


@pytest.mark.freeswitch
def test_the_same_flow_on_freeswitch(tmp_path: Path) -> None:
    binary = find_binary()
    if binary is None:
        pytest.skip("no FreeSWITCH: neither FREESWITCH nor the PATH names one")
    data = run_demo(scenario("zh"), tmp_path, Console(record=True, width=160), FreeswitchTheatre(binary))
    assert data["pbx"]["name"] == "freeswitch"
    assert data["pbx"]["version"].startswith("1.")
    assert data["task"]["status"] == 201
    assert data["outcome"] == "rescheduled"


def test_without_any_asterisk_the_built_in_caller_plays(tmp_path: Path) -> None:
    console = Console(record=True, width=160)
    data = run_demo(scenario("zh"), tmp_path, console, BuiltinTheatre())
    assert data["pbx"]["name"] == "builtin"
    assert data["task"] is None, "there is no exchange that could dial"
    assert data["outcome"] == "rescheduled"
    assert (tmp_path / "telephone.wav").stat().st_size > 100_000
