"""Bytes to frames: a header block, a blank line and a body of Content-Length bytes.

Sources: mod_event_socket.c (1.10.12) writes ``Content-Length`` with ``strlen``, that is in
BYTES; a frame without it has no body.  A leading newline between two frames is skipped, as
FreeSWITCH itself does (``read_packet``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from esl.errors import RemoteProtocolError
from esl.headers import Headers

MAX_HEADER_BYTES = 1 << 20
"""A header block: the reply to ``connect`` carries every variable of a channel."""

MAX_BODY_BYTES = 64 << 20
"""A body: ``show channels`` of a big machine."""

_END = b"\n\n"
_USUAL = re.compile(
    rb"(?:Content-Type: ([a-z/-]+)\n)?Content-Length: (\d{1,7})\n"
    rb"(?:Content-Type: ([a-z/-]+)\n)?\n"
)
"""The heads of api responses and events as FreeSWITCH writes them; all others go the careful way."""
_NEWLINES = b"\r\n"


class RawFrame(NamedTuple):
    """Outer headers (not decoded) and body (bytes) of one message."""

    headers: Headers
    body: bytes = b""


class Framer:
    """Cuts a stream of bytes into frames.  No I/O, no clock."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._start = 0
        """Where the next frame (or its body, when the head is known) begins in the buffer."""
        self._searched = 0
        self._head: Headers | None = None
        self._length = 0

    def feed(self, data: bytes) -> None:
        """Add bytes as they came from the socket, in pieces of any size."""
        if self._start:
            del self._buffer[: self._start]
            self._searched = max(0, self._searched - self._start)
            self._start = 0
        self._buffer += data

    @property
    def partial(self) -> bool:
        """True when a frame has begun and is not complete."""
        return self._head is not None or bool(self._buffer[self._start :].strip(_NEWLINES))

    def frames(self) -> Iterator[RawFrame]:
        """Every complete frame.

        Raises :class:`~esl.errors.RemoteProtocolError` at bytes that are no frame; what came
        before has been yielded then.
        """
        while self._head is not None or self._read_head():
            end = self._start + self._length
            if len(self._buffer) < end or self._head is None:
                return
            frame = RawFrame(self._head, bytes(self._buffer[self._start : end]) if self._length else b"")
            self._head, self._start, self._searched = None, end, end
            yield frame

    def _read_head(self) -> bool:
        """Read the next header block; False when it is not complete."""
        usual = _USUAL.match(self._buffer, self._start)
        if usual is not None and bool(usual[1]) != bool(usual[3]):
            kind, length = usual[1] or usual[3], usual[2]
            self._head = Headers({"Content-Type": kind.decode(), "Content-Length": length.decode()})
            self._start, self._length = usual.end(), int(length)
            return True
        return self._read_unusual_head()

    def _read_unusual_head(self) -> bool:
        if self._buffer.startswith((b"\n", b"\r"), self._start):
            self._skip_blank_lines()
        end = self._buffer.find(_END, max(self._start, self._searched))
        size = (end if end >= 0 else len(self._buffer)) - self._start
        if size > MAX_HEADER_BYTES:
            raise RemoteProtocolError(f"a header block of more than {MAX_HEADER_BYTES} bytes")
        if end < 0:
            self._searched = max(self._start, len(self._buffer) - 1)
            return False
        text = self._buffer[self._start : end].decode("utf-8", errors="replace")
        self._head = Headers.parse(text)
        self._start = end + len(_END)
        self._length = _body_length(self._head)
        return True

    def _skip_blank_lines(self) -> None:
        while self._buffer.startswith((b"\n", b"\r"), self._start):
            self._start += 1


def _body_length(headers: Headers) -> int:
    told = headers.get("Content-Length")
    if told is None:
        return 0
    if not (told.isascii() and told.isdecimal()):
        raise RemoteProtocolError(f"Content-Length is not a number: {told[:40]!r}")
    if len(told) > 12 or int(told) > MAX_BODY_BYTES:
        raise RemoteProtocolError(f"Content-Length {told[:40]} is more than {MAX_BODY_BYTES} bytes")
    return int(told)
