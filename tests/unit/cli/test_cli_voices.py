"""``agi-bot voices`` and ``agi-bot prompts``."""

import wave
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agi_bot.cli.prompts import app as prompts
from agi_bot.cli.voices import app as voices
from agi_bot.errors import AgiBotError

run = CliRunner().invoke

FLOW = """
flow: reminder
title: 提醒
language: zh-CN
voice: calm_female
task:
  name: {type: text, example: 张伟}
start: greet
steps:
  greet:
    say: 您好，{name}，这里是市一医院，本次通话会被录音。请空腹前往。
    protect: 本次通话会被录音
    on:
      affirm: {say: 好的，再见。, end: done}
      deny: {say: 好的，再见。, end: done}
silence: [您好，您能听到吗？, {end: no_response}]
unclear: [抱歉，没听清。, {end: unclear}]
"""


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    path = tmp_path / "reminder.yaml"
    path.write_text(FLOW, encoding="utf-8")
    return path


def test_list_shows_voices_and_licences() -> None:
    shown = run(voices, ["list", "--language", "zh"], env={"COLUMNS": "200"}).output
    assert "温和女声" in shown
    assert "CPML, not for business" in shown
    assert "calm woman" not in shown


def test_say_writes_what_a_caller_hears(tmp_path: Path) -> None:
    out = tmp_path / "a.wav"
    result = run(voices, ["say", "您好，今天是2026年11月24日", "--voice", "pro_male", "--out", str(out)])
    assert result.exit_code == 0, result.output
    with wave.open(str(out)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert file.getnframes() > 16000


def test_audition_writes_a_page_with_every_voice(tmp_path: Path) -> None:
    result = run(voices, ["audition", "--out", str(tmp_path), "--language", "yue"])
    assert result.exit_code == 0, result.output
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "溫和女聲" in page
    assert {path.name for path in tmp_path.glob("*.wav")} == {"calm_female.yue.wav", "pro_male.yue.wav"}
    assert all(path.name in page for path in tmp_path.glob("*.wav"))


def test_verify_finds_the_embedded_voices_well() -> None:
    result = run(voices, ["verify"])
    assert result.exit_code == 0, result.output
    assert "calm_female (zh-CN): ok" in result.output


def test_verify_tells_of_voices_that_are_not_there() -> None:
    result = run(voices, ["verify", "nobody", "baker"])
    assert result.exit_code == 1
    assert "nobody: no such voice" in result.output
    assert "baker (zh-CN): " in result.output
    assert "ok" not in result.output


def test_pull_shows_the_licence_and_asks_first(tmp_path: Path) -> None:
    result = run(voices, ["pull", "xtts", "--folder", str(tmp_path)], input="n\n")
    assert result.exit_code == 1
    assert "CPML" in result.output
    assert "does not allow business use" in result.output
    assert list(tmp_path.iterdir()) == []


def test_pulling_an_embedded_voice_does_nothing() -> None:
    result = run(voices, ["pull", "calm_female"])
    assert result.exit_code == 0
    assert "here already" in result.output


def test_render_makes_what_is_fixed_and_only_once(flow: Path, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    first = run(prompts, ["render", str(flow), "--cache", cache])
    assert first.exit_code == 0, first.output
    assert "rendered 7, ready before 0, failed 0" in first.output
    files = list((tmp_path / "cache").rglob("*.pcm"))
    again = run(prompts, ["render", str(flow), "--cache", cache])
    assert "rendered 0, ready before 7, failed 0" in again.output
    flow.write_text(FLOW.replace("请空腹前往", "请早点来"), encoding="utf-8")
    assert "rendered 1, ready before 6" in run(prompts, ["render", str(flow), "--cache", cache]).output
    assert len(list((tmp_path / "cache").rglob("*.pcm"))) == len(files) + 1


def test_report_tells_what_is_ready(flow: Path, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    before = run(prompts, ["report", str(flow), "--cache", cache]).output.split()
    run(prompts, ["render", str(flow), "--cache", cache])
    after = run(prompts, ["report", str(flow), "--cache", cache]).output.split()
    at = before.index("reminder")
    assert before[at : at + 5] == ["reminder", "7", "11", "10", "0"]
    assert after[at : at + 5] == ["reminder", "7", "11", "10", "10"]


def test_another_voice_is_rendered_anew(flow: Path, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    run(prompts, ["render", str(flow), "--cache", cache])
    assert "rendered 7" in run(prompts, ["render", str(flow), "--cache", cache, "--voice", "pro_male"]).output


def test_an_unknown_voice_is_an_error(flow: Path, tmp_path: Path) -> None:
    result = run(prompts, ["render", str(flow), "--cache", str(tmp_path / "cache"), "--voice", "nobody"])
    assert isinstance(result.exception, AgiBotError)
    assert "no voice 'nobody'" in str(result.exception)


def test_a_recording_counts_as_ready(flow: Path, tmp_path: Path) -> None:
    wav = tmp_path / "r.wav"
    run(voices, ["say", "好的，再见。", "--out", str(wav)])
    (tmp_path / "recordings.yml").write_text("- {text: 好的，再见。, file: r.wav}\n", encoding="utf-8")
    options = ["--cache", str(tmp_path / "cache"), "--recordings", str(tmp_path / "recordings.yml")]
    assert "rendered 6, ready before 1" in run(prompts, ["render", str(flow), *options]).output
