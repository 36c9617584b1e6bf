"""What runs by the wall clock is tried a second time with everything new, and told; twice failed is failed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TRIED = """
import pytest

made = []

@pytest.fixture(scope="module")
def stage():
    made.append(len(made))
    yield len(made)
    print("taken down", len(made))

@pytest.mark.wall_clock
def test_first(stage):
    assert stage == 1

@pytest.mark.wall_clock
def test_unlucky_once(stage):
    assert stage == 2, "the first stage was spoilt"

@pytest.mark.wall_clock
def test_wrong(stage):
    assert stage == 0

def test_without_the_marker(stage):
    assert not made.append("tried")
    assert "tried" not in made
"""


def run(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    file = folder / "test_tried.py"
    file.write_text(TRIED)
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest"]
    command += ["-p", "no:cacheprovider", f"--basetemp={folder / 'temp'}", *(f"{file}::{name}" for name in names)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_who_was_unlucky_once_passes_and_is_told(tmp_path: Path) -> None:
    done = run(tmp_path, "test_first", "test_unlucky_once")
    assert done.returncode == 0, done.stdout
    assert "2 passed, 1 rerun" in done.stdout
    assert "RERUN" in done.stdout
    assert "the first stage was spoilt" in done.stdout, "nobody overlooks why"


def test_what_fails_twice_or_has_no_marker_fails(tmp_path: Path) -> None:
    wrong = ("test_wrong", "test_without_the_marker")
    done = run(tmp_path, "test_first", "test_unlucky_once", *wrong)
    assert done.returncode == 1, done.stdout
    assert "2 failed, 2 passed, 2 rerun" in done.stdout
    for name in wrong:
        assert f"::{name}" in done.stdout.split("short test summary info")[1]
