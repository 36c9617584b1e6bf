"""The SQLite file and its one thread.

SQLite objects are bound to a thread and a write blocks, so all work goes through one
worker thread; readers outside (sqlite3, datasette) and long readings of our own (reports,
exports, metrics), which have a second one, are never in the way because the file is in WAL
mode (https://sqlite.org/wal.html).
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import sqlite_utils

from agi_bot.campaign.store.migrations import MIGRATIONS
from agi_bot.campaign.telephone import PREFIXES, spellings
from agi_bot.errors import StoreError

T = TypeVar("T")

MOST_AT_ONCE = 256
"""Pieces of work in one transaction."""


@dataclass(slots=True)
class _Job:
    """A piece of work, and where its answer goes."""

    work: Callable[[sqlite_utils.Database], Any]
    done: Future[Any] = field(default_factory=Future)
    answer: Any = None
    error: BaseException | None = None

    def settle(self, error: BaseException | None) -> None:
        """Answer; ``error`` is that of the whole transaction."""
        wrong = error or self.error
        if wrong is not None:
            self.done.set_exception(wrong)
        else:
            self.done.set_result(self.answer)


class Database:
    """The store's file at ``path``; ``":memory:"`` in tests.

    ``prefixes``: what may stand before a number that is the same telephone without it.
    """

    def __init__(self, path: Path | str, prefixes: Sequence[str] = PREFIXES) -> None:
        self.path = path
        self._prefixes = tuple(prefixes)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="store-reader")
        self._db: sqlite_utils.Database | None = None
        self._read_db: sqlite_utils.Database | None = None
        self._waiting: deque[_Job] = deque()

    async def open(self) -> None:
        """Open or create the file and bring its tables up to date.

        Raises :class:`~agi_bot.errors.StoreError`.
        """
        await self._submit(self._open)

    async def close(self) -> None:
        """Finish what is queued and close the file."""
        await self._submit(self._close_reader, self._reader)
        await self._submit(self._close)
        self._reader.shutdown()
        self._thread.shutdown()

    async def run(self, work: Callable[[sqlite_utils.Database], T]) -> T:
        """``work(db)`` in the store's thread, in one transaction: all of it is kept, or nothing.

        Raises :class:`~agi_bot.errors.StoreError`, e.g. for a full disk.
        """
        job = _Job(work)
        self._waiting.append(job)
        self._thread.submit(self._together)
        try:
            done: T = await asyncio.wrap_future(job.done)
        except sqlite3.Error as error:
            raise self._wrong(error) from error
        return done

    async def probe(self) -> None:
        """Write one page, changing nothing.  Raises :class:`~agi_bot.errors.StoreError` when that is not possible."""
        await self.run(_write_a_page)

    async def read(self, work: Callable[[sqlite_utils.Database], T]) -> T:
        """``work(db)`` on what was kept by now, in a thread of its own: it may take long, and cannot write.

        Raises :class:`~agi_bot.errors.StoreError`.
        """
        if not isinstance(self.path, Path):
            return await self.run(work)
        return await self._submit(lambda: work(self._readable()), self._reader)

    def _readable(self) -> sqlite_utils.Database:
        if self._db is None:
            raise StoreError(f"{self.path}: not open")
        if self._read_db is None:
            connection = sqlite3.connect(self.path, timeout=10.0)
            connection.execute("PRAGMA query_only = ON")
            self._read_db = sqlite_utils.Database(connection)
        return self._read_db

    async def _submit(self, work: Callable[[], T], thread: ThreadPoolExecutor | None = None) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(thread or self._thread, work)
        except sqlite3.Error as error:
            raise self._wrong(error) from error

    def _wrong(self, error: sqlite3.Error) -> StoreError:
        return StoreError(f"{self.path}: {error}", cure="check the file's rights and the free space of its disk")

    def _together(self) -> None:
        """Everything that waits, in one transaction; a later call finds nothing left."""
        wanted = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
        # Whoever was cancelled while waiting is not served: nothing of it was begun.
        jobs = [job for job in wanted if job.done.set_running_or_notify_cancel()]
        if not jobs:
            return
        error: BaseException | None = None
        try:
            self._transaction(jobs)
        except BaseException as problem:
            error = problem
        for job in jobs:
            job.settle(error)

    def _transaction(self, jobs: list[_Job]) -> None:
        if self._db is None:
            raise StoreError(f"{self.path}: not open")
        # IMMEDIATE: a reader that wants to write later could not get the lock from another process.
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for job in jobs:
                _one(self._db, job)
            self._db.commit()
        except BaseException:
            self._db.rollback()
            raise

    def _open(self) -> None:
        if isinstance(self.path, Path):
            self._make_folder(self.path.parent)
        self._db = sqlite_utils.Database(self.path)
        self._db.register_function(self._spellings, name="spellings", deterministic=True)
        self._db.enable_wal()
        self._db.conn.execute("PRAGMA foreign_keys = ON")
        self._db.conn.execute("PRAGMA busy_timeout = 10000")
        _migrate(self._db)

    def _spellings(self, number: str) -> str:
        return json.dumps(spellings(number, self._prefixes))

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror}", cure="choose store.database elsewhere") from error

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _close_reader(self) -> None:
        if self._read_db is not None:
            self._read_db.close()
            self._read_db = None


def _one(db: sqlite_utils.Database, job: _Job) -> None:
    """Do one job; when it fails, nothing of it is kept and the others go on."""
    db.execute("SAVEPOINT job")
    try:
        job.answer = job.work(db)
    except BaseException as error:
        if not db.conn.in_transaction:  # a full disk ends the whole transaction (sqlite.org/lang_transaction.html)
            raise
        job.error = error
        db.execute("ROLLBACK TO job")
    db.execute("RELEASE job")


def _write_a_page(db: sqlite_utils.Database) -> None:
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    db.execute(f"PRAGMA user_version = {version}")  # it lies in the file's first page, which is written anew


def _migrate(db: sqlite_utils.Database) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise StoreError(
            f"the database has version {version}, this agi-bot knows {len(MIGRATIONS)}",
            cure="run the newer agi-bot that wrote it",
        )
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        db.conn.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")
