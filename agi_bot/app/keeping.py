"""Keeps a call that is over: its numbers masked, in words and sound, before anything is stored or told."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path

from agi_bot.campaign.store import CallStore
from agi_bot.config.privacy import PrivacySettings
from agi_bot.errors import StoreError
from agi_bot.privacy.audio_masking import silence_spans
from agi_bot.privacy.masked_record import Masking, mask_record
from agi_bot.record import CallRecord

log = logging.getLogger(__name__)

NOT_MASKED = "recording_not_masked"
"""Counter of a call whose recording still holds a number."""


class Keeper:
    """``disk`` is the thread in which recordings are written."""

    def __init__(self, privacy: PrivacySettings, store: CallStore, disk: Executor) -> None:
        self._privacy = privacy
        self._store = store
        self._disk = disk

    async def keep(self, record: CallRecord) -> CallRecord:
        """Store ``record``; answers what may leave the bot.  What cannot be stored is logged."""
        told = {"call_id": record.call_id, "channel": record.channel, "unique_id": record.unique_id}
        kept = await self._masked(record) if self._privacy.mask else record
        apart = self._privacy.mask and self._privacy.keep_unmasked
        try:
            await self._store.save(kept, record if apart else None)
        except StoreError as error:
            log.error("call.not_stored", extra={**told, "reason": str(error)})
        log.info(
            "call.ended",
            extra={**told, "outcome": kept.outcome, "ended_by": kept.ended_by, "turns": len(kept.turns)},
        )
        return kept

    async def _masked(self, record: CallRecord) -> CallRecord:
        try:
            masking = mask_record(record)
        except Exception:
            # Rather no words than words that somebody trusts to be masked.
            log.exception("call.not_masked", extra={"call_id": record.call_id})
            return replace(record, turns=[], slots={}, task={}, counters={**record.counters, NOT_MASKED: 1})
        if record.recording and masking.silenced:
            await self._silence(masking)
        return masking.record

    async def _silence(self, masking: Masking) -> None:
        record = masking.record
        work = partial(silence_spans, Path(record.recording), masking.silenced)
        try:
            await asyncio.get_running_loop().run_in_executor(self._disk, work)
        except StoreError as error:
            log.error("recording.not_masked", extra={"call_id": record.call_id, "reason": str(error)})
            record.counters = {**record.counters, NOT_MASKED: 1}
