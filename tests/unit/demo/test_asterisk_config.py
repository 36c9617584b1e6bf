"""The configuration of a private Asterisk: on loopback, in one folder, with the shipped dialplans as they are."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from agi_bot.demo import installation
from agi_bot.demo.asterisk_config import Layout, files
from agi_bot.demo.installation import Installation, installed
from agi_bot.demo.ports import free_port, free_range, is_free

HERE = Installation("22.10.1", ("asterisk",), Path("/lib/modules"), Path("/share/asterisk"), own=False)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(
        folder=tmp_path,
        ami=15038,
        sip=15060,
        http=18088,
        rtp=40000,
        secret="s3cret",
        globals={"AGI_BOT_PORT": "4573"},
        dialplans=(Path("/x/agi-bot.conf"),),
        dialplan="[phones]\n",
    )


def test_every_directory_is_absolute_and_ours_or_the_installations(layout: Layout) -> None:
    text = files(layout, HERE)["asterisk.conf"]
    paths = re.findall(r"^ast\w+ => (.+)$", text, re.MULTILINE)
    assert len(paths) == 11
    ours = (str(layout.folder), "/lib/modules", "/share/asterisk")
    assert [path for path in paths if not path.startswith(ours)] == []


def test_nothing_listens_beyond_loopback(layout: Layout) -> None:
    written = "\n".join(files(layout, HERE).values())
    addresses = re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", written)
    allowed = {"127.0.0.1", "127.0.0.0", "0.0.0.0", "255.255.255.255"}  # 0.0.0.0: manager.conf's deny
    assert set(addresses) <= allowed
    assert re.findall(r"(?:bind|bindaddr) = (\S+)", written) == ["127.0.0.1", "127.0.0.1", "127.0.0.1:15060"]


def test_globals_dialplans_and_what_is_added_stand_in_this_order(layout: Layout) -> None:
    text = files(layout, HERE)["extensions.conf"]
    wanted = ["[globals]", "AGI_BOT_PORT = 4573", "#include agi-bot.conf", "[phones]"]
    assert [line for line in text.splitlines() if line in wanted] == wanted


def test_the_ami_has_one_user_with_the_secret_of_this_run(layout: Layout) -> None:
    text = files(layout, HERE)["manager.conf"]
    assert "[agi-bot]\nsecret = s3cret\n" in text


def make_installed(root: Path, monkeypatch: pytest.MonkeyPatch, version: str, modules: tuple[str, ...]) -> None:
    binary = root / "sbin/asterisk"
    binary.parent.mkdir()
    binary.write_text(f"#!/bin/sh\necho Asterisk {version}\n")
    binary.chmod(0o755)
    (root / "modules").mkdir()
    for name in modules:
        (root / f"modules/{name}.so").touch()
    (root / "data/documentation").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{binary.parent}:/usr/bin:/bin")
    monkeypatch.setattr(installation, "_MODULES", (str(root / "modules"),))
    monkeypatch.setattr(installation, "_DATA", (str(root / "nowhere"), str(root / "data")))


def test_an_installed_asterisk_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_installed(tmp_path, monkeypatch, "20.6.0", installation.NEEDED)
    found = installed()
    assert found is not None
    assert (found.version, found.own, found.command) == ("20.6.0", False, (str(tmp_path / "sbin/asterisk"),))
    assert found.sounds == tmp_path / "data/sounds"


@pytest.mark.parametrize(
    ("version", "modules"), [("16.28.0", installation.NEEDED), ("22.1.0", ("res_agi",)), ("none", installation.NEEDED)]
)
def test_one_that_cannot_run_the_demo_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, modules: tuple[str, ...]
) -> None:
    make_installed(tmp_path, monkeypatch, version, modules)
    assert installed() is None


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_free_ports_are_free(kind: socket.SocketKind) -> None:
    port = free_port(kind)
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", port))
        assert not is_free(port, kind)


def test_rtp_begins_at_an_even_port() -> None:
    assert {free_range() % 2 for _ in range(20)} == {0}
