"""What is piped or written to a file is whole."""

from __future__ import annotations

import subprocess
import sys

import pytest
from rich.table import Table

from agi_bot.cli.screen import screen

LONG = "中文" * 80 + " http://127.0.0.1/" + "x" * 200


def test_nothing_is_cut_or_wrapped_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    table = Table("name", "note", box=None)
    table.add_row("a", LONG)
    screen().print(table)
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "note"]
    assert LONG in row


def test_columns_may_be_asked_for(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    screen().print(LONG)
    assert len(capsys.readouterr().out.splitlines()) > 3


def test_a_list_in_a_pipe_has_a_line_for_each_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    command = [sys.executable, "-m", "agi_bot", "models", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    head, *rows = done.stdout.splitlines()
    assert head.split()[0] == "name"
    assert rows
    assert not any(row.startswith(" ") or "…" in row for row in rows)
