"""What agi-bot check says of settings that need no exchange and no engine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agi_bot.app.checkup import turn_taking
from agi_bot.config import Settings
from agi_bot.findings import Level


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
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    said = [line for line in (done.stdout + done.stderr).splitlines() if "Traceback" in line or "limit" in line]
    assert said == ["agi-bot: turns.limits: there is no limit opn_ms"]
