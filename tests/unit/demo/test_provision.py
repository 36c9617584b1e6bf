"""Which Asterisk is used, and what is left behind when none can be had."""

from __future__ import annotations

import platform
import threading
from pathlib import Path

import pytest

from agi_bot.demo import apt, installation, provision
from agi_bot.demo.apt_sources import Source
from agi_bot.demo.provision import NoAsterisk

MIRROR = Source("http://mirror.example/debian", ("bookworm",), ("main",), "/keys/debian.gpg")
TRIPLET, LOADER = provision._MACHINES["x86_64"]


def make_tree(root: Path, version: str = "22.10.1", modules: tuple[str, ...] = installation.NEEDED) -> None:
    """A tree like the unpacked packages, whose "loader" answers for Asterisk."""
    folder = root / "usr/lib" / TRIPLET / "asterisk/modules"
    folder.mkdir(parents=True)
    for name in modules:
        (folder / f"{name}.so").touch()
    (root / "usr/share/asterisk/documentation").mkdir(parents=True)
    loader = root / LOADER
    loader.parent.mkdir(parents=True)
    loader.write_text(f"#!/bin/sh\necho 'Asterisk {version}+dfsg+~cs6.17'\n")
    loader.chmod(0o755)


@pytest.fixture(autouse=True)
def debian(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Debian without an Asterisk of its own, on which apt would work."""
    monkeypatch.setattr(provision, "installed", lambda: None)
    monkeypatch.setattr(provision, "read", lambda: [MIRROR])
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    system = {"ID": "debian", "VERSION_CODENAME": "bookworm", "PRETTY_NAME": "Debian 12"}
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: system)


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Lets the download succeed; one entry for each."""
    downloads: list[str] = []

    def download(folder: Path, source: Source, suite: str, packages: object, report: object) -> list[Path]:
        downloads.append(source.uri)
        return []

    monkeypatch.setattr(apt, "download", download)
    monkeypatch.setattr(provision, "_unpack", lambda packages, root: make_tree(root))
    return downloads


def test_fetched_once_and_used_again(tmp_path: Path, fetched: list[str]) -> None:
    first = provision.provide(cache=tmp_path)
    second = provision.provide(cache=tmp_path)
    assert fetched == ["http://mirror.example/debian"]
    assert first == second
    assert (first.version, first.own) == ("22.10.1", True)
    assert first.command[0] == str(tmp_path / "asterisk-22.10.1" / LOADER)


def test_two_at_once_fetch_once(tmp_path: Path, fetched: list[str]) -> None:
    threads = [threading.Thread(target=provision.provide, kwargs={"cache": tmp_path}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1


def test_an_installed_one_comes_first(tmp_path: Path, fetched: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    own = installation.Installation("20.6.0", ("/usr/sbin/asterisk",), tmp_path, tmp_path, own=False)
    monkeypatch.setattr(provision, "installed", lambda: own)
    assert provision.provide(cache=tmp_path) is own
    assert fetched == []


def test_half_a_tree_in_the_cache_is_not_used(tmp_path: Path, fetched: list[str]) -> None:
    make_tree(tmp_path / "asterisk-22.10.1", modules=("res_agi",))
    assert provision.cached(tmp_path) is None
    assert provision.provide(cache=tmp_path).version == "22.10.1"
    assert len(fetched) == 1


def test_a_failed_fetch_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(folder: Path, *rest: object) -> list[Path]:
        folder.mkdir()
        raise apt.AptFailed("Could not connect to mirror.example:80")

    monkeypatch.setattr(apt, "download", download)
    with pytest.raises(NoAsterisk, match="could not be fetched: Could not connect to mirror"):
        provision.provide(cache=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["asterisk.lock"]


def test_one_that_does_not_start_is_not_kept(
    tmp_path: Path, fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provision, "_unpack", lambda packages, root: make_tree(root, version="none"))
    with pytest.raises(NoAsterisk, match="does not start"):
        provision.provide(cache=tmp_path)
    assert provision.cached(tmp_path) is None


def test_other_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"ID": "alpine", "PRETTY_NAME": "Alpine 3"})
    with pytest.raises(NoAsterisk, match="on Debian only, this is Alpine 3"):
        provision.provide(cache=tmp_path)


def test_other_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(NoAsterisk, match="riscv64"):
        provision.provide(cache=tmp_path)


def test_no_debian_archive_in_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provision, "read", list)
    with pytest.raises(NoAsterisk, match="name no Debian archive"):
        provision.provide(cache=tmp_path)


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoAsterisk, match="AGI_BOT_CACHE"):
        provision.provide(cache=tmp_path / "file/cache")


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AGI_BOT_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert provision.cache_folder() == tmp_path / ".cache/agi-bot"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert provision.cache_folder() == tmp_path / "x/agi-bot"
    monkeypatch.setenv("AGI_BOT_CACHE", str(tmp_path / "own"))
    assert provision.cache_folder() == tmp_path / "own"


@pytest.mark.parametrize(
    ("text", "version", "major"),
    [
        ("Asterisk 22.10.1+dfsg+~cs6.17.60671434-1", "22.10.1", 22),
        ("Asterisk certified/20.7-cert1", "20.7", 20),
        ("Asterisk 18.0.0~rc1", "18.0.0", 18),
        ("something else", "", 0),
    ],
)
def test_versions(tmp_path: Path, text: str, version: str, major: int) -> None:
    program = tmp_path / "asterisk"
    program.write_text(f"#!/bin/sh\necho '{text}'\n")
    program.chmod(0o755)
    assert installation.version_of((str(program),)) == version
    assert installation.major(version) == major
    assert installation.version_of((str(tmp_path / "missing"),)) == ""


def test_the_private_apt_touches_nothing_of_the_machine(tmp_path: Path) -> None:
    text = apt.configuration(tmp_path)
    paths = [line.split('"')[1] for line in text.splitlines() if line.startswith("Dir")]
    assert {p for p in paths if not p.startswith((str(tmp_path), "/dev/null"))} == {"archives/"}
    assert "#clear APT::Update::Post-Invoke;" in text


def test_the_private_source_uses_the_machines_own_key() -> None:
    assert apt.source_line(MIRROR, "forky") == (
        "deb [signed-by=/keys/debian.gpg] http://mirror.example/debian forky main\n"
    )


@pytest.mark.parametrize(
    ("line", "value"),
    [("dlstatus:12:93.3333:Retrieving file 3 of 3", 93.3333), ("Get:1 http://x y", None), ("dlstatus:1:x:y", None)],
)
def test_progress(line: str, value: float | None) -> None:
    assert apt.percent(line) == value


def test_the_last_word_of_apt() -> None:
    assert apt.last_word("\nE: Unable to locate package asterisk\nE: more\n") == "Unable to locate package asterisk"
    assert apt.last_word("") == "apt-get failed without a word"
