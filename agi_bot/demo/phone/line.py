"""The sound of one telephone call: RTP both ways, 20 ms a packet, everything kept with its time."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from agi_bot.audio import FRAME_MS, LINE_RATE, Frame, Samples, mulaw_decode, mulaw_encode, resample, split
from agi_bot.demo.phone import rtp
from agi_bot.demo.phone.tape import Tape

TICK_S = FRAME_MS / 1000
_SILENCE = b"\xff" * rtp.SAMPLES


Background = Callable[[int], Samples]
"""The next so many samples of what is to be heard behind the voice."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A packet that arrived: when (seconds of the loop's clock), and its sound."""

    at: float
    sequence: int
    samples: Samples


class Line(asyncio.DatagramProtocol):
    """One RTP stream each way, PCMU.  It sends silence when nothing is played, as telephones do."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.DatagramTransport | None = None
        self._far: tuple[str, int] | None = None
        self._queue: deque[tuple[bytes, asyncio.Future[float] | None]] = deque()
        self._keys: deque[tuple[bytes, bool]] = deque()
        self._key_clock = 0
        self._pressed = asyncio.Event()
        self._sender: asyncio.Task[None] | None = None
        self._source = secrets.randbits(32)
        self._sequence = secrets.randbits(15)
        self._clock = secrets.randbits(31)
        self._last_key: tuple[int, str] = (-1, "")
        self.closed = False
        self.background: Background | None = None
        """Mixed under everything that is sent: noise, echo of what is heard."""
        self.heard: list[Heard] = []
        self.keys = ""
        """Keys that the other side pressed."""
        self.received = Tape()
        self.sent = Tape()
        self._watchers: set[asyncio.Queue[Heard]] = set()

    async def open(self) -> int:
        """Bind to a free port of 127.0.0.1; the port."""
        await self._loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    def start(self, far: tuple[str, int]) -> None:
        """Begin to send to ``far``."""
        self._far = far
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())

    def close(self) -> None:
        """Send and hear no more; waiting plays end."""
        self.closed = True
        if self._sender is not None:
            self._sender.cancel()
        if self._transport is not None:
            self._transport.close()
        self.silence()
        self._pressed.set()

    async def play(self, sound: Frame) -> tuple[float, float]:
        """Speak ``sound`` to its end; when it began and ended, seconds of the loop's clock.

        Nothing is spoken on a closed line.
        """
        pieces = [mulaw_encode(frame.samples) for frame in split(resample(sound, LINE_RATE))]
        if not pieces or self.closed:
            now = self._loop.time()
            return now, now
        first, last = self._loop.create_future(), self._loop.create_future()
        marks: list[asyncio.Future[float] | None] = [None] * len(pieces)
        marks[0], marks[-1] = first, last if len(pieces) > 1 else first
        self._queue.extend(zip(pieces, marks, strict=True))
        began = await first
        return began, (await last if len(pieces) > 1 else began) + TICK_S

    def silence(self) -> None:
        """Drop what is still to be spoken."""
        now = self._loop.time()
        for _, mark in self._queue:
            if mark is not None and not mark.done():
                mark.set_result(now)
        self._queue.clear()

    async def press(self, keys: str) -> None:
        """Press ``keys`` one after the other, 100 ms each with 100 ms between them."""
        for key in () if self.closed else keys:
            self._keys.extend(rtp.key_events(key))
            self._key_clock = self._clock
            self._pressed.clear()
            await self._pressed.wait()
            await asyncio.sleep(0.1)

    def watch(self) -> Watch:
        """A place where packets are seen as they arrive."""
        return Watch(self._watchers)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # a subclass of it only since Python 3.12

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        packet = rtp.parse(data)
        if packet is None:
            return
        if packet.kind == rtp.PCMU:
            self._take_sound(packet)
        elif key := rtp.key_end(packet.payload):
            self._take_key(packet.timestamp, key)

    def _take_sound(self, packet: rtp.Packet) -> None:
        heard = Heard(self._loop.time(), packet.sequence, mulaw_decode(packet.payload))
        self.heard.append(heard)
        self.received.add(heard.at, heard.samples, packet.timestamp)
        for queue in self._watchers:
            queue.put_nowait(heard)

    def _take_key(self, timestamp: int, key: str) -> None:
        """The end of a key comes three times; it is one key."""
        if self._last_key != (timestamp, key):
            self._last_key = (timestamp, key)
            self.keys += key

    async def _send(self) -> None:
        due = self._loop.time()
        while True:
            now = self._loop.time()
            if now - due > 5 * TICK_S:
                due = now  # the machine was busy: go on from here, never burst
            self._send_one(due)
            due += TICK_S
            await asyncio.sleep(max(0.0, due - self._loop.time()))

    def _send_one(self, due: float) -> None:
        payload, mark = self._queue.popleft() if self._queue else (_SILENCE, None)
        if mark is not None and not mark.done():
            mark.set_result(due)
        payload = self._mixed(payload)
        self.sent.add(due, mulaw_decode(payload))
        for packet in self._packets(payload):
            if self._transport is not None and not self._transport.is_closing():
                self._transport.sendto(packet.pack(), self._far)
        self._clock += rtp.SAMPLES

    def _mixed(self, payload: bytes) -> bytes:
        if self.background is None:
            return payload
        mixed = mulaw_decode(payload).astype(np.int32) + self.background(rtp.SAMPLES)
        return mulaw_encode(np.clip(mixed, -32768, 32767).astype(np.int16))

    def _packets(self, payload: bytes) -> Iterator[rtp.Packet]:
        """A key press takes the place of the sound while it lasts; its end packets go out at once."""
        if not self._keys:
            yield self._packet(rtp.PCMU, self._clock, payload)
            return
        while self._keys:
            event, first = self._keys.popleft()
            yield self._packet(rtp.EVENTS, self._key_clock, event, first)
            if not event[1] & 0x80:
                return
        self._pressed.set()

    def _packet(self, kind: int, clock: int, payload: bytes, marker: bool = False) -> rtp.Packet:
        self._sequence += 1
        return rtp.Packet(kind, self._sequence, clock, self._source, payload, marker)


class Watch:
    """``with line.watch() as packets: await packets.get()``."""

    def __init__(self, watchers: set[asyncio.Queue[Heard]]) -> None:
        self._watchers = watchers
        self._queue: asyncio.Queue[Heard] = asyncio.Queue()

    def __enter__(self) -> asyncio.Queue[Heard]:
        self._watchers.add(self._queue)
        return self._queue

    def __exit__(self, *_: object) -> None:
        self._watchers.discard(self._queue)
