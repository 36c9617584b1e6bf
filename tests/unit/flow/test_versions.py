"""Published versions and the catalogue that serves them."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agi_bot.errors import FlowError
from agi_bot.flow import Flow, Problem, Severity, load
from agi_bot.flow.catalogue import Catalogue
from agi_bot.flow.versions import Library

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
FLOW = "flow: hello\nstart: a\nsteps: {a: {say: %s, flow: part, next: b}, b: {say: 再见, end: done}}\n"
PART = "flow: part\npart: true\nstart: p\nsteps: {p: {say: %s, end: ok}}\n"


def no_check(_: Flow) -> list[Problem]:
    return []


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "flows" / "shop"
    folder.mkdir(parents=True)
    write(folder / "hello.yaml", FLOW % "一")
    write(folder / "part.yaml", PART % "零")
    (folder / "tests").mkdir()
    write(folder / "tests" / "hello.yaml", "- {name: x, talk: []}\n")
    return folder


def write(path: Path, text: str) -> None:
    """Write, and make sure that the time of change is another one."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before + 1_000_000, before + 1_000_000))


def first_words(flow: Flow | None) -> str:
    assert flow is not None
    say = flow.script.steps["a"].say
    assert say is not None
    return say.texts[0]


def unreadable(monkeypatch: pytest.MonkeyPatch, name: str, error: OSError) -> None:
    """Looking into folders called ``name`` fails with ``error``."""
    scandir = os.scandir

    def look(path: str | Path) -> Any:
        if Path(path).name == name:
            raise error
        return scandir(path)

    monkeypatch.setattr(os, "scandir", look)


def library(home: Path) -> Library:
    return Library(home.parents[1] / "versions")


def publish(home: Path, **more: str) -> int:
    return library(home).publish(home / "hello.yaml", who="李", at=AT, **more).number


class TestLibrary:
    def test_publish_keeps_the_flow_with_its_parts(self, home: Path) -> None:
        assert publish(home, note="first") == 1
        write(home / "hello.yaml", FLOW % "二")
        write(home / "part.yaml", "broken")
        entry = library(home).current("hello")
        assert entry is not None
        assert (entry.who, entry.at, entry.note, entry.home) == ("李", "2026-11-24T09:00:00+00:00", "first", str(home))
        kept = load(library(home).file("hello", 1), home=entry.home)
        assert first_words(kept) == "一"
        assert kept.version == entry.version
        assert kept.home == str(home)

    def test_rollback_and_history(self, home: Path) -> None:
        publish(home)
        write(home / "hello.yaml", FLOW % "二")
        assert publish(home) == 2
        assert library(home).rollback("hello", to=None, who="王", at=AT).number == 1
        assert library(home).rollback("hello", to=2, who="王", at=AT).number == 2
        history = [(entry.number, entry.action, entry.who) for entry in library(home).history("hello")]
        assert history == [(1, "publish", "李"), (2, "publish", "李"), (1, "rollback", "王"), (2, "rollback", "王")]
        write(home / "hello.yaml", FLOW % "三")
        assert publish(home) == 3
        assert library(home).names() == ["hello"]

    def test_what_is_no_longer_published_holds_again_from_its_file(self, home: Path) -> None:
        publish(home)
        write(home / "hello.yaml", FLOW % "二")
        assert "calls use number 1" in library(home).standing(load(home / "hello.yaml"))
        catalogue = Catalogue(home.parent, library=library(home), checker=no_check)
        catalogue.refresh()
        entry = library(home).unpublish("hello", who="王", at=AT, note="too early")
        assert (entry.number, entry.action, entry.note) == (1, "unpublish", "too early")
        assert (library(home).names(), library(home).current("hello")) == ([], None)
        assert library(home).standing(load(home / "hello.yaml")) == ""
        catalogue.refresh()
        assert first_words(catalogue.get("hello")) == "二"
        with pytest.raises(FlowError, match="not published"):
            library(home).unpublish("hello", who="王", at=AT)
        assert library(home).rollback("hello", to=None, who="王", at=AT).number == 1
        assert library(home).names() == ["hello"]
        library(home).unpublish("hello", who="王", at=AT)
        write(home / "hello.yaml", FLOW % "一")
        assert publish(home) == 2

    def test_the_same_contents_are_not_published_twice(self, home: Path) -> None:
        publish(home)
        with pytest.raises(FlowError, match="already published as number 1"):
            publish(home)

    def test_faults(self, home: Path) -> None:
        with pytest.raises(FlowError, match="never published"):
            library(home).rollback("hello", to=None, who="x", at=AT)
        publish(home)
        with pytest.raises(FlowError, match="only one version"):
            library(home).rollback("hello", to=None, who="x", at=AT)
        with pytest.raises(FlowError, match="there are 1"):
            library(home).rollback("hello", to=9, who="x", at=AT)
        (library(home).file("hello", 1).parents[1] / "history.jsonl").write_text("{")
        with pytest.raises(FlowError, match="backup"):
            library(home).history("hello")

    def test_a_broken_flow_is_not_published(self, home: Path) -> None:
        write(home / "hello.yaml", "flow: hello\n")
        with pytest.raises(FlowError, match="missing"):
            publish(home)
        assert library(home).names() == []


