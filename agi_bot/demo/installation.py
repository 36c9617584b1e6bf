"""Where an Asterisk lies on this machine and how it is started."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OLDEST = 18
"""First major version with AudioSocket."""

NEEDED = ("app_audiosocket", "res_agi", "chan_pjsip", "res_audiosocket")
"""Modules without which the demo cannot run."""

_MODULES = (
    "/usr/lib/asterisk/modules",
    "/usr/lib64/asterisk/modules",
    "/usr/local/lib/asterisk/modules",
    "/usr/lib/x86_64-linux-gnu/asterisk/modules",
    "/usr/lib/aarch64-linux-gnu/asterisk/modules",
)
_DATA = ("/var/lib/asterisk", "/usr/share/asterisk", "/usr/local/var/lib/asterisk")


@dataclass(frozen=True, slots=True)
class Installation:
    """An Asterisk that can be run: ``command`` starts it, options follow.

    ``own`` tells that agi-bot fetched it; ``data`` holds documentation/, ``sounds`` the
    prompts (may be missing).
    """

    version: str
    command: tuple[str, ...]
    modules: Path
    data: Path
    own: bool

    @property
    def sounds(self) -> Path:
        return self.data / "sounds"


def installed() -> Installation | None:
    """The Asterisk 18 or newer that the machine already has, if it can run the demo."""
    binary = shutil.which("asterisk") or shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin")
    modules = next((path for path in map(Path, _MODULES) if _complete(path)), None)
    data = next((path for path in map(Path, _DATA) if (path / "documentation").is_dir()), None)
    version = version_of((binary,)) if binary else ""
    if not (binary and modules and data) or major(version) < OLDEST:
        return None
    return Installation(version, (binary,), modules, data, own=False)


def unpacked(folder: Path, triplet: str, loader: str) -> Installation | None:
    """The Asterisk whose Debian packages were unpacked into ``folder``, if it is whole and runs."""
    libraries = folder / "usr/lib" / triplet
    path = f"{libraries}:{libraries / 'pulseaudio'}"
    command = (str(folder / loader), "--library-path", path, str(folder / "usr/sbin/asterisk"))
    modules = libraries / "asterisk/modules"
    data = next((p for p in (folder / d[1:] for d in _DATA) if (p / "documentation").is_dir()), None)
    version = version_of(command) if _complete(modules) and data else ""
    return Installation(version, command, modules, data, own=True) if data and version else None


def version_of(command: tuple[str, ...]) -> str:
    """What ``asterisk -V`` tells, as ``22.10.1``; empty when it does not run."""
    try:
        done = subprocess.run([*command, "-V"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"Asterisk (?:certified/)?(\d+(?:\.\d+)*)", done.stdout)
    return found[1] if found else ""


def major(version: str) -> int:
    """The first number of a version; 0 when there is none."""
    return int(version.split(".")[0] or 0) if version else 0


def _complete(modules: Path) -> bool:
    return all((modules / f"{name}.so").is_file() for name in NEEDED)
