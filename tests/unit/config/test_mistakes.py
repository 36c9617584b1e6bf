"""agi-bot.yml with several mistakes: all are told at once, each with its place and its cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from agi_bot.config import load
from agi_bot.errors import ConfigError, ConfigErrors

MANY = """\
pbx: asterik
asterisk:
  audio_port: ４５７４
  agi_prt: 4573
agi_host: 127.0.0.1
hooks:
  crm.find: {}
campaigns:
  hours: [09:00-12:00，14:00-20:00]
  days: [8]
log:
web:
  enabled: perhaps
  port: 70000
"""


def told(folder: Path, text: str, **env: str) -> list[ConfigError]:
    file = folder / "agi-bot.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, env)
    error = caught.value
    return list(error.errors) if isinstance(error, ConfigErrors) else [error]


def test_every_mistake_is_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    errors = told(tmp_path, MANY)
    found = [
        (*map(int, error.message.removeprefix(f"{tmp_path}/agi-bot.yml:").split(":")[:2]), error.cure)
        for error in errors
    ]
    form = "; agi-bot config shows every option and its form"
    assert found == [
        (1, 1, "did you mean 'asterisk'?"),
        (3, 3, "write it with half-width signs: 4574"),
        (4, 3, "did you mean 'agi_port'?"),
        (5, 1, "it belongs below `asterisk:`, indented by two spaces more"),
        (7, 3, "add `url: ...` below it"),
        (9, 11, "write it with half-width signs: 09:00-12:00,14:00-20:00"),
        (10, 3, f"for example `days: [1, 2, 3, 4, 5, 6, 7]`{form}"),
        (11, 1, "write them below it, indented by two spaces more, or remove it"),
        (13, 3, f"for example `enabled: false`{form}"),
        (14, 3, f"for example `port: 8090`{form}"),
    ]


def test_variables_and_the_file_are_told_together(tmp_path: Path) -> None:
    errors = told(tmp_path, "log: {level: loud}\n", AGI_BOT_LOG__FORMT="json", AGI_BOT_WEB__PORT="x")
    places = [error.message.split(": ")[0] for error in errors]
    assert places == ["AGI_BOT_WEB__PORT", "AGI_BOT_LOG__FORMT", f"{tmp_path}/agi-bot.yml:1:7"]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("pbx：asterisk\n", ":1:4:", "a full-width colon ends this name"),
        ("asterisk:\n  agi_port：4573\n", ":2:11:", "a full-width colon ends this name"),
        ("asterisk:\n  agi_host：127.0.0.1\n  agi_port: 1\n", ":2:11:", "a full-width colon ends this name"),
        ("asterisk:\n  agi_port:4573\n", ":2:11:", "no blank follows the colon of this name"),
        ("asterisk:\n  agi_port:　4573\n", ":2:12:", "full-width or non-breaking blank follows this name"),
        ("asterisk:\n　　agi_port: 4573\n", ":2:1:", "a full-width blank indents this line"),
        ("asterisk:\n\tagi_port: 4573\n", ":2:1:", "a tab indents this line"),
        ("asterisk:\n  ami: {user: bot，secret: x}\n", ":2:18:", "a full-width comma stands between two names"),
        ("log: {level: info}\nlog: {format: json}\n", ":2:1:", "'log' is written twice, first in line 1"),
        ("log: !!python/object:os.system x\n", ":1:6:", "could not determine a constructor"),
        ("log: 2026-13-45\n", ":", "put dates and times in quotes"),
    ],
)
def test_a_slip_of_the_keyboard_is_told_as_what_it_is(tmp_path: Path, text: str, place: str, said: str) -> None:
    (error,) = told(tmp_path, text)
    assert error.message.startswith(f"{tmp_path}/agi-bot.yml{place}")
    assert said in str(error)
    assert error.cure


def test_all_slips_of_a_file_that_is_not_yaml_are_told(tmp_path: Path) -> None:
    text = "asterisk:\n  agi_host：127.0.0.1\n  agi_port: 1\nlog:\n  level：info\n  format: json\n"
    assert [error.message.split(":")[1] for error in told(tmp_path, text)] == ["2", "5"]


def test_every_wrong_indentation_is_told(tmp_path: Path) -> None:
    errors = told(tmp_path, "asterisk:\n\tagi_port: 1\n　agi_host: a\n")
    assert [error.message.split(":")[1] for error in errors] == ["2", "3"]


def test_a_variable_that_is_not_yaml_is_named(tmp_path: Path) -> None:
    (error,) = told(tmp_path, "", AGI_BOT_FLOWS__ROUTES="{400: greet")
    assert error.message == "AGI_BOT_FLOWS__ROUTES: this is not YAML: {400: greet"
    assert "close the braces" in error.cure


def test_a_secret_of_digits_is_not_repeated(tmp_path: Path) -> None:
    (error,) = told(tmp_path, "asterisk:\n  ami: {user: bot, secret: 123456}\n")
    assert error.message.endswith(":2:20: asterisk.ami.secret: is read as something else than text")
    assert error.cure == "put it in quotes"
    assert "123456" not in str(error)
