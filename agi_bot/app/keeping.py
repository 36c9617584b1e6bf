"""Keeps a call that is over: its numbers masked, in words and sound, before anything is stored or told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from agi_bot.campaign.store import CallStore
from agi_bot.config.privacy import PrivacySettings
from agi_bot.errors import StoreError
from agi_bot.privacy import unfinished
from agi_bot.privacy.audio_masking import silence_spans
from agi_bot.privacy.masked_record import Masking, Silenced, mask_record
from agi_bot.record import CallRecord

log = logging.getLogger(__name__)

NOT_MASKED = "recording_not_masked"
"""Counter of a call whose numbers could not be silenced: it has no recording."""

LATER_S = 2.0
"""How often a call is tried again that could not be stored, s."""

MOST_LATER = 1000
"""So many calls wait in memory for a disk without room; further ones are lost, and the log says so."""


class Keeper:
    """``disk`` is the thread in which recordings are masked, ``life`` the name of this bot's life."""

    def __init__(self, privacy: PrivacySettings, store: CallStore, disk: Executor, life: str = "") -> None:
        self._privacy = privacy
        self._store = store
        self._disk = disk
        self._life = life
        self._later: set[asyncio.Task[None]] = set()

    def begun(self, record: CallRecord) -> None:
        """Note that the call goes on: should the bot die, its next life knows of it.  No caller waits for that."""
        if self._life:
            self._in_background(self._store.begun(replace(record, recording=""), self._life), record.call_id)

    def failed(self, call_id: str) -> None:
        """Note that a call was refused or crashed, and does not go on."""
        if self._life:
            self._in_background(self._store.failed(call_id, datetime.now(UTC)), call_id)

    def _in_background(self, work: Coroutine[Any, Any, None], call_id: str) -> None:
        task = asyncio.create_task(_noted(work, call_id))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def keep(self, record: CallRecord) -> CallRecord:
        """Store ``record``; answers what may leave the bot.

        What cannot be stored now (a full disk) is stored as soon as it can be, while the bot lives.
        """
        told = {"call_id": record.call_id, "channel": record.channel, "unique_id": record.unique_id}
        kept = await self._masked(record) if self._privacy.mask else record
        apart = self._privacy.mask and self._privacy.keep_unmasked
        try:
            await self._store.save(kept, record if apart else None)
        except StoreError as error:
            log.error("call.not_stored", extra={**told, "reason": str(error)})
            self._store_later(kept, record if apart else None)
        log.info(
            "call.ended",
            extra={**told, "outcome": kept.outcome, "ended_by": kept.ended_by, "turns": len(kept.turns)},
        )
        return kept

    def _store_later(self, kept: CallRecord, original: CallRecord | None) -> None:
        if len(self._later) >= MOST_LATER:
            log.error("call.lost", extra={"call_id": kept.call_id, "reason": f"{MOST_LATER} calls wait already"})
            return
        task = asyncio.create_task(self._until_stored(kept, original))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _until_stored(self, kept: CallRecord, original: CallRecord | None) -> None:
        while True:
            await asyncio.sleep(LATER_S)
            with suppress(StoreError):
                await self._store.save(kept, original)
                log.info("call.stored", extra={"call_id": kept.call_id})
                return

    async def _masked(self, record: CallRecord) -> CallRecord:
        try:
            masking = mask_record(record)
        except Exception:
            # Rather no words than words that somebody trusts to be masked.
            log.exception("call.not_masked", extra={"call_id": record.call_id})
            counters = {**record.counters, NOT_MASKED: 1}
            return replace(record, turns=[], slots={}, task={}, recording="", counters=counters)
        if record.recording:
            await self._publish(masking)
        return masking.record

    async def _publish(self, masking: Masking) -> None:
        record = masking.record
        work = partial(_masked_and_published, Path(record.recording), masking.silenced)
        try:
            await asyncio.get_running_loop().run_in_executor(self._disk, work)
        except (StoreError, OSError) as error:
            log.error("recording.not_masked", extra={"call_id": record.call_id, "reason": str(error)})
            unfinished.let_go(Path(record.recording))
            record.recording = ""
            record.counters = {**record.counters, NOT_MASKED: 1}


async def _noted(work: Coroutine[Any, Any, None], call_id: str) -> None:
    try:
        await work
    except StoreError as error:
        log.warning("call.not_noted", extra={"call_id": call_id, "reason": str(error)})


def _masked_and_published(path: Path, spans: Sequence[Silenced]) -> None:
    """Nobody finds a recording under its own name before its numbers are silent."""
    hidden = unfinished.unfinished(path)
    silence_spans(hidden if hidden.exists() else path, spans)
    unfinished.publish(path)
