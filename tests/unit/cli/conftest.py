# ruff: noqa: E501 - flows are easier to read in one line
"""A working folder with one flow, and the real command line in it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agi_bot.cli.main import main

GOOD = """\
flow: hello
language: zh-CN
task: {name: {type: text, example: 张伟}}
start: greet
steps:
  greet: {say: '您好，{name}，本次通话会被录音。您明天能来吗？', protect: 本次通话会被录音, on: {affirm: bye, deny: bye}}
  bye: {say: 再见。, end: done}
anywhere: {stop_calling: {say: 好的，再见。, mark: do_not_call, end: refused}}
silence: [您好？, {say: 再见。, end: no_response}]
unclear: [请再说一遍。, {transfer: desk}]
"""
TESTS = "- {name: comes, talk: [{bot: 张伟}, {caller: 可以}], ends: done}\n- {name: silent, talk: [{silence: 2}], ends: no_response}\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with one flow and its tests."""
    folder = tmp_path / "flows" / "shop"
    (folder / "tests").mkdir(parents=True)
    (folder / "hello.yaml").write_text(GOOD, encoding="utf-8")
    (folder / "tests" / "hello.yaml").write_text(TESTS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return folder


def agi_bot(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str]:
    """Exit status and everything printed."""
    monkeypatch.setattr(sys, "argv", ["agi-bot", *words])
    try:
        status = main()
    except SystemExit as ended:
        status = ended.code
    printed = capsys.readouterr()
    return int(status or 0), printed.out + printed.err


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: Path):  # type: ignore[no-untyped-def]
    return lambda *words: agi_bot(capsys, monkeypatch, *words)
