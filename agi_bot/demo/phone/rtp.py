"""RTP packets (RFC 3550) and telephone events in them (RFC 4733).  Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

PCMU = 0
EVENTS = 101
KEYS = "0123456789*#ABCD"
SAMPLES = 160
"""Samples, and so clock ticks at 8000 Hz, of a 20 ms packet."""

_HEADER = struct.Struct("!BBHII")


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet.  ``timestamp`` counts samples; ``marker`` starts a talk spurt."""

    kind: int
    sequence: int
    timestamp: int
    source: int
    payload: bytes
    marker: bool = False

    def pack(self) -> bytes:
        """The bytes on the wire."""
        head = _HEADER.pack(
            0x80,
            self.kind | (0x80 if self.marker else 0),
            self.sequence & 0xFFFF,
            self.timestamp & 0xFFFFFFFF,
            self.source,
        )
        return head + self.payload


def parse(data: bytes) -> Packet | None:
    """The packet in ``data``; ``None`` for what is no RTP (RTCP, STUN, garbage)."""
    if len(data) < _HEADER.size or data[0] >> 6 != 2 or 72 <= data[1] & 0x7F <= 76:
        return None
    first, second, sequence, timestamp, source = _HEADER.unpack_from(data)
    start = _HEADER.size + 4 * (first & 0x0F)
    if first & 0x10:
        if len(data) < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    end = len(data) - (data[-1] if first & 0x20 else 0)
    if start > end:
        return None
    return Packet(second & 0x7F, sequence, timestamp, source, data[start:end], bool(second & 0x80))


def key_events(key: str, *, ms: int = 100) -> Iterator[tuple[bytes, bool]]:
    """Payloads of one key press, 20 ms apart, and whether the packet is the first.

    The last one is sent three times with the end bit, as RFC 4733 section 2.5.1.4 asks.
    Raises :class:`ValueError` for what is no key.
    """
    code = KEYS.index(key.upper())
    steps = max(1, ms // 20)
    for step in range(1, steps + 1):
        yield struct.pack("!BBH", code, 10, step * SAMPLES), step == 1
    for _ in range(3):
        yield struct.pack("!BBH", code, 0x80 | 10, steps * SAMPLES), False


def key_end(payload: bytes) -> str:
    """The key that an event payload ends; empty when it does not end one."""
    if len(payload) < 4 or not payload[1] & 0x80 or payload[0] >= len(KEYS):
        return ""
    return KEYS[payload[0]]
