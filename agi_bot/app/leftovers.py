"""What calls left behind that were cut off by the bot's death: their unmasked recordings."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path

from agi_bot.campaign.store.retention import RetentionStore
from agi_bot.errors import StoreError
from agi_bot.privacy.unfinished import left_behind, own_name

log = logging.getLogger(__name__)

AGAIN_S = 600.0
"""How often is looked after what other bots on the same folder left, s."""

REASON = "the bot died in this call, so that its numbers could not be silenced (privacy.mask)"


class Leftovers:
    """Finds unfinished recordings in ``folder``; deletes them where ``mask`` is wanted, else gives them their names."""

    def __init__(self, store: RetentionStore, folder: Path, *, mask: bool) -> None:
        self._store = store
        self._folder = folder
        self._mask = mask

    async def sweep(self, now: datetime) -> int:
        """Look after all of them, and note each; how many there were.  Raises :class:`StoreError`."""
        files = await asyncio.to_thread(left_behind, self._folder)
        for file in files:
            try:
                await self._settle(file, now)
            except OSError as error:
                log.error("recording.leftover_stays", extra={"path": str(file), "reason": error.strerror or str(error)})
        return len(files)

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
        try:
            await leftovers.sweep(datetime.now(UTC))
        except StoreError as error:
            log.error("recording.leftovers_not_noted", extra={"reason": str(error)})
        await asyncio.sleep(AGAIN_S)
