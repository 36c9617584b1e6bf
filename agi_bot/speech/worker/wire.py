"""Messages between us and a worker process, over its standard input and output.

Each message is a 9-byte header (payload bytes, kind, request number; little-endian) and
the payload: JSON in UTF-8, or 16-bit little-endian mono PCM for :attr:`Kind.SOUND`.
Request number 0 is the worker itself.

==========  =========  ==============================================================
kind        direction  payload
==========  =========  ==============================================================
SPEAK       to worker  JSON object that the engine understands
CANCEL      to worker  none; a late one is ignored
READY       from it    JSON object: ``rate`` (Hz) and what else the engine tells
STARTED     from it    none; the worker now works at a piece of the request
SOUND       from it    PCM at the engine's rate
ENDED       from it    JSON object: ``rss_mb``, the worker's resident memory
REFUSED     from it    UTF-8 text: why; with request 0 the worker could not load
==========  =========  ==============================================================

This module does no I/O.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

_HEADER = struct.Struct("<IBI")
MAX_PAYLOAD = 1 << 24
"""Bytes; a longer payload means that the stream is not ours."""


class Kind(IntEnum):
    """What a message says."""

    SPEAK = 1
    CANCEL = 2
    READY = 3
    STARTED = 4
    SOUND = 5
    ENDED = 6
    REFUSED = 7


@dataclass(frozen=True, slots=True)
class Message:
    """One message; ``request`` is 1..2^32-1, or 0 for the worker itself."""

    kind: Kind
    request: int
    payload: bytes = b""

    def encode(self) -> bytes:
        return _HEADER.pack(len(self.payload), self.kind, self.request) + self.payload


class Decoder:
    """Bytes in any cut to messages.  Raises :class:`ValueError` for what is not ours."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that ``data`` completes."""
        self._buffer += data
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> Message | None:
        if len(self._buffer) < _HEADER.size:
            return None
        length, kind, request = _HEADER.unpack_from(self._buffer)
        if length > MAX_PAYLOAD:
            raise ValueError(f"a message of {length} bytes is longer than {MAX_PAYLOAD}")
        message_kind = Kind(kind)
        end = _HEADER.size + length
        if len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[_HEADER.size : end])
        del self._buffer[:end]
        return Message(message_kind, request, payload)
