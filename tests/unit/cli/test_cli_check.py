"""``agi-bot check --pbx freeswitch``: what an admin reads who got something wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def check(tmp_path: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "COLUMNS": "300", **{f"AGI_BOT_FREESWITCH__{name}": text for name, text in settings.items()}}
    command = [sys.executable, "-m", "agi_bot", "check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env, check=False, timeout=300)


def test_freeswitch_is_down(tmp_path: Path) -> None:
    done = check(tmp_path, "--pbx", "freeswitch", PASSWORD="secret", PORT="1")
    assert done.returncode == 1
    assert "FreeSWITCH does not answer: 127.0.0.1:1 cannot be reached: Connection refused" in done.stdout
    assert "mod_event_socket" in done.stdout


def test_the_exchange_of_the_option_is_checked_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "agi-bot.yml").write_text("pbx: asterisk\n")
    done = check(tmp_path, "--pbx", "freeswitch")
    assert "there is no password for its event socket" in done.stdout
    assert "Asterisk" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (["--pbx", "freeswich"], {}, ["freeswich", "'freeswitch'"]),
        (["--pbx", "freeswitch"], {"MEDIA": "websocket"}, ["MEDIA", "'audio_fork'", "agi-bot config"]),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: list[str], settings: dict[str, str], words: list[str], tmp_path: Path
) -> None:
    done = check(tmp_path, *arguments, **settings)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert [word for word in words if word not in done.stderr] == []
