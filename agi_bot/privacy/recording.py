"""Stereo recordings: the caller left, the bot right, both on the call's own clock.

The two directions arrive on their own; each frame carries the moment (ms since the start
of the call) at which it was heard or sent.  Gaps are filled with silence, so that a time in
the transcript is the same time in the file.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import soundfile as sf

from agi_bot.audio import Frame
from agi_bot.errors import StoreError
from agi_bot.privacy import unfinished

T = TypeVar("T")

GAP_MS = 60
"""A frame that comes later than this after the last one leaves a gap of silence."""

FLUSH_MS = 1000

MOST_WAITING = 60
"""So many writes, of about :data:`FLUSH_MS` each, wait for a disk that stalls; then the recording ends."""

FORMATS = {"wav": ("WAV", "PCM_16"), "flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "OPUS")}


class Track:
    """One direction: int16 samples with silence where nothing arrived.  Pure.

    After a stall the line brings in a burst what was held up: the first of it leaves a gap,
    and what follows early takes the gap's silence out again, so that the track never runs
    late for the rest of the call.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.start = 0
        self._pcm = bytearray()
        self._gap = 0
        self._gap_end = 0

    @property
    def end(self) -> int:
        """Position behind the last sample, in samples since the start of the call."""
        return self.start + len(self._pcm) // 2

    def add(self, frame: Frame, at_ms: float) -> None:
        """Append ``frame``, heard or sent at ``at_ms``."""
        due = int(at_ms * self.rate / 1000)
        patience = GAP_MS * self.rate // 1000
        if due - self.end > patience:
            self._gap, self._gap_end = due - self.end, due
            self.fill(due)
        elif self.end - due > len(frame.pcm) // 2:
            self._close_gap(self.end - due)
        self._pcm += frame.pcm

    def _close_gap(self, samples: int) -> None:
        """Take up to ``samples`` out of the last gap, as far as it is still here."""
        size = max(0, min(samples, self._gap, self._gap_end - self.start))
        end = 2 * (self._gap_end - self.start)
        del self._pcm[end - 2 * size : end]
        self._gap -= size
        self._gap_end -= size

    def fill(self, position: int) -> None:
        """Silence up to ``position`` (samples)."""
        self._pcm += bytes(2 * max(0, position - self.end))

    def take(self, position: int) -> npt.NDArray[np.int16]:
        """Remove and return the samples up to ``position``."""
        size = 2 * (position - self.start)
        taken = np.frombuffer(bytes(self._pcm[:size]), dtype="<i2")
        del self._pcm[:size]
        self.start = position
        return taken


class Recording:
    """A stereo file being written; disk work happens in ``writer``, never in the event loop.

    A disk that is full or does not answer ends the recording, not the call: :attr:`failure` then
    tells why.  :meth:`open` and :meth:`close` wait for the disk as long as they are let;
    whoever gives up calls :meth:`abandon`.  Until it
    is closed the file has a hidden name (:mod:`agi_bot.privacy.unfinished`); with ``masked``
    also afterwards, until whoever masks it publishes it.
    """

    def __init__(self, path: Path, rate: int, writer: ThreadPoolExecutor, *, masked: bool = False) -> None:
        self.path = path
        self.failure = ""
        self._masked = masked
        self._rate = rate
        self._writer = writer
        self._caller = Track(rate)
        self._bot = Track(rate)
        self._file: sf.SoundFile | None = None
        self._waiting: deque[Future[None]] = deque()

    @property
    def caller_ms(self) -> float:
        """Length of the caller's track so far, ms."""
        return self._caller.end * 1000 / self._rate

    async def open(self) -> None:
        """Create the file.  Raises :class:`~agi_bot.errors.StoreError` when it cannot be created."""
        try:
            await self._in_writer(self._open)
        except (OSError, sf.SoundFileError) as error:
            raise StoreError(
                f"cannot create the recording {self.path}: {error}",
                cure="check the folder's rights and the free space of its disk",
            ) from error

    def _open(self) -> None:
        # Here, not where it is awaited: who gave up waiting must find the file to delete it.
        self._file = self._create()

    def _create(self) -> sf.SoundFile:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kind, subtype = FORMATS[self.path.suffix.lstrip(".")]
        made = sf.SoundFile(unfinished.unfinished(self.path), "w", self._rate, 2, subtype, format=kind)
        unfinished.hold(self.path)
        return made

    def caller(self, frame: Frame, at_ms: float) -> None:
        """The caller's sound, heard at ``at_ms``."""
        if not self.failure:
            self._caller.add(frame, at_ms)
            self._flush_when_due(at_ms)

    def bot(self, frame: Frame, at_ms: float) -> None:
        """The bot's sound, sent at ``at_ms``."""
        if not self.failure:
            self._bot.add(frame, at_ms)

    def _flush_when_due(self, at_ms: float) -> None:
        ready = int((at_ms - GAP_MS) * self._rate / 1000)
        if ready - self._caller.start >= FLUSH_MS * self._rate // 1000:
            self._flush(min(ready, self._caller.end))

    def _flush(self, position: int) -> None:
        self._bot.fill(position)
        both = np.stack([self._caller.take(position), self._bot.take(position)], axis=1)
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft()
        if len(self._waiting) >= MOST_WAITING:
            self.failure = "recording stopped: its disk does not answer"
            return
        self._waiting.append(self._writer.submit(self._write, both))

    def _write(self, both: npt.NDArray[np.int16]) -> None:
        if self._file is None or self.failure:
            return
        try:
            self._file.write(both)
        except (OSError, sf.SoundFileError) as error:
            self.failure = f"recording stopped: {error} (is the disk full?)"

    async def close(self) -> None:
        """Write what is left and close the file."""
        end = max(self._caller.end, self._bot.end)
        self._caller.fill(end)
        if end > self._caller.start and not self.failure:
            self._flush(end)
        await self._in_writer(self._close)

    def _close(self) -> None:
        if self._file is None:
            return
        try:
            self._file.close()
            if not self._masked:
                unfinished.publish(self.path)
        except (OSError, sf.SoundFileError) as error:
            self.failure = self.failure or f"recording not closed: {error}"
        self._file = None

    def abandon(self) -> None:
        """Nobody waits for the disk any more: what there is of the recording is deleted when it answers."""
        self.failure = self.failure or "no recording: its disk does not answer"
        self._masked = True
        self._writer.submit(self._discard)

    def _discard(self) -> None:
        with suppress(OSError, sf.SoundFileError):
            if self._file is not None:
                self._file.close()
            unfinished.unfinished(self.path).unlink(missing_ok=True)
        self._file = None
        unfinished.let_go(self.path)

    async def _in_writer(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, work)
