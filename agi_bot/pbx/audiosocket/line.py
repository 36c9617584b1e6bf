"""One AudioSocket connection: a call's sound, both ways."""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import dataclass
from typing import Protocol, cast
from uuid import UUID

from agi_bot.audio import LINE_RATE, Frame, frame_bytes
from agi_bot.contracts import Digit
from agi_bot.errors import ProtocolError
from agi_bot.pbx.audiosocket import protocol
from agi_bot.pbx.media import TICK_S, LineClock, Sound

log = logging.getLogger(__name__)

SEND_BUFFER_BYTES = 16384
"""Kernel buffer towards Asterisk: a second of sound must not pile up there unheard."""

RECEIVE_BYTES = 4096
"""Taken at a time, a dozen frames, into a buffer that stays: asyncio by itself allots 256 KiB for each frame."""


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """Watchdogs and buffers of a line.

    ``hello_s``: a connection that has not told its UUID by then is closed.  ``quiet_s``: so
    is a line on which Asterisk sends nothing at all (a telephone that suppresses silence may be
    quiet for as long as its owner listens), and ``stuck_s`` one from which it takes
    nothing.  ``inbox_frames``: frames (20 ms each) kept for a bot that is behind.
    """

    hello_s: float = 3.0
    quiet_s: float = 120.0
    stuck_s: float = 3.0
    inbox_frames: int = 100


class LineOwner(Protocol):
    """Whoever keeps the lines: the media server."""

    def arrived(self, line: Line) -> None:
        """``line`` told its UUID; the owner keeps it or closes it."""

    def left(self, line: Line) -> None:
        """``line`` ended."""


class Line(Sound, asyncio.BufferedProtocol):
    """Keeps the line alive with silence, plays, hears, and watches that the peer still lives."""

    def __init__(self, owner: LineOwner, clock: LineClock, limits: MediaLimits) -> None:
        super().__init__(limits.inbox_frames)
        self._owner = owner
        self._clock = clock
        self._limits = limits
        self._parser = protocol.Parser()
        self._received = memoryview(bytearray(RECEIVE_BYTES))
        self._transport: asyncio.Transport | None = None
        self._quiet = 0
        self._stuck = 0
        self._set_rate(LINE_RATE)
        self.uuid: UUID | None = None
        self.peer = ""

    @property
    def backlog_bytes(self) -> int:
        """Sound that Asterisk has not taken yet, as far as this process can see."""
        return self._transport.get_write_buffer_size() if self._transport else 0

    def close(self, reason: str) -> None:
        """End in good order: Asterisk's dialplan goes on.  Idempotent."""
        if self._transport is not None and not self.ended.is_set():
            if not self._transport.get_write_buffer_size():
                self._transport.write(protocol.HANG_UP)
                self._transport.close()
            else:
                self._transport.abort()
        self._finish(reason, discard=True)

    # --- asyncio.BufferedProtocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Other event loops' transports are alike, but not of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)
        self.peer = "{}:{}".format(*transport.get_extra_info("peername")[:2])
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._clock.add(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._received

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(self._received[:nbytes])

    def data_received(self, data: bytes | memoryview) -> None:
        """``data`` came from Asterisk."""
        self._quiet = 0
        self._parser.receive(data)
        try:
            for message in self._parser.messages():
                self._take(message)
        except ProtocolError as error:
            self._fail(str(error))

    def eof_received(self) -> bool:
        try:
            self._parser.end()
        except ProtocolError as error:
            self._fail(str(error))
        self._finish("hung up")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(f"connection lost: {exc}" if exc else "hung up")

    # --- driven by the clock ---

    def tick(self) -> None:
        """Send what is due and look whether the peer lives."""
        self._quiet += 1
        limit = self._limits.quiet_s if self.uuid else self._limits.hello_s
        if self._quiet * TICK_S > limit:
            self._fail(f"nothing came for {limit:g} s")
        elif self.uuid is not None:
            self._fill()
            self._send(self._next())

    def _send(self, chunk: bytes | None) -> None:
        assert self._transport is not None
        if self._transport.get_write_buffer_size():
            # Sound that cannot go out now is late sound: better none than a growing delay.
            self._skip()
            return
        self._stuck = 0
        self._transport.write(self._silence if chunk is None else self._header + chunk)
        self._sent(chunk)

    def _skip(self) -> None:
        self._stuck += 1
        self._counters.skipped += 1
        if self._stuck * TICK_S > self._limits.stuck_s:
            self._fail(f"Asterisk took no sound for {self._limits.stuck_s:g} s")

    def _take(self, message: protocol.Message) -> None:
        if self.ended.is_set():
            return
        if isinstance(message, Frame):
            self._first_or_next(message)
        elif isinstance(message, Digit):
            self._inbox.put(message)
        elif isinstance(message, protocol.Hello):
            self.uuid = message.uuid
            self._owner.arrived(self)
        elif isinstance(message, protocol.HangUp):
            self.close("hung up")
        else:
            self._fail(f"Asterisk reports AudioSocket error {message.code}")

    def _first_or_next(self, frame: Frame) -> None:
        if not self.sounded.is_set():
            if frame.rate != self.rate:
                self._set_rate(frame.rate)
            self.sounded.set()
        self._hear(frame)

    def _set_rate(self, rate: int) -> None:
        """The first sound tells the rate of the call, in both directions."""
        size = frame_bytes(rate)
        self._use_rate(rate)
        self._header = protocol.header(rate, size)
        self._silence = self._header + bytes(size)

    def _fail(self, reason: str) -> None:
        log.warning("audio.closed", extra={"uuid": str(self.uuid or ""), "peer": self.peer, "reason": reason})
        if self._transport is not None:
            self._transport.abort()
        self.lost = self.lost or reason
        self._finish(reason, discard=True)

    def _finish(self, reason: str, *, discard: bool = False) -> None:
        if self._end(reason, discard=discard):
            self._clock.remove(self)
            self._owner.left(self)