class TestCatalogue:
    def test_it_finds_flows_but_no_parts_and_no_tests(self, home: Path) -> None:
        catalogue = Catalogue(home.parent, checker=no_check)
        assert [change.flow for change in catalogue.refresh()] == ["hello"]
        assert catalogue.names() == ["hello"]
        assert catalogue.refresh() == []

    def test_a_folder_that_goes_while_it_is_looked_at(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (home.parent / "gone").mkdir()
        unreadable(monkeypatch, "gone", FileNotFoundError(2, "No such file or directory"))
        catalogue = Catalogue(home.parent, checker=no_check)
        catalogue.refresh()
        assert catalogue.names() == ["hello"]

    def test_a_disk_that_fails_takes_no_flow_away(
        self, home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        catalogue = Catalogue(home.parent, checker=no_check)
        catalogue.refresh()
        write(home / "hello.yaml", FLOW % "二")
        with monkeypatch.context() as failing:
            unreadable(failing, "shop", OSError(5, "Input/output error"))
            assert [catalogue.refresh() for _ in range(3)] == [[], [], []]
        assert [record.message for record in caplog.records] == ["flows.not_seen"]
        assert first_words(catalogue.get("hello")) == "一"
        catalogue.refresh()
        assert first_words(catalogue.get("hello")) == "二"

    def test_a_change_is_taken_up_and_a_running_call_keeps_its_flow(self, home: Path) -> None:
        catalogue = Catalogue(home.parent, checker=no_check)
        catalogue.refresh()
        running = catalogue.get("hello")
        write(home / "hello.yaml", FLOW % "二")
        assert len(catalogue.refresh()) == 1
        assert first_words(catalogue.get("hello")) == "二"
        assert first_words(running) == "一"

    def test_a_change_of_a_part_is_a_change_of_the_flow(self, home: Path) -> None:
        catalogue = Catalogue(home.parent, checker=no_check)
        catalogue.refresh()
        write(home / "part.yaml", PART % "另")
        assert [change.flow for change in catalogue.refresh()] == ["hello"]

    def test_a_broken_version_keeps_the_old_one_and_is_told_once(
        self, home: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        catalogue = Catalogue(home.parent, checker=no_check)
        catalogue.refresh()
        write(home / "hello.yaml", "flow: hello\nstart: [\n")
        with caplog.at_level(logging.ERROR):
            (change,) = catalogue.refresh()
        assert "hello.yaml:3:1" in change.problems[0]
        assert [record.message for record in caplog.records] == ["flow.refused"]
        assert first_words(catalogue.get("hello")) == "一"
        write(home / "other.yaml", FLOW.replace("hello", "other") % "一")
        assert [found.flow for found in catalogue.refresh()] == ["other"]
        write(home / "hello.yaml", FLOW % "三")
        catalogue.refresh()
        assert first_words(catalogue.get("hello")) == "三"

    def test_a_part_that_is_mended_brings_the_flow(self, home: Path) -> None:
        write(home / "part.yaml", "flow: part\n")
        catalogue = Catalogue(home.parent, checker=no_check)
        catalogue.refresh()
        assert catalogue.names() == []
        write(home / "part.yaml", PART % "零")
        catalogue.refresh()
        assert catalogue.names() == ["hello"]

    def test_errors_of_the_checker_refuse_a_version_and_warnings_do_not(self, home: Path) -> None:
        severity = Severity.WARNING
        catalogue = Catalogue(
            home.parent, checker=lambda flow: [flow.problem((), "x", "bad", "mend it", severity=severity)]
        )
        catalogue.refresh()
        assert catalogue.names() == ["hello"]
        severity = Severity.ERROR
        write(home / "hello.yaml", FLOW % "二")
        assert catalogue.refresh()[0].problems
        assert first_words(catalogue.get("hello")) == "一"

    def test_of_two_files_with_one_flow_the_one_named_like_it_holds(self, home: Path) -> None:
        write(home / "a_copy.yaml", FLOW % "抄")
        catalogue = Catalogue(home.parent, checker=no_check)
        changes = {Path(change.file).name: change.problems for change in catalogue.refresh()}
        assert changes["hello.yaml"] == ()
        assert f"{home / 'hello.yaml'} is a flow called `hello`, too [duplicate-flow]" in changes["a_copy.yaml"][0]
        assert first_words(catalogue.get("hello")) == "一"
        assert catalogue.refresh() == []

    def test_a_flow_whose_file_is_gone_is_dropped_and_running_calls_keep_it(
        self, home: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        catalogue = Catalogue(home.parent, checker=no_check)
        catalogue.refresh()
        running = catalogue.get("hello")
        (home / "hello.yaml").unlink()
        catalogue.refresh()
        assert catalogue.names() == ["hello"]
        catalogue.refresh()
        assert catalogue.names() == []
        assert [line.__dict__["flow"] for line in caplog.records if line.getMessage() == "flow.gone"] == ["hello"]
        assert first_words(running) == "一"

    def test_a_file_that_an_editor_replaces_is_not_gone(self, home: Path) -> None:
        catalogue = Catalogue(home.parent, checker=no_check)
        catalogue.refresh()
        (home / "hello.yaml").unlink()
        catalogue.refresh()
        write(home / "hello.yaml", FLOW % "二")
        for _ in range(3):
            catalogue.refresh()
            assert first_words(catalogue.get("hello")) == "二"

    def test_flows_stay_while_their_folder_is_away_or_the_file_is_broken(self, home: Path) -> None:
        catalogue = Catalogue(home.parent, checker=no_check)
        catalogue.refresh()
        write(home / "hello.yaml", "flow: [")
        home.parent.rename(home.parents[1] / "elsewhere")
        for _ in range(3):
            catalogue.refresh()
        (home.parents[1] / "elsewhere").rename(home.parent)
        for _ in range(3):
            catalogue.refresh()
        assert catalogue.names() == ["hello"]

    def test_a_flow_that_was_renamed_takes_the_new_name_only(self, home: Path) -> None:
        catalogue = Catalogue(home.parent, checker=no_check)
        catalogue.refresh()
        write(home / "hello.yaml", (FLOW % "一").replace("flow: hello", "flow: hullo"))
        for _ in range(3):
            catalogue.refresh()
        assert catalogue.names() == ["hullo"]

    def test_a_draft_of_a_published_flow_is_told_once(self, home: Path, caplog: pytest.LogCaptureFixture) -> None:
        publish(home)
        catalogue = Catalogue(home.parent, library=library(home), checker=no_check)
        catalogue.refresh()
        assert not caplog.records
        write(home / "hello.yaml", FLOW % "草稿")
        catalogue.refresh()
        catalogue.refresh()
        (line,) = [line for line in caplog.records if line.getMessage() == "flow.draft_passed_over"]
        assert line.__dict__["file"] == str(home / "hello.yaml")

    def test_a_published_flow_is_served_from_the_library(self, home: Path) -> None:
        publish(home)
        write(home / "hello.yaml", FLOW % "草稿")
        catalogue = Catalogue(home.parent, library=library(home), checker=no_check)
        catalogue.refresh()
        assert first_words(catalogue.get("hello")) == "一"
        publish(home)
        catalogue.refresh()
        assert first_words(catalogue.get("hello")) == "草稿"
        library(home).rollback("hello", to=None, who="x", at=AT)
        catalogue.refresh()
        flow = catalogue.get("hello")
        assert first_words(flow) == "一"
        assert flow is not None
        assert flow.home == str(home)
