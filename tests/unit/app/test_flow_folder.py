"""The flows folder: a changed file is taken up, a broken one keeps its old version."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from agi_bot.app.flows import FlowFolder

TEXT = "flow: greet\nlanguage: zh-CN\nstart: a\nsteps:\n  a: {say: 您好。, end: done}\n"


def write(path: Path, text: str, age_s: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (1_700_000_000 + age_s, 1_700_000_000 + age_s))


def test_flows_are_found_below_and_tests_are_not(tmp_path: Path) -> None:
    write(tmp_path / "shop" / "a.yaml", TEXT)
    write(tmp_path / "shop" / "tests" / "a.yaml", "- name: not a flow\n")
    folder = FlowFolder(tmp_path)
    folder.refresh()
    assert folder.names() == ["greet"]


def test_a_change_is_taken_up_and_running_calls_keep_theirs(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", TEXT)
    folder = FlowFolder(tmp_path)
    folder.refresh()
    before = folder.get("greet")
    write(tmp_path / "a.yaml", TEXT.replace("您好", "早上好"), age_s=5)
    folder.refresh()
    after = folder.get("greet")
    assert before is not None
    assert after is not None
    assert before.version != after.version
    assert before.script.steps["a"] is not after.script.steps["a"]


def test_a_broken_version_keeps_the_old_one_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "a.yaml", TEXT)
    folder = FlowFolder(tmp_path)
    folder.refresh()
    write(tmp_path / "a.yaml", TEXT.replace("end: done", "nxt: b"), age_s=5)
    with caplog.at_level(logging.ERROR):
        folder.refresh()
        folder.refresh()
    refused = [record for record in caplog.records if record.message == "flow.refused"]
    assert folder.names() == ["greet"]
    assert len(refused) == 1
    assert "a.yaml:5" in str(refused[0].__dict__["reason"])


def test_an_empty_or_missing_folder_has_no_flows(tmp_path: Path) -> None:
    folder = FlowFolder(tmp_path / "nowhere")
    folder.refresh()
    assert folder.names() == []
    assert folder.get("greet") is None
