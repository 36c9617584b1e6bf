"""What calls left behind that were cut off by the bot's death: unmasked recordings, and rows without an end."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path

from agi_bot.app.life import Life
from agi_bot.campaign.store import CallStore
from agi_bot.campaign.store.retention import RetentionStore
from agi_bot.errors import StoreError
from agi_bot.privacy.unfinished import left_behind, own_name

log = logging.getLogger(__name__)

AGAIN_S = 600.0
"""How often is looked after what other bots on the same folder left, s."""

REASON = "the bot died in this call, so that its numbers could not be silenced (privacy.mask)"


class Leftovers:
    """Finds unfinished recordings in ``folder``; deletes them where ``mask`` is wanted, else gives them their names."""

    def __init__(
        self,
        store: RetentionStore,
        folder: Path,
        *,
        mask: bool,
        calls: CallStore | None = None,
        life: Life | None = None,
    ) -> None:
        self._store = store
        self._folder = folder
        self._mask = mask
        self._calls = calls
        self._life = life

    async def sweep(self, now: datetime) -> int:
        """Look after all of them, and note each; how many there were.  Raises :class:`StoreError`."""
        files = await asyncio.to_thread(left_behind, self._folder)
        for file in files:
            try:
                await self._settle(file, now)
            except OSError as error:
                log.error("recording.leftover_stays", extra={"path": str(file), "reason": error.strerror or str(error)})
        return len(files)

    async def end_lost_calls(self, now: datetime) -> None:
        """End the calls in which a bot died that shared this database."""
        if self._calls is None or self._life is None:
            return
        try:
            lost = await self._calls.lost(self._life.is_over, now)
        except StoreError as error:
            log.error("call.lost_not_noted", extra={"reason": str(error)})
            return
        for call_id in lost:
            log.error("call.lost", extra={"call_id": call_id, "reason": "the bot died in this call"})

    async def _settle(self, file: Path, now: datetime) -> None:
        if self._mask:
            await asyncio.to_thread(file.unlink, missing_ok=True)
            await self._store.note_recording(str(file), REASON, now)
            log.warning("recording.leftover_deleted", extra={"path": str(file), "reason": REASON})
        else:
            await asyncio.to_thread(file.replace, own_name(file))
            log.warning("recording.leftover_kept", extra={"path": str(own_name(file))})


async def sweeping(leftovers: Leftovers) -> None:
    """Sweep at once and then again and again, until cancelled."""
    while True:
        await leftovers.end_lost_calls(datetime.now(UTC))
        try:
            await leftovers.sweep(datetime.now(UTC))
        except StoreError as error:
            log.error("recording.leftovers_not_noted", extra={"reason": str(error)})
        await asyncio.sleep(AGAIN_S)
