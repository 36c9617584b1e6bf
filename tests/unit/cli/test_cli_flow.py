"""The commands for script authors, through the real command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from .conftest import GOOD


class TestCheck:
    def test_a_good_flow(self, run, place: Path) -> None:
        assert run("flow", "check") == (0, "1 flow: 0 errors, 0 warnings\n")

    @pytest.mark.parametrize(
        ("config", "told"),
        [
            ("hooks: {}\n", "there is no hook `shop.ship` under `hooks:`"),
            ("hooks: {shop.shop: http://x.example}\n", "did you mean `shop.shop`?"),
            ("hooks: {shop.ship: http://x.example}\n", ""),
            ("log: {level: info}\n", ""),
        ],
    )
    def test_hooks_are_checked_where_the_settings_name_them(self, run, place: Path, config: str, told: str) -> None:
        call = "bye: {call: {hook: shop.ship, failed: {end: later}}, "
        (place / "hello.yaml").write_text(GOOD.replace("bye: {", call), encoding="utf-8")
        Path("agi-bot.yml").write_text(config, encoding="utf-8")
        status, out = run("flow", "check")
        assert (status, told in out) == (1 if told else 0, True)

    @pytest.mark.parametrize(
        "what", ["hello", "flows/shop/hello.yaml", "flows/shop/tests/hello.yaml", "flows/shop/tests", "flows"]
    )
    def test_a_flow_by_its_name_its_tests_and_its_folders(self, run, place: Path, what: str) -> None:
        assert run("flow", "check", what) == (0, "1 flow: 0 errors, 0 warnings\n")
        status, out = run("flow", "test", what)
        assert (status, "hello: 2 of 2 passed" in out) == (0, True)

    def test_from_within_the_folder_of_the_tests(self, run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(place / "tests")
        assert run("flow", "check", "hello.yaml") == (0, "1 flow: 0 errors, 0 warnings\n")
        assert run("flow", "check", ".") == (0, "1 flow: 0 errors, 0 warnings\n")

    def test_a_name_that_no_flow_has(self, run, place: Path) -> None:
        status, out = run("flow", "test", "helo")
        assert status != 0
        assert "helo: there is no such file or folder, and no flow of that name" in out
        assert "did you mean `hello`?" in out

    def test_tests_without_a_flow(self, run, place: Path) -> None:
        (place / "hello.yaml").unlink()
        status, out = run("flow", "check", "flows/shop/tests/hello.yaml")
        assert status == 1
        assert "the file is a list, not a flow [not-a-flow]" in out
        assert "dialogue tests" in out

    def test_two_files_with_one_flow(self, run, place: Path) -> None:
        (place.parent / "other").mkdir()
        (place.parent / "other" / "hello2.yaml").write_text(GOOD, encoding="utf-8")
        status, out = run("flow", "check")
        assert status == 1
        assert out.count("[duplicate-flow]") == 2
        assert "flows/shop/hello.yaml:1:7: error: flows/other/hello2.yaml is a flow called `hello`, too" in out

    def test_json_is_an_array_of_findings(self, run, place: Path) -> None:
        (place / "hello.yaml").write_text(
            GOOD.replace("end: done", "ende: done").replace("再见。,", "我们保证满意。,"), encoding="utf-8"
        )
        status, out = run("flow", "check", "--format", "json", str(place / "hello.yaml"))
        assert status == 1
        (found,) = json.loads(out)
        assert set(found) >= {"file", "line", "column", "rule", "severity", "message", "cure"}
        assert (found["line"], found["column"], found["rule"]) == (7, 23, "unknown-key")

    def test_text_and_github(self, run, place: Path) -> None:
        (place / "hello.yaml").write_text(GOOD.replace("bye, deny", "by, deny"), encoding="utf-8")
        status, out = run("flow", "check")
        assert status == 1
        assert "hello.yaml:6:" in out
        assert "cure: did you mean `bye`?" in out
        status, out = run("flow", "check", "--format", "github")
        assert out.startswith("::error file=")

    def test_warnings_only_count_when_strict(self, run, place: Path) -> None:
        (place / "hello.yaml").write_text(
            GOOD.replace("name: {type: text, example: 张伟}", "name: text"), encoding="utf-8"
        )
        assert run("flow", "check")[0] == 0
        assert run("flow", "check", "--strict")[0] == 1

    def test_an_intent_that_the_training_data_does_not_know(self, run, place: Path) -> None:
        (place / "hello.yaml").write_text(GOOD.replace("deny: bye", "denny: bye"), encoding="utf-8")
        assert "did you mean `deny`?" in run("flow", "check")[1]

    def test_a_path_that_is_not_there(self, run, place: Path) -> None:
        status, out = run("flow", "check", "nowhere")
        assert status != 0
        assert "no such file" in out


class TestTest:
    def test_results_and_junit(self, run, place: Path) -> None:
        status, out = run("flow", "test", "--junit", "out.xml", "--missed")
        assert status == 0
        assert "hello: 2 of 2 passed, coverage" in out
        assert "hello.yaml:6:" in out
        assert "greet on deny" in out
        assert ET.parse("out.xml").getroot().find("testsuite/testcase") is not None

    def test_a_failing_test_shows_the_conversation(self, run, place: Path) -> None:
        (place / "tests" / "hello.yaml").write_text(
            "- {name: x, talk: [{bot: 李四}, {caller: 可以}]}\n", encoding="utf-8"
        )
        status, out = run("flow", "test")
        assert status == 1
        assert "FAILED hello: x" in out
        assert "caller: 可以   [affirm" in out
        assert "0 of 1 passed" in out

    def test_more_files_of_one_flow_and_files_of_none(self, run, place: Path) -> None:
        (place / "tests" / "hello.more.yaml").write_text(
            "- {name: more, talk: [{keys: 1}, {bot: 请再说一遍}]}\n", encoding="utf-8"
        )
        assert "hello: 3 of 3 passed" in run("flow", "test")[1]
        (place / "tests" / "hullo.yaml").write_text("- {name: x, talk: []}\n", encoding="utf-8")
        status, out = run("flow", "test")
        assert status == 1
        assert "these tests belong to no flow" in out

    def test_too_little_coverage_fails(self, run, place: Path) -> None:
        assert run("flow", "test", "--coverage", "99")[0] == 1

    def test_a_broken_test_file_and_a_broken_flow_fail(self, run, place: Path) -> None:
        (place / "tests" / "hello.yaml").write_text("- {name: x}\n", encoding="utf-8")
        status, out = run("flow", "test")
        assert status == 1
        assert "`talk` is missing" in out
        (place / "hello.yaml").write_text("flow: [", encoding="utf-8")
        assert run("flow", "test")[0] == 1


class TestPictures:
    def test_mermaid(self, run, place: Path) -> None:
        assert run("flow", "draw", "hello")[1].startswith("flowchart TD")

    def test_the_schema(self, run, place: Path) -> None:
        assert "agi-bot flow" in run("flow", "schema")[1]
        assert run("flow", "schema", "--tests", "--out", "s.json")[0] == 0
        assert json.loads(Path("s.json").read_text(encoding="utf-8"))["type"] == "array"


class TestVersions:
    def test_publish_history_rollback(self, run, place: Path) -> None:
        flow = str(place / "hello.yaml")
        assert "number 1" in run("flow", "publish", flow, "--who", "李", "--note", "首版")[1]
        (place / "hello.yaml").write_text(GOOD.replace("明天", "后天"), encoding="utf-8")
        assert "number 2" in run("flow", "publish", flow, "--who", "王")[1]
        assert "back at number 1" in run("flow", "rollback", "hello", "--who", "赵")[1]
        out = run("flow", "history", "hello")[1]
        assert all(word in out for word in ("李", "王", "赵", "首版", "publish", "rollback"))

    def test_what_is_published_is_rendered(self, run, place: Path) -> None:
        flow = str(place / "hello.yaml")
        out = run("flow", "publish", flow)[1]
        assert "prompts: rendered " in out
        assert ", failed 0" in out
        assert list(Path("agi-bot-data/prompts").rglob("*.pcm"))

    def test_a_voice_that_fails_does_not_hinder_publishing(self, run, place: Path) -> None:
        Path("voices.yml").write_text(
            "- {name: ours, language: zh-CN, engine: coqui, model: model}\n", encoding="utf-8"
        )
        model = Path("model")
        model.mkdir()
        (model / "config.json").write_text('{"model": "vits"}')
        (model / "model.pth").write_bytes(b"nothing")
        Path("agi-bot.yml").write_text(
            f"flows: {{folder: {place}}}\nspeaking: {{voices: voices.yml, voice: {{zh-CN: ours}}}}\n", encoding="utf-8"
        )
        status, out = run("flow", "publish", str(place / "hello.yaml"))
        assert status == 0
        assert "number 1" in out
        assert "its prompts are not rendered: " in out
        assert "agi-bot prompts render" in out

    def test_a_flow_with_errors_is_not_published(self, run, place: Path) -> None:
        (place / "hello.yaml").write_text(GOOD.replace("再见。,", "保证满意。,"), encoding="utf-8")
        status, out = run("flow", "publish", str(place / "hello.yaml"))
        assert status == 1
        assert "forbidden-word" in out


def test_watch_checks_again_on_save(place: Path) -> None:
    command = [sys.executable, "-m", "agi_bot", "flow", "watch"]
    with open("out.txt", "w", encoding="utf-8") as out:
        process = subprocess.Popen(command, stdout=out, env={**os.environ, "PYTHONUNBUFFERED": "1"})
        try:
            assert _appears("2 of 2 passed")
            (place / "hello.yaml").write_text(GOOD.replace("deny: bye", "deny: by"), encoding="utf-8")
            assert _appears("unknown-step")
            (place / "hello.yaml").write_text(GOOD.replace("done", "fine"), encoding="utf-8")
            assert _appears("1 of 2 passed")
            (place / "nlu.zh-CN.yml").write_text("nlu: {", encoding="utf-8")
            assert _appears("nlu.zh-CN.yml:1")
            (place / "nlu.zh-CN.yml").unlink()
            (place / "hello.yaml").write_text(GOOD.replace("bye, deny", "by, deny"), encoding="utf-8")
            assert _appears(":6:")
        finally:
            process.terminate()
            process.wait(10)


def _appears(text: str) -> bool:
    for _ in range(900):
        if text in Path("out.txt").read_text(encoding="utf-8"):
            return True
        time.sleep(0.1)
    return False
