"""What every carrier of a call's sound has in common; the carrier itself adds the wire."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass

from agi_bot.audio import FRAME_MS, LINE_RATE, Frame, rms_dbfs, silence
from agi_bot.contracts import Digit
from agi_bot.errors import CallGone
from agi_bot.pbx.media.gaps import Gaps
from agi_bot.pbx.media.inbox import Inbox
from agi_bot.pbx.media.playout import Playout

VOICE_DBFS = -40.0
"""Sound of this level breaks off in mid-word."""


@dataclass(slots=True)
class Counters:
    """Frames of a call: from the caller, lost because the bot was behind, sent, not sent, silence put into gaps."""

    received: int = 0
    dropped: int = 0
    sent: int = 0
    skipped: int = 0
    filled: int = 0


class Sound(ABC):
    """Both directions of a call's sound, from the beginning to the end.

    A carrier hands in what it hears (:meth:`_hear`), takes what is due (:meth:`_next`), tells
    what it sent (:meth:`_sent`), tells every 20 ms (:meth:`_fill`) and ends it once (:meth:`_end`).
    """

    def __init__(self, inbox_frames: int) -> None:
        self._inbox = Inbox(inbox_frames)
        self._playout = Playout(LINE_RATE)
        self._counters = Counters()
        self._gaps = Gaps()
        self._still = self._last = silence()
        self._passed_ms = 0
        """The line's own time: 20 ms for each tick, whether it sent sound or silence."""
        self.reason = ""
        self.lost = ""
        """Why the sound ended, where not the caller and not the bot have ended it; set before :attr:`ended`."""
        self.ended = asyncio.Event()
        self.broken = asyncio.Event()
        """The carrier's connection has ended; whether because the caller hung up is not known yet."""
        self.quiet_limit_s = 0.0
        """The sound is lost when nothing at all came for so long, s; 0: never."""
        self._quiet_ms = 0
        self.sounded = asyncio.Event()
        self.tap: Callable[[bytes | None], None] | None = None
        """Told every 20 ms what is sent now: PCM, or ``None`` for silence (for recordings)."""

    @property
    def rate(self) -> int:
        """Sampling rate in Hz of both directions, for good from the first sound on."""
        return self._playout.rate

    @property
    def counters(self) -> Counters:
        """What has passed so far, in frames."""
        self._counters.dropped = self._inbox.dropped
        return self._counters

    def frames(self) -> AsyncIterator[Frame | Digit]:
        """The caller's sound and keys until the call ends."""
        return self._inbox.items()

    async def play(self, frames: AsyncIterable[Frame]) -> None:
        """See :meth:`agi_bot.contracts.Call.play`."""
        await self._playout.play(frames)

    @property
    def unheard_ms(self) -> int:
        """See :meth:`agi_bot.contracts.Call.unheard_ms`."""
        return self._playout.ahead_ms

    @property
    def due_ms(self) -> int:
        """See :meth:`agi_bot.contracts.Call.due_ms`."""
        return self._passed_ms + self.unheard_ms

    def press(self, key: str) -> None:
        """A key, which came with the sound or by another way."""
        self._inbox.put(Digit(key))

    @abstractmethod
    def close(self, reason: str) -> None:
        """End both directions; idempotent."""

    def lose(self, reason: str) -> None:
        """End both directions for a reason that is neither the caller's nor the bot's; idempotent."""
        if not self.ended.is_set():
            self.lost = reason
            self.close(reason)

    # --- for the carrier ---

    def _break(self, reason: str) -> None:
        """The connection has ended; the leg finds out why."""
        self.reason = self.reason or reason
        self.broken.set()

    def _use_rate(self, rate: int) -> None:
        """Before the first sound only: what plays already would be lost."""
        self._playout = Playout(rate)
        self._still = silence(rate=rate)

    def _hear(self, frame: Frame) -> None:
        self._counters.received += 1
        self._quiet_ms = 0
        self._gaps.heard(frame.ms)
        self._last = frame
        self._inbox.put(Frame(frame.pcm, frame.rate, self._passed_ms))

    def _fill(self) -> None:
        """20 ms have passed.  Where nothing comes silence is heard, or the conversation's time would stand still.

        It never pushes sound out of a full inbox.
        """
        self._passed_ms += FRAME_MS
        self._quiet_ms += FRAME_MS
        if 0 < self.quiet_limit_s * 1000 < self._quiet_ms:
            self.lose(f"nothing came for {self.quiet_limit_s:g} s")
            return
        if not self._gaps.passed(begun=self.sounded.is_set()):
            return
        if self._gaps.may_be_stall and rms_dbfs(self._last) > VOICE_DBFS:
            return
        while self._gaps.due and not self._inbox.full:
            self._counters.filled += 1
            self._gaps.filled(FRAME_MS)
            self._inbox.put(self._still)

    def _next(self) -> bytes | None:
        """The 20 ms that are due; ``None``: silence."""
        return self._playout.next()

    def _sent(self, chunk: bytes | None, packets: int = 1) -> None:
        self._counters.sent += packets
        if self.tap is not None:
            self.tap(chunk)

    def _end(self, reason: str, *, discard: bool = False) -> bool:
        """End both directions; ``discard`` what was not taken yet.  False: it had ended before."""
        self._inbox.close(discard=discard)
        if self.ended.is_set():
            return False
        self.reason = reason
        self.ended.set()
        self._playout.close(CallGone(f"the call's sound is gone: {reason}"))
        return True
