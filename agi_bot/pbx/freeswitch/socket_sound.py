"""The sound of a call over a WebSocket: what both modules have in common, and mod_audio_fork's way of speaking."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable

from agi_bot.audio import FRAME_MS, Frame, frame_bytes
from agi_bot.errors import ProtocolError
from agi_bot.pbx.freeswitch.websocket import Wire
from agi_bot.pbx.media import LineClock, Sound

PREBUFFER = 1280
"""Samples that mod_audio_fork gathers before the caller hears the first (``fork_data_init`` of lws_glue.cpp)."""

GROUP = 640
"""Samples that it gathers from then on (``processIncomingBinary``)."""

KILLED_TICKS = 2
"""It forgets with the next frame that it sends: what comes before would be forgotten, too."""

KILL = json.dumps({"type": "killAudio"})
"""Makes it forget what it has gathered and not played."""


class SocketSound(Sound):
    """Hears: 16-bit little-endian mono PCM in binary messages of any length.  Texts are passed to :meth:`_told`.

    ``rate`` is what the module was asked for, Hz.
    """

    def __init__(self, clock: LineClock, inbox_frames: int) -> None:
        super().__init__(inbox_frames)
        self._clock = clock
        self._wire: Wire | None = None
        self._rest = b""

    def use_rate(self, rate: int) -> None:
        """Before the first sound only."""
        self._use_rate(rate)

    def connected(self, wire: Wire) -> None:
        """The module is there."""
        self._wire = wire
        if self.ended.is_set():
            wire.abort()
        else:
            self._clock.add(self)

    def tick(self) -> None:
        """20 ms have passed."""
        self._fill()

    def received(self, message: str | bytes) -> None:
        """Raises :class:`ProtocolError` for half a sample."""
        if isinstance(message, str):
            self._told(message)
            return
        if len(message) % 2:
            raise ProtocolError(
                f"a sound message of {len(message)} bytes, which is not a number of 16-bit samples",
                cure="is something else than FreeSWITCH's module connected?",
            )
        self._take(message)

    def disconnected(self, reason: str) -> None:
        """The connection ended."""
        self._wire = None
        self._break(reason)

    def close(self, reason: str) -> None:
        wire, self._wire = self._wire, None
        self._end(reason, discard=True)
        self._clock.remove(self)
        if wire is not None:
            wire.abort()

    def _take(self, pcm: bytes) -> None:
        """Frames of 20 ms, however the module cut them."""
        self._rest += pcm
        size = frame_bytes(self.rate)
        count = len(self._rest) // size
        for place in range(count):
            self._hear(Frame(self._rest[place * size : (place + 1) * size], self.rate))
        self._rest = self._rest[count * size :]
        if count:
            self.sounded.set()

    def _told(self, text: str) -> None:
        """A text of the module; none of them matters here."""


class ForkSound(SocketSound):
    """mod_audio_fork with ``bidirectionalAudio_stream``: what is sent is mixed into what the caller hears.

    It plays nothing before :data:`PREBUFFER` samples are there, later in groups of
    :data:`GROUP`.  So silence is sent first, and forgotten, and from then on something every 20 ms:
    the end of a play is not held back, and the way has the same length all the time (80 ms at 8 kHz).
    """

    def __init__(self, clock: LineClock, inbox_frames: int) -> None:
        super().__init__(clock, inbox_frames)
        self._pause = 0
        self._gathered = 0

    def connected(self, wire: Wire) -> None:
        super().connected(wire)
        if self.ended.is_set():
            return
        wire.send(bytes(PREBUFFER * 2))
        wire.send(KILL)
        self._pause = KILLED_TICKS

    async def play(self, frames: AsyncIterable[Frame]) -> None:
        try:
            await super().play(frames)
        except asyncio.CancelledError:
            self._hush()
            raise

    @property
    def due_ms(self) -> int:
        """After a break nothing is sent until the module has forgotten."""
        return super().due_ms + self._pause * FRAME_MS

    def tick(self) -> None:
        """Send what is due."""
        super().tick()
        if self._wire is None:
            return
        if self._pause:
            self._pause -= 1
            return
        chunk = self._next()
        if self._wire.backlog_bytes:
            # Sound that cannot go out now is late sound: better none than a growing delay.
            self._counters.skipped += 1
            return
        self._send(chunk or bytes(frame_bytes(self.rate)))
        self._sent(chunk)

    def _send(self, pcm: bytes) -> None:
        assert self._wire is not None
        self._wire.send(pcm)
        gathered = self._gathered + len(pcm) // 2
        self._gathered = 0 if gathered >= GROUP else gathered

    def _hush(self) -> None:
        """Fill the group up, so that nothing of the play lies where it cannot be forgotten, then have it forgotten."""
        if self._wire is None:
            return
        if self._gathered:
            self._send(bytes((GROUP - self._gathered) * 2))
        self._wire.send(KILL)
        self._pause = KILLED_TICKS
