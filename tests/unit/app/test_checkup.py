"""What agi-bot check says of settings that need no exchange and no engine."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agi_bot.app.checkup import addresses, script, scripts, turn_taking
from agi_bot.app.understanding import Understanding
from agi_bot.config import Settings
from agi_bot.findings import Level
from agi_bot.flow.versions import Library


def settings(**limits: int) -> Settings:
    return Settings.model_validate({"turns": {"preset": "patient", "limits": limits}})


def test_the_limits_that_are_set_are_told() -> None:
    finding = turn_taking(settings(open_ms=1500))
    assert (finding.level, finding.what) == (Level.OK, "turn-taking: patient, open_ms 1500")


@pytest.mark.parametrize(
    ("limits", "what", "cure"),
    [
        ({"opn_ms": 1500}, "turns.limits: there is no limit opn_ms", "did you mean open_ms?"),
        ({"open_ms": -5}, "turns.limits: open_ms is -5; it is a time in ms, from 0 on", "docs/turns.md"),
    ],
)
def test_a_wrong_limit_is_named(limits: dict[str, int], what: str, cure: str) -> None:
    finding = turn_taking(settings(**limits))
    assert (finding.level, finding.what) == (Level.ERROR, what)
    assert cure in finding.cure


def test_the_bot_does_not_start_with_a_wrong_limit_and_says_why_in_a_line(tmp_path: Path) -> None:
    config = tmp_path / "agi-bot.yml"
    config.write_text("turns: {limits: {opn_ms: 1500}}\nsupervisor: {enabled: false}\n", "utf-8")
    command = [sys.executable, "-m", "agi_bot", "serve", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1
    said = [line for line in (done.stdout + done.stderr).splitlines() if "Traceback" in line or "limit" in line]
    assert said == ["agi-bot: turns.limits: there is no limit opn_ms"]


async def test_a_folder_of_flows_that_is_not_there_or_has_none(tmp_path: Path) -> None:
    wanted = Settings.model_validate({"flows": {"folder": tmp_path / "flowz", "published": tmp_path / "published"}})
    (finding,) = [found async for found in scripts(wanted)]
    assert (finding.level, finding.what) == (Level.ERROR, f"flows: there is no folder {tmp_path / 'flowz'}")
    (tmp_path / "flowz").mkdir()
    (finding,) = [found async for found in scripts(wanted)]
    assert finding.level is Level.WARNING


async def test_a_draft_that_no_call_uses_is_told(tmp_path: Path) -> None:
    path, library = tmp_path / "hello.yaml", Library(tmp_path / "versions")
    text = "flow: hello\nlanguage: zh-CN\nstart: a\nsteps: {a: {say: 再见, end: done}}\n"
    understanding = Understanding(settings())
    path.write_text(text, "utf-8")
    assert "published" not in (await script(understanding, library, path)).what
    library.publish(path, who="x", at=datetime(2026, 11, 24, 9, tzinfo=UTC))
    assert (await script(understanding, library, path)).what.endswith(", published as number 1")
    path.write_text(text.replace("再见", "回头见"), "utf-8")
    found = await script(understanding, library, path)
    assert found.level is Level.WARNING
    assert "calls use number 1" in found.what
    assert "hello.yaml" in found.what
    assert "a draft that differs" in found.what
    assert "agi-bot flow unpublish hello" in found.cure


def test_a_hook_without_an_address_is_told(tmp_path: Path) -> None:
    path = tmp_path / "hello.yaml"
    steps = "{a: {call: shop.ship, next: b}, b: {call: shop.note, say: 再见, end: done}}"
    path.write_text(f"flow: hello\nlanguage: zh-CN\nstart: a\nsteps: {steps}\n", "utf-8")
    known = Settings.model_validate({"hooks": {"shop.note": "https://shop.example/note"}})
    assert known.hooks["shop.note"].url == "https://shop.example/note"
    (found,) = addresses(known, path)
    assert (found.level, "hook shop.ship has no address" in found.what) == (Level.WARNING, True)
