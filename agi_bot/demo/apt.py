"""A private apt: its own state, cache and sources, so that it needs no root and changes nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from agi_bot.demo.apt_sources import Source

_ARCHIVE_KEYS = (
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
)


class AptFailed(Exception):
    """apt-get or dpkg did not do its work; the text is its own last word."""


def download(
    folder: Path, source: Source, suite: str, packages: Sequence[str], report: Callable[[str], None]
) -> list[Path]:
    """Fetch ``packages`` of ``suite`` from ``source`` with all they depend on; the .deb files.

    ``folder`` is made and holds everything.  Raises :class:`AptFailed`.
    """
    config = _prepare(folder, source, suite)
    report(f"Reading Debian's package lists ({suite})")
    _apt_get(config, ["update"], report)
    report(f"Fetching {packages[0]} and what it needs")
    _apt_get(config, ["--yes", "--download-only", "install", *packages], report)
    found = sorted((folder / "cache/archives").glob("*.deb"))
    if not found:
        raise AptFailed("apt-get fetched no package")
    return found


def _prepare(folder: Path, source: Source, suite: str) -> Path:
    for part in ("state/lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text(source_line(source, suite))
    config = folder / "apt.conf"
    config.write_text(configuration(folder))
    return config


def source_line(source: Source, suite: str) -> str:
    """The one source of the private apt: the machine's mirror, the wanted suite, Debian's own keys."""
    key = source.signed_by or next((path for path in _ARCHIVE_KEYS if Path(path).exists()), "")
    option = f"[signed-by={key}] " if key else ""
    return f"deb {option}{source.uri} {suite} main\n"


def configuration(folder: Path) -> str:
    """apt.conf(5) of the private apt; it is read after the machine's own, whose proxies stay in force.

    An empty dpkg status makes apt fetch every library down to libc.  The machine's hooks
    are cleared: they would clean the machine's own cache.
    """
    return f"""\
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Cache::archives "archives/";
Dir::Log "{folder}";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
APT::Keep-Downloaded-Packages "true";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
"""


def _apt_get(config: Path, words: list[str], report: Callable[[str], None]) -> None:
    command = ["apt-get", "-c", str(config), "-q", "-o", "APT::Status-Fd=1", *words]
    errors = config.with_name("errors")
    with errors.open("w") as sink:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sink, text=True)
        assert process.stdout is not None
        _follow(process.stdout, report)
        code = process.wait()
    if code:
        raise AptFailed(last_word(errors.read_text(errors="replace")))


def _follow(lines: Iterable[str], report: Callable[[str], None]) -> None:
    told = 0
    for line in lines:
        if (done := percent(line)) is not None and done >= told + 25:
            told = int(done // 25) * 25
            report(f"  {told} %")


def percent(line: str) -> float | None:
    """Progress in a line of apt's status output (``dlstatus:12:50.0:Retrieving ...``), if it is one."""
    parts = line.split(":", 3)
    if len(parts) < 4 or parts[0] != "dlstatus":
        return None
    try:
        return float(parts[2])
    except ValueError:
        return None


def last_word(text: str) -> str:
    """The line of apt's errors that tells most."""
    lines = [line.removeprefix("E: ") for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "apt-get failed without a word"
