"""A wall clock of a process's own, that a test sets while the process runs (libfaketime)."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agi_bot.demo import apt
from agi_bot.demo.apt_sources import debian_mirror, read
from agi_bot.demo.lock import locked
from agi_bot.demo.provision import cache_folder

LIBRARY = "libfaketimeMT.so.1"


class WallClock:
    """``environment`` is for the process; its wall clock goes on from where :meth:`set_to` puts it."""

    def __init__(self, library: Path, folder: Path) -> None:
        self._file = folder / "wall-clock"
        self.by = 0.0
        self.set_by(0.0)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            # Looked at once a second: looked at for every call, it costs half of the bot.
            "FAKETIME_CACHE_DURATION": "1",
            # Only the wall clock: what computers measure intervals with goes on as it is.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set_by(self, seconds: float) -> None:
        """So far from the true time."""
        self.by = seconds
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+.3f}\n")
        new.replace(self._file)

    def set_to(self, moment: datetime) -> None:
        """``moment`` has a zone."""
        self.set_by(moment.timestamp() - time.time())

    def now(self) -> datetime:
        """What the process believes."""
        return datetime.fromtimestamp(time.time() + self.by, UTC)


def faketime() -> Path:
    """The library: installed, or fetched as the tests' Asterisk is."""
    folder = cache_folder() / "libfaketime"
    for root in (Path("/"), folder):
        if found := sorted(root.glob(f"usr/lib/*/faketime/{LIBRARY}")):
            return found[0]
    system = platform.freedesktop_os_release()
    source = debian_mirror(read(), system.get("VERSION_CODENAME", ""))
    if source is None:
        pytest.fail("no libfaketime: install it (apt-get install libfaketime)", pytrace=False)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        locked(folder.parent / "libfaketime.lock", waiting=lambda: None),
        tempfile.TemporaryDirectory(dir=folder.parent) as work,
    ):
        packages = apt.download(Path(work) / "apt", source, system["VERSION_CODENAME"], ["libfaketime"], print)
        (package,) = [one for one in packages if one.name.startswith("libfaketime_")]
        subprocess.run(["dpkg", "-x", package, Path(work) / "root"], check=True)
        if not folder.exists():
            os.rename(Path(work) / "root", folder)
    return next(folder.glob(f"usr/lib/*/faketime/{LIBRARY}"))
