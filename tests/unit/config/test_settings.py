"""agi-bot.yml: what is wrong is named with its line, and every option is in the printed file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from agi_bot.config import Settings, load, template
from agi_bot.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "agi-bot.yml"


def wrong(file: Path, text: str | bytes, **env: str) -> ConfigError:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load(file, env)
    return caught.value


def test_no_file_means_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(env={}).asterisk.agi_port == 4573


def test_a_named_file_must_exist(file: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(file, {})


def test_an_unknown_option_gets_the_nearest_right_one(file: Path) -> None:
    error = wrong(file, "pbx: asterisk\nasterisk:\n  agi_prt: 4573\n")
    assert str(file) + ":3:3" in error.message
    assert "asterisk.agi_prt" in error.message
    assert error.cure == "did you mean 'agi_port'?"


def test_an_unknown_option_without_a_near_one_gets_the_list(file: Path) -> None:
    assert "level, format" in wrong(file, "log:\n  zzzzzz: 1\n").cure


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("asterisk:\n  agi_port: abc\n", ":2:3", "'abc' is not a whole number"),
        ("asterisk:\n  agi_port: 99999\n", ":2:3", "65535"),
        ("pbx: kamailio\n", ":1:1", "asterisk"),
        ("log:\n  level: loud\n", ":2:3", "debug"),
        ("hooks:\n  crm.find: {}\n", ":2:3", "url"),
        ("hooks:\n  crm.find: {url: 'http://x', timeout_s: 900}\n", ":2:31", "60"),
        ('campaigns:\n  hours: ["9-20"]\n', ":2:11", "campaigns.hours.0: '9-20' is not of the form 09:00-20:00"),
        ("campaigns:\n  hours: [20:00-09:00]\n", ":2:11", "ends before it begins"),
        ("campaigns:\n  hours: []\n", ":2:3", "at least 1"),
        ("campaigns:\n  zone: Asia/Shangai\n", ":2:3", "campaigns.zone: 'Asia/Shangai' is not a time zone"),
        ("campaigns:\n  days: [0]\n", ":2:3", "from 1 (Monday) to 7 (Sunday)"),
        ("campaigns:\n  days: []\n", ":2:3", "from 1 (Monday) to 7 (Sunday)"),
        ("flows:\n  timezone: Peking\n", ":2:3", "not a time zone"),
        ("log: [\n", ":2:1", "expected"),
        ("log:\n\tlevel: info\n", ":2:1", "a tab indents this line"),
    ],
)
def test_a_wrong_value_names_line_and_form(file: Path, text: str, place: str, word: str) -> None:
    error = wrong(file, text)
    assert f"{file}{place}" in error.message
    assert word in error.message


def test_gbk_is_named(file: Path) -> None:
    assert "UTF-8" in wrong(file, "flows:\n  default: 复诊预约提醒\n".encode("gbk")).message


def test_a_list_at_the_top_is_refused(file: Path) -> None:
    assert "section" in wrong(file, "- pbx\n").message


def test_a_variable_wins_over_the_file(file: Path) -> None:
    file.write_text("asterisk:\n  ami: {user: bot, secret: old}\n")
    settings = load(file, {"AGI_BOT_ASTERISK__AMI__SECRET": "1234", "AGI_BOT_FLOWS__ROUTES": "{400: greet}"})
    assert (settings.asterisk.ami.user, settings.asterisk.ami.secret) == ("bot", "1234")
    assert settings.flows.routes == {"400": "greet"}


def test_a_wrong_variable_is_named(file: Path) -> None:
    error = wrong(file, "log: {level: info}\n", AGI_BOT_LOG__FORMT="json")
    assert error.message.startswith("AGI_BOT_LOG__FORMT")
    assert "format" in error.cure


def test_a_variable_that_is_not_a_setting_is_left_alone(file: Path) -> None:
    file.write_text("")
    assert load(file, {"AGI_BOT_CACHE": "/somewhere", "OTHER": "1"}) is not None


def test_paths_count_from_the_files_folder(file: Path) -> None:
    file.write_text("flows: {folder: scripts}\nhearing: {models: {zh-CN: vosk}}\nstore: {database: /abs/a.db}\n")
    settings = load(file, {})
    assert settings.flows.folder == file.parent / "scripts"
    assert settings.hearing.models["zh-CN"] == file.parent / "vosk"
    assert settings.store.database == Path("/abs/a.db")


def test_the_printed_file_is_the_defaults(file: Path) -> None:
    file.write_text(template(), encoding="utf-8")
    assert load(file, {}).model_dump(exclude={"flows", "store", "speaking"}) == Settings.model_validate({}).model_dump(
        exclude={"flows", "store", "speaking"}
    )


def options(model: type[BaseModel], data: object, path: str = "") -> Iterator[tuple[str, bool, str]]:
    for name, info in model.model_fields.items():
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            assert isinstance(data, dict)
            yield from options(inner, data.get(name), f"{path}{name}.")
        else:
            yield f"{path}{name}", isinstance(data, dict) and name in data, info.description or ""


def test_every_option_is_printed_with_an_explanation() -> None:
    listed = list(options(Settings, yaml.safe_load(template())))
    assert len(listed) > 30
    assert [name for name, printed, _ in listed if not printed] == []
    assert [name for name, _, said in listed if not said.endswith(".")] == []


def test_each_variable_that_is_named_is_that_of_its_option() -> None:
    section: list[str] = []
    named = []
    lines = template().splitlines()[2:]
    for line, following in pairwise(lines):
        if not line.lstrip().startswith("#") and line.rstrip().endswith(":"):
            depth = (len(line) - len(line.lstrip())) // 2
            section = [*section[:depth], line.strip(" :")]
        for variable in re.findall(r"AGI_BOT_\w+", line):
            option = following.strip().partition(":")[0]
            depth = (len(following) - len(following.lstrip())) // 2
            named.append((variable, "AGI_BOT_" + "__".join([*section[:depth], option]).upper()))
    assert len(named) > 4
    assert [pair for pair in named if pair[0] != pair[1]] == []


def test_what_may_be_chosen_is_told() -> None:
    text = template()
    for choices in ("asterisk, freeswitch", "hang_up, leave_message, continue", "wav, flac, ogg", "text, json"):
        assert f"One of: {choices}.\n" in text
