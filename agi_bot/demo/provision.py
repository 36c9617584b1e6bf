"""Bring an Asterisk 22 onto a Debian machine: without root, without touching an installed one.

The packages of Debian ``forky`` are fetched through a private apt state from the mirror
that the machine's own apt sources name, and unpacked into a cache folder (80 MB to fetch,
270 MB on disk).  Asterisk then runs with its own C library from there.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from agi_bot.demo import apt
from agi_bot.demo.apt_sources import Source, debian_mirror, read
from agi_bot.demo.installation import Installation, installed, unpacked
from agi_bot.demo.lock import locked
from agi_bot.errors import AgiBotError

SUITE = "forky"
PACKAGES = ("asterisk", "asterisk-modules", "asterisk-core-sounds-en-gsm")

_MACHINES = {
    "x86_64": ("x86_64-linux-gnu", "usr/lib64/ld-linux-x86-64.so.2"),
    "aarch64": ("aarch64-linux-gnu", "usr/lib/ld-linux-aarch64.so.1"),
}

Report = Callable[[str], None]


class NoAsterisk(AgiBotError):
    """No Asterisk is installed and none can be fetched here; the demo can use its built-in caller."""


def cache_folder() -> Path:
    """``$AGI_BOT_CACHE``, else ``$XDG_CACHE_HOME/agi-bot``, else ``~/.cache/agi-bot``."""
    if own := os.environ.get("AGI_BOT_CACHE"):
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "agi-bot"


def provide(report: Report = lambda line: None, *, cache: Path | None = None) -> Installation:
    """An Asterisk ready to run: the installed one, the cached one, or a freshly fetched one.

    ``report`` gets progress as plain lines.  Blocks for some 20 s at the first time.
    Raises :class:`NoAsterisk`.
    """
    if found := installed():
        return found
    folder = cache or cache_folder()
    if found := cached(folder):
        return found
    _make(folder)
    with locked(folder / "asterisk.lock", waiting=lambda: report("Waiting for another agi-bot's download")):
        return cached(folder) or _fetch(folder, report)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        cure = "let AGI_BOT_CACHE name a folder that can be written"
        raise NoAsterisk(f"an Asterisk cannot be kept in {folder}: {error.strerror}", cure=cure) from error


def cached(folder: Path) -> Installation | None:
    """The newest whole Asterisk in the cache ``folder``, if any."""
    triplet, loader = _machine()
    for root in sorted(folder.glob("asterisk-*.*"), reverse=True):
        if found := unpacked(root, triplet, loader):
            return found
    return None


def _machine() -> tuple[str, str]:
    try:
        return _MACHINES[platform.machine()]
    except KeyError:
        raise NoAsterisk(f"there is no Asterisk to fetch for {platform.machine()} machines") from None


def _fetch(folder: Path, report: Report) -> Installation:
    source = _mirror()
    work = Path(tempfile.mkdtemp(prefix=".fetch-", dir=folder))
    try:
        packages = apt.download(work / "apt", source, SUITE, PACKAGES, report)
        report(f"Unpacking {len(packages)} packages into {folder}")
        _unpack(packages, work / "root")
        return _move_in(work / "root", folder)
    except (apt.AptFailed, OSError) as error:
        raise NoAsterisk(f"Asterisk could not be fetched: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _mirror() -> Source:
    system = _os_release()
    if system.get("ID") != "debian" or not all(map(shutil.which, ("apt-get", "dpkg"))):
        name = system.get("PRETTY_NAME") or platform.system()
        raise NoAsterisk(f"an Asterisk can be fetched on Debian only, this is {name}")
    source = debian_mirror(read(), system.get("VERSION_CODENAME", ""))
    if source is None:
        raise NoAsterisk("the apt sources of this machine name no Debian archive", cure="see /etc/apt")
    return source


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def _unpack(packages: list[Path], root: Path) -> None:
    root.mkdir()
    for package in packages:
        done = subprocess.run(["dpkg", "-x", package, root], capture_output=True, text=True, check=False)
        if done.returncode:
            raise apt.AptFailed(f"dpkg could not unpack {package.name}: {done.stderr.strip()}")
        package.unlink()
    for heap in ("doc", "man", "locale"):
        shutil.rmtree(root / "usr/share" / heap, ignore_errors=True)
    _name_sounds(root / "usr/share/asterisk/sounds")


def _name_sounds(sounds: Path) -> None:
    """The prompts' language folder, which on an installed Debian is a link of update-alternatives."""
    recorded = next(iter(sorted(sounds.glob("en_*"))), None)
    if recorded and not (sounds / "en").exists():
        (sounds / "en").symlink_to(recorded.name)


def _move_in(root: Path, folder: Path) -> Installation:
    """Rename the unpacked tree to its final place, so that no half of one is ever seen."""
    triplet, loader = _machine()
    found = unpacked(root, triplet, loader)
    if found is None:
        raise NoAsterisk("the fetched Asterisk does not start on this machine")
    place = folder / f"asterisk-{found.version}"
    if place.exists():
        shutil.rmtree(place)
    root.rename(place)
    final = unpacked(place, triplet, loader)
    assert final is not None
    return final
