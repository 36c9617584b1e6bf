"""The machine's apt sources in both forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from agi_bot.demo.apt_sources import Source, debian_mirror, parse_deb822, parse_list, read

LIST = """\
# comment
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/debian-security bookworm-security main
deb [arch=amd64 signed-by=/usr/share/keyrings/k.gpg] https://mirror.example/debian bookworm main contrib  # own
deb [ trusted=yes ] file:/srv/repo ./
deb
"""

DEB822 = """\
Types: deb deb-src
# a comment in a paragraph
URIs: http://a.example/debian
 http://b.example/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main
Enabled: no


Types: deb
URIs: http://inline.example/debian
Suites: sid
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
"""


def test_one_line_form() -> None:
    assert list(parse_list(LIST)) == [
        Source("http://mirror.example/debian-security", ("bookworm-security",), ("main",)),
        Source("https://mirror.example/debian", ("bookworm",), ("main", "contrib"), "/usr/share/keyrings/k.gpg"),
        Source("file:/srv/repo", ("./",), ()),
    ]


def test_deb822_form() -> None:
    key = "/usr/share/keyrings/debian-archive-keyring.gpg"
    assert list(parse_deb822(DEB822)) == [
        Source("http://a.example/debian", ("trixie", "trixie-updates"), ("main",), key),
        Source("http://b.example/debian", ("trixie", "trixie-updates"), ("main",), key),
        Source("http://inline.example/debian", ("sid",), ("main",)),
    ]


def test_the_main_archive_is_chosen_not_the_security_one() -> None:
    mirror = debian_mirror(parse_list(LIST), "bookworm")
    assert mirror is not None
    assert mirror.uri == "https://mirror.example/debian"


@pytest.mark.parametrize(
    ("codename", "uri"), [("trixie", "http://a.example/debian"), ("forky", "http://inline.example/debian")]
)
def test_by_codename_or_development_suite(codename: str, uri: str) -> None:
    mirror = debian_mirror(parse_deb822(DEB822), codename)
    assert mirror is not None
    assert mirror.uri == uri


def test_no_debian_at_all() -> None:
    other = Source("https://packages.example/tool", ("nodistro",), ("main",))
    assert debian_mirror([other], "bookworm") is None


def test_every_file_of_the_folder_is_read(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text("deb http://one.example/debian bookworm main\n")
    (parts / "two.list").write_bytes(b"deb http://two.example/debian bookworm main # \xff\n")
    (parts / "three.sources").write_text(DEB822)
    (parts / "old.list.disabled").write_text("deb http://never.example/debian bookworm main\n")
    found = [source.uri for source in read(tmp_path)]
    assert found[:2] == ["http://one.example/debian", "http://two.example/debian"]
    assert len(found) == 5
    assert read(tmp_path / "nothing") == []
