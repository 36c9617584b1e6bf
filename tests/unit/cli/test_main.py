"""The command line: every command starts, errors are one line with a cure, and nothing heavy is loaded for nothing."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer

from agi_bot import __version__
from agi_bot.cli.groups import COMMANDS, GROUPS


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agi_bot", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, timeout=300)


def test_version() -> None:
    assert run("--version").stdout == f"agi-bot {__version__}\n"


def test_help_names_every_command() -> None:
    text = run("--help").stdout
    assert [name for name in (*COMMANDS, *GROUPS) if f"  {name}" not in text] == []


@pytest.mark.parametrize("name", GROUPS)
def test_every_group_has_its_module(name: str) -> None:
    module, said = GROUPS[name]
    assert isinstance(import_module(module).app, typer.Typer)
    assert said.endswith(".")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_function(name: str) -> None:
    module, function, said = COMMANDS[name]
    assert callable(getattr(import_module(module), function))
    assert said.endswith(".")


def test_the_version_loads_no_engine() -> None:
    code = (
        "import sys; sys.argv = ['agi-bot', '--version']\n"
        "from agi_bot.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'vosk', 'onnxruntime', 'sklearn', 'yaml'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["call", "1000", "greet", "--set", "name"], ["--set name", "name=value"]),
        (["call", "138abc", "greet", "--config", "nowhere.yml"], ["'138abc' is not a number", "digits 0-9, * and #"]),
        (["call", "１３８００１３８０００", "greet", "--config", "nowhere.yml"], ["half-width signs: 13800138000"]),
        (["call", "138-0013 8000", "greet", "--config", "nowhere.yml"], ["without blanks and signs: 13800138000"]),
        (["call", "+8613800138000", "nosuch"], ["there is no flow 'nosuch'", "the flows folder has: none"]),
        (["check", "--config", "nowhere.yml"], ["nowhere.yml", "agi-bot config"]),
        (["serve", "--config", "nowhere.yml"], ["nowhere.yml"]),
        (["demo", "--language", "fr"], ["'fr'", "--language zh"]),
        (["demo", "--pbx", "kamailio"], ["kamailio", "asterisk"]),
    ],
)
def test_wrong_input_gets_a_line_and_a_cure(arguments: list[str], words: list[str], tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert [word for word in words if word not in done.stderr] == []


def test_an_unknown_command_is_refused() -> None:
    done = run("sevre")
    assert done.returncode == 2
    assert "sevre" in done.stderr


def test_config_prints_a_file_that_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "agi-bot.yml").write_text(run("config").stdout, encoding="utf-8")
    done = run("flow", "check", cwd=tmp_path)
    assert "unknown option" not in done.stderr
