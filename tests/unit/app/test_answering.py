"""The plan for an answer, early media, and the settings that say so."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agi_bot.app.answering import EarlyMedia, answer_rules, plan
from agi_bot.app.placer import had
from agi_bot.campaign.intake import Refused
from agi_bot.campaign.model import Campaign
from agi_bot.campaign.office import check_answering
from agi_bot.campaign.store import rules_json
from agi_bot.campaign.wording import Wishes, campaign, shown
from agi_bot.config import Settings
from agi_bot.contracts import Disposition, Status
from agi_bot.flow import Flow, load_text
from agi_bot.record import CallRecord
from agi_bot.speech.answering import AnswerRules

FLOW = """\
flow: reminder
task:
  name: text
  at: time
start: greet
steps:
  greet:
    say: 您好，{name}。
    next: bye
  bye:
    end: done
  note:
    say: 我是医院，请{name}回电。
    end: done
"""
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
TASK = {"name": "张伟", "at": datetime(2026, 11, 21, 9).time()}


@pytest.fixture
def flow() -> Flow:
    return load_text(FLOW, "reminder.yaml")


def words(spans: object) -> str:
    return "".join(span.text for span in spans)  # type: ignore[attr-defined]


def test_a_message_is_a_text_or_a_step(flow: Flow) -> None:
    made = plan(AnswerRules("leave_message", message="{name}，{at}见。", introduction="note"), flow, TASK, NOW)
    assert made.on_machine == "leave_message"
    assert words(made.message).startswith("张伟")
    assert "九点" in words(made.message)
    assert words(made.introduction) == "我是医院，请张伟回电。"


@pytest.mark.parametrize("message", ["", "{unknown}", "bye"])
def test_without_a_message_that_can_be_said_a_machine_is_hung_up_on(flow: Flow, message: str) -> None:
    assert plan(AnswerRules("leave_message", message=message), flow, TASK, NOW).on_machine == "hang_up"


@pytest.mark.parametrize(
    ("rules", "field", "reason"),
    [
        (AnswerRules("shout"), "answering_machine", "hang_up, leave_message, continue"),
        (AnswerRules("leave_message"), "message", "needs a message"),
        (AnswerRules("leave_message", message="请{nobody}回电"), "message", "it has: name, at"),
        (AnswerRules(introduction="bye"), "introduction", "says nothing"),
        (AnswerRules("leave_message", message="请{回电"), "message", "{"),
    ],
)
def test_what_cannot_be_done_is_refused_with_field_and_cure(
    flow: Flow, rules: AnswerRules, field: str, reason: str
) -> None:
    with pytest.raises(Refused) as refused:
        check_answering(flow, rules)
    assert refused.value.problems[0].field == field
    assert reason in refused.value.problems[0].reason


def test_a_campaign_keeps_what_it_was_told() -> None:
    wishes = Wishes(answering_machine="leave_message", message="请回电", listen_to_early_media=False)
    made = campaign("c1", "reminder", wishes, Campaign("", "", answering=AnswerRules(by_timing=True)))
    assert made.answering == AnswerRules("leave_message", "请回电", by_timing=True, early_media=False)
    told = shown(made)
    assert (told["answering_machine"], told["message"], told["machine_by_timing"]) == ("leave_message", "请回电", True)
    row = {"campaign_id": "c1", "flow": "reminder", "title": "", "zone": "UTC", "trunk": "", "caller_id": ""}
    assert rules_json.load({**row, "state": "running", "rules": rules_json.dump(made)}).answering == made.answering


def test_the_settings_are_the_defaults() -> None:
    settings = Settings.model_validate({"campaigns": {"answering_machine": "continue", "machine_by_timing": True}})
    assert answer_rules(settings) == AnswerRules("continue", by_timing=True)


@pytest.mark.parametrize("path", ["/tmp/a b", "/tmp/a,b", "/tmp/a'b"])
def test_a_folder_that_would_break_a_command_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="letters, digits"):
        Settings.model_validate({"campaigns": {"early_media_folder": path}})


def test_early_media_has_one_file_a_call_or_none(tmp_path: Path) -> None:
    assert EarlyMedia(tmp_path / "x").file("id", AnswerRules()) == tmp_path / "x" / "id.wav"
    assert EarlyMedia(tmp_path).file("id", AnswerRules(early_media=False)) is None
    assert EarlyMedia(None).file("id", AnswerRules()) is None
    (tmp_path / "file").write_text("")
    assert EarlyMedia(tmp_path / "file" / "x").file("id", AnswerRules()) is None


def test_a_network_after_the_answer_is_no_answer() -> None:
    record = CallRecord("a1", "reminder", "zh-CN", NOW, outcome="invalid_number", answered_by="network")
    end = had(record, Disposition(Status.ANSWERED), ZoneInfo("UTC"), 1.0)
    assert (end.how, end.answered, end.answered_by) == ("invalid_number", False, "network")
    record = CallRecord("a1", "reminder", "zh-CN", NOW, outcome="machine", answered_by="machine")
    assert had(record, Disposition(Status.ANSWERED), ZoneInfo("UTC"), 1.0).answered
