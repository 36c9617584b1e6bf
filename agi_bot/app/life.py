"""Which bot on this database still lives: each holds a lock (flock(2)), which ends with its process."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from agi_bot.errors import StoreError


class Life:
    """This process's life among those in ``folder``; from :meth:`begin` to :meth:`end`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.name = str(uuid4())
        self._lock: BinaryIO | None = None

    def begin(self) -> None:
        """Be known to live.  Raises :class:`~agi_bot.errors.StoreError`."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self._folder / self.name).open("wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreError(
                f"{self._folder} cannot be written ({error.strerror})", cure="give the bot's user the right to write it"
            ) from error

    def end(self) -> None:
        """No longer live."""
        if self._lock is not None:
            (self._folder / self.name).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def is_over(self, name: str) -> bool:
        """Whether the life ``name`` has ended; its file, if it left one, is deleted."""
        file = self._folder / name
        try:
            with file.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                file.unlink(missing_ok=True)
        except BlockingIOError:
            return False
        except OSError:
            return not file.exists()
        return True
