"""Recordings that are being made, and those that a bot's death left behind.

Until its numbers are silenced a recording has a hidden name; only then does it get its own,
in one step.  The process that makes it holds a lock (flock(2)) on it, which ends with the
process however that ends: a hidden recording without a lock is one that nobody will finish.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import BinaryIO

_MARK = "unfinished"
_LEFT_BEHIND = (f"*/.*.{_MARK}.*", "*/.*.masking.*")

_held: dict[Path, BinaryIO] = {}
"""The locks of this process by hidden name."""


def unfinished(path: Path) -> Path:
    """The hidden name of the recording that will be ``path``."""
    return path.with_name(f".{path.stem}.{_MARK}{path.suffix}")


def own_name(hidden: Path) -> Path:
    """The name that the recording ``hidden`` was to get."""
    return hidden.with_name(hidden.name[1:].replace(f".{_MARK}.", ".").replace(".masking.", "."))


def hold(path: Path) -> None:
    """Lock the recording that is being made.  Raises :class:`OSError`."""
    hidden = unfinished(path)
    lock = hidden.open("rb")
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    _held[hidden] = lock


def publish(path: Path) -> None:
    """Give the recording its own name.  Raises :class:`OSError`."""
    hidden = unfinished(path)
    if hidden.exists():
        os.replace(hidden, path)
    let_go(path)


def let_go(path: Path) -> None:
    """The recording will not be finished; whoever sweeps may have it."""
    lock = _held.pop(unfinished(path), None)
    if lock is not None:
        lock.close()


def left_behind(folder: Path) -> list[Path]:
    """Hidden recordings in the day folders of ``folder`` that no process makes any more."""
    found = {file for pattern in _LEFT_BEHIND for file in folder.glob(pattern)}
    return sorted(file for file in found if file.is_file() and not _is_made(file))


def _is_made(file: Path) -> bool:
    # What is being masked is a copy without a lock of its own; the recording beside it has one.
    original = unfinished(own_name(file))
    return any(one.exists() and _is_locked(one) for one in {file, original})


def _is_locked(file: Path) -> bool:
    try:
        with file.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
