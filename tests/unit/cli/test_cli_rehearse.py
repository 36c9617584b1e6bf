"""Rehearsing and replaying, through the real command line."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from agi_bot.campaign.store import CallStore, Database
from agi_bot.cli.sound import _frames
from agi_bot.errors import SpeechError
from agi_bot.flow.stored import record_of
from agi_bot.record import CallRecord

from .conftest import GOOD


class TestRehearse:
    def test_lines_from_a_pipe(self, run, place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        typed = tmp_path / "typed"
        typed.write_text("/where\n/slots\n\n可以\n", encoding="utf-8")
        with typed.open(encoding="utf-8") as lines:
            monkeypatch.setattr(sys, "stdin", lines)
            status, out = run("rehearse", "hello", "--set", "name=李四", "--now", "2026-11-24T09:00")
        assert status == 0
        assert "李四" in out
        assert "您好？" in out
        assert "→ affirm" in out
        assert "outcome done" in out

    def test_knowledge_answers_and_its_names_are_checked(
        self, run, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = "answers:\n- {id: open, questions: [你们几点开门, 几点关门], answer: 九点到五点。}\n"
        (place / "knowledge").mkdir()
        (place / "knowledge" / "hours.yml").write_text(text, encoding="utf-8")
        assert "unused-knowledge" in run("flow", "check")[1]
        (place / "hello.yaml").write_text(
            GOOD.replace("anywhere: {", "anywhere: {question: {knowledge: hours, then: return}, "), encoding="utf-8"
        )
        assert run("flow", "check")[1] == "1 flow: 0 errors, 0 warnings\n"
        monkeypatch.setattr(sys, "stdin", io.StringIO("你们几点开门\n"))
        assert "九点到五点" in run("rehearse", "hello")[1]
        (place / "hello.yaml").write_text(
            (place / "hello.yaml").read_text(encoding="utf-8").replace("hours", "ours"), encoding="utf-8"
        )
        assert "did you mean `hours`?" in run("flow", "check")[1]

    @pytest.mark.parametrize(
        ("words", "told", "outcome"),
        [
            ((), "hook crm.fee: nothing answers in a rehearsal, so it has failed", "later"),
            (("--hook", 'crm.fee={"money": 3}'), "hook crm.fee: the answer lacks fee, so it has failed", "later"),
            (("--hook", 'crm.fee={"fee": 3}'), "运费三元", "done"),
        ],
    )
    def test_a_hook_says_what_it_answers(self, run, place: Path, words, told, outcome, monkeypatch) -> None:
        call = "{call: {hook: crm.fee, save: {fee: money}, failed: {say: 稍后告诉您。, end: later}}, say: '运费{fee}。'"
        text = GOOD.replace("bye: {say: 再见。", f"bye: {call}")
        (place / "hello.yaml").write_text(text, encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", io.StringIO("可以\n"))
        status, out = run("rehearse", "hello", *words)
        assert status == 0
        assert told in out
        assert f"outcome {outcome}" in out

    def test_a_hook_that_is_taken_as_done_is_named(self, run, place: Path, monkeypatch) -> None:
        (place / "hello.yaml").write_text(GOOD.replace("bye: {", "bye: {call: crm.note, "), encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", io.StringIO("/hook crm.note {x\n可以\n"))
        out = run("rehearse", "hello")[1]
        assert "the hook's answer {x is not JSON" in out
        assert "hook crm.note: nothing answers in a rehearsal, it is taken as done; /hook crm.note {}" in out
        assert "outcome done" in out

    def test_a_broken_answer_of_a_hook(self, run, place: Path) -> None:
        status, out = run("rehearse", "hello", "--hook", "crm.fee={fee: 3}")
        assert status != 0
        assert "{fee: 3} is not JSON" in out
        assert "names in double quotes" in out

    def test_a_draft_that_no_call_uses_is_told(self, run, place: Path, monkeypatch) -> None:
        assert run("flow", "publish", str(place / "hello.yaml"), "--no-prompts")[0] == 0
        monkeypatch.setattr(sys, "stdin", io.StringIO("/quit\n"))
        assert "calls use" not in run("rehearse", "hello")[1]
        (place / "hello.yaml").write_text(GOOD.replace("再见。, end: done", "回头见。, end: done"), encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", io.StringIO("可以\n"))
        out = run("rehearse", "hello")[1]
        assert "calls use number 1" in out
        assert "is a draft that differs; you rehearse the file" in out
        assert "回头见" in out
        assert "its file holds" in run("flow", "unpublish", "hello")[1]
        monkeypatch.setattr(sys, "stdin", io.StringIO("/quit\n"))
        assert "calls use" not in run("rehearse", "hello")[1]

    def test_wrong_task_data(self, run, place: Path) -> None:
        status, out = run("rehearse", "hello", "--set", "nmae=x")
        assert status != 0
        assert "unknown field `nmae`" in out


CALL = {
    "call_id": "c-1", "flow": "hello", "started_at": "2026-11-24T09:00:00+08:00", "outcome": "done", "ended_by": "bot",
    "task": {"name": "张伟"}, "turns": [{"step": "bye", "heard": "可以", "intent": "affirm"}],
}  # fmt: skip


class TestReplay:
    def test_the_same_and_another_version(self, run, place: Path, tmp_path: Path) -> None:
        Path("call.json").write_text(json.dumps([CALL], ensure_ascii=False), encoding="utf-8")
        assert run("replay", "call.json", "--differing") == (0, "1 calls, 1 the same, 0 would differ\n")
        other = tmp_path / "other.yaml"
        other.write_text(GOOD.replace("end: done", "end: finished"), encoding="utf-8")
        status, out = run("replay", "call.json", "--flow", str(other))
        assert status == 1
        assert "1 × done → finished" in out
        assert json.loads(run("replay", "call.json", "--flow", str(other), "--format", "json")[1])[0]["outcome"] == [
            "done",
            "finished",
        ]

    def test_what_is_no_call(self, run, place: Path) -> None:
        Path("call.json").write_text("{}", encoding="utf-8")
        status, out = run("replay", "call.json")
        assert status != 0
        assert "not a stored call" in out

    def test_calls_from_the_store(self, run, place: Path) -> None:
        asyncio.run(_keep(record_of(CALL)))
        assert run("replay") == (0, run("replay", "c-1")[1])
        assert "1 the same" in run("replay", "c-1")[1]
        assert "no stored call c-2" in run("replay", "c-2")[1]


async def _keep(record: CallRecord) -> None:
    database = Database(Path("agi-bot-data/agi-bot.db"))
    await database.open()
    await CallStore(database).save(record)
    await database.close()


class TestSound:
    def test_a_part_of_one_channel(self, tmp_path: Path) -> None:
        both = np.stack([np.arange(8000), -np.arange(8000)], axis=1).astype(np.int16)
        soundfile.write(tmp_path / "x.wav", both, 8000)
        frames = list(_frames(tmp_path / "x.wav", 250, 500, 1))
        samples = np.concatenate([frame.samples for frame in frames])
        assert len(samples) == 2000
        assert samples[0] == -2000
        assert sum(frame.ms for frame in frames) == 250

    def test_beyond_the_end_there_is_nothing(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "x.wav", np.zeros(800, np.int16), 8000)
        assert list(_frames(tmp_path / "x.wav", 5000, 6000, 1)) == []

    def test_what_is_no_sound(self, tmp_path: Path) -> None:
        (tmp_path / "x.wav").write_text("text")
        with pytest.raises(SpeechError, match="cannot be heard"):
            list(_frames(tmp_path / "x.wav", 0, None, 0))
