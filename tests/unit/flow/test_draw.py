"""Pictures of flows."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from agi_bot.errors import FlowError
from agi_bot.flow import load, load_text
from agi_bot.flow.draw import Arrow, arrows, dot, draw, mermaid

FLOWS = Path(__file__).parents[3] / "flows"
FLOW = """\
flow: f
start: a
steps:
  a:
    say: '"您好" [x] {name} |'
    on: {affirm: [{when: n > 3, next: b}, {end: done}], deny: {say: 好, then: listen}}
    keys: {1: b}
  b: {say: 再见, transfer: desk}
anywhere: {stop: {end: refused}}
task: {name: text, n: number}
"""


def test_arrows() -> None:
    assert arrows(load_text(FLOW)) == [
        Arrow("b", "transfer: desk", ""),
        Arrow("a", "b", "affirm [n > 3]"),
        Arrow("a", "end: done", "affirm"),
        Arrow("a", "b", "key 1"),
        Arrow("anywhere", "end: refused", "stop"),
    ]


def test_mermaid_escapes_what_would_break_it() -> None:
    text = mermaid(load_text(FLOW))
    assert text.startswith("flowchart TD\n")
    assert "#34;您好#34; #91;x#93; #123;name#125; #124;" in text
    assert 'n0 -->|"affirm #91;n #62; 3#93;"| n1' in text


def test_dot_escapes_quotes() -> None:
    text = dot(load_text(FLOW))
    assert '\\"您好\\"' in text
    assert text.count("->") == 5


def test_our_flows_can_be_drawn() -> None:
    flow = load(FLOWS / "hospital" / "appointment_reminder.yaml")
    assert b"ask_new_time" in draw(flow, "mermaid")
    assert b"digraph" in draw(flow, "dot")


def test_without_graphviz_there_is_a_clear_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FlowError, match="graphviz"):
        draw(load_text(FLOW), "svg")


def test_graphviz_gets_the_source_and_its_picture_comes_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "dot"
    program.write_text('#!/bin/sh\necho "<svg $1>"; cat\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    picture = draw(load_text(FLOW), "svg")
    assert picture.startswith(b"<svg -Tsvg>")
    assert b"digraph" in picture


def test_a_graphviz_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(FlowError, match="could not draw"):
        draw(load_text(FLOW), "png")
