"""The retention job: deletes what is old, once a day while the bot runs, or by hand."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agi_bot.campaign.store.retention import RetentionStore
from agi_bot.config import Settings
from agi_bot.errors import AgiBotError, StoreError
from agi_bot.privacy.recording import FORMATS
from agi_bot.privacy.retention import Expired, Retention, expired

log = logging.getLogger(__name__)

DAY_S = 86_400.0
PAGE = 500
RUNNING_H = 24
"""A recording without a call that was written to within so many hours may belong to one that runs."""


@dataclass(slots=True)
class Swept:
    """What a run deleted, and what it could not delete."""

    calls: int = 0
    recordings: int = 0
    failed: int = 0


def rules_of(settings: Settings) -> Retention:
    """The rules that ``settings`` hold."""
    wanted = settings.privacy
    return Retention(wanted.retention_days, wanted.retention_by_flow, wanted.retention_by_campaign)


class Retirement:
    """Deletes calls and recordings whose time is over; ``folder`` is that of the recordings."""

    def __init__(self, store: RetentionStore, rules: Retention, folder: Path) -> None:
        self._store = store
        self._rules = rules
        self._folder = folder

    async def plan(self, now: datetime) -> AsyncIterator[Expired]:
        """Calls that :meth:`run` would delete, oldest first."""
        if not self._rules.shortest:
            return
        moment, after = now.astimezone(UTC) - timedelta(days=self._rules.shortest), ("", "")
        while page := await self._store.older(moment, after, PAGE):
            for one in expired((call for _, call in page), self._rules, now):
                yield one
            started, last = page[-1]
            after = (started, last.call_id)

    async def orphans(self, now: datetime) -> list[Path]:
        """Old recordings that no call knows (a crash left them behind); only the default days count for them."""
        if not self._rules.days:
            return []
        before = now - timedelta(days=self._rules.days, hours=RUNNING_H)
        files = await asyncio.to_thread(_old_files, self._folder, before.timestamp())
        known = {Path(path).resolve() for path in await self._store.recordings()} if files else set()
        return [file for file in files if file.resolve() not in known]

    async def run(self, now: datetime) -> Swept:
        """Delete, and note each deletion.  A file that cannot be deleted keeps its call."""
        swept = Swept()
        async for one in self.plan(now):
            if await self._delete(Path(one.call.recording) if one.call.recording else None):
                await self._store.delete(one, now)
                swept.calls += 1
            else:
                swept.failed += 1
        for file in await self.orphans(now):
            if await self._delete(file):
                reason = f"older than {self._rules.days} days (privacy.retention_days), and no call knows it"
                await self._store.note_recording(str(file), reason, now)
                swept.recordings += 1
            else:
                swept.failed += 1
        return swept

    async def _delete(self, file: Path | None) -> bool:
        if file is None:
            return True
        try:
            await asyncio.to_thread(_remove, file)
        except OSError as error:
            log.error("retention.not_deleted", extra={"path": str(file), "reason": error.strerror or str(error)})
            return False
        return True


def _old_files(folder: Path, before: float) -> list[Path]:
    files = (file for form in FORMATS for file in folder.glob(f"*/*.{form}"))
    return sorted(file for file in files if file.is_file() and file.stat().st_mtime < before)


def _remove(file: Path) -> None:
    """The file, and its day's folder when it was the last one."""
    file.unlink(missing_ok=True)
    if file.parent.is_dir() and not any(file.parent.iterdir()):
        file.parent.rmdir()


async def daily(retirement: Retirement) -> None:
    """Delete at once and then once a day, until cancelled."""
    while True:
        try:
            swept = await retirement.run(datetime.now(UTC))
        except StoreError as error:
            log.error("retention.failed", extra={"reason": str(error)})
        else:
            told = {"calls": swept.calls, "recordings": swept.recordings, "failed": swept.failed}
            log.info("retention.done", extra=told)
        await asyncio.sleep(DAY_S)


def retirement_of(settings: Settings, store: RetentionStore) -> Retirement:
    """The job as ``settings`` want it.  Raises :class:`~agi_bot.errors.AgiBotError` when nothing is ever deleted."""
    rules = rules_of(settings)
    if not rules.shortest:
        raise AgiBotError(
            "every call is kept for ever: no privacy.retention_* is set",
            cure="set privacy.retention_days in agi-bot.yml",
        )
    return Retirement(store, rules, settings.store.recordings)
