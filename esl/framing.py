"""Bytes to frames: a header block, a blank line and a body of Content-Length bytes.

Sources: mod_event_socket.c (1.10.12) writes ``Content-Length`` with ``strlen``, that is in
BYTES; a frame without it has no body.  A leading newline between two frames is skipped, as
FreeSWITCH itself does (``read_packet``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from esl.errors import RemoteProtocolError
from esl.headers import Headers

MAX_HEADER_BYTES = 1 << 20
"""A header block: the reply to ``connect`` carries every variable of a channel."""

MAX_BODY_BYTES = 64 << 20
"""A body: ``show channels`` of a big machine."""

_END = b"\n\n"


@dataclass(frozen=True, slots=True)
class RawFrame:
    """Outer headers (not decoded) and body (bytes) of one message."""

    headers: Headers
    body: bytes = b""


class Framer:
    """Cuts a stream of bytes into frames.  No I/O, no clock."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._waiting: tuple[Headers, int] | None = None

    def feed(self, data: bytes) -> None:
        """Add bytes as they came from the socket, in pieces of any size."""
        self._buffer += data

    @property
    def partial(self) -> bool:
        """True when a frame has begun and is not complete."""
        return bool(self._buffer.strip(b"\r\n")) or self._waiting is not None

    def frames(self) -> Iterator[RawFrame]:
        """Every complete frame.

        Raises :class:`~esl.errors.RemoteProtocolError` at bytes that are no frame; what came
        before has been yielded then.
        """
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> RawFrame | None:
        if self._waiting is None:
            self._waiting = self._head()
        if self._waiting is None:
            return None
        headers, length = self._waiting
        if len(self._buffer) < length:
            return None
        self._waiting = None
        return RawFrame(headers, self._take(length))

    def _head(self) -> tuple[Headers, int] | None:
        self._skip_blank_lines()
        end = self._buffer.find(_END, self._searched)
        if end < 0:
            self._searched = max(0, len(self._buffer) - 1)
            self._check_size(len(self._buffer))
            return None
        self._check_size(end)
        head = self._take(end)
        del self._buffer[: len(_END)]
        headers = Headers.parse(head.decode("utf-8", errors="replace"))
        return headers, _body_length(headers)

    def _skip_blank_lines(self) -> None:
        if self._buffer.startswith((b"\n", b"\r")):
            kept = self._buffer.lstrip(b"\r\n")
            del self._buffer[: len(self._buffer) - len(kept)]
            self._searched = 0

    def _take(self, length: int) -> bytes:
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._searched = 0
        return taken

    @staticmethod
    def _check_size(size: int) -> None:
        if size > MAX_HEADER_BYTES:
            raise RemoteProtocolError(f"a header block of more than {MAX_HEADER_BYTES} bytes")


def _body_length(headers: Headers) -> int:
    told = headers.get("Content-Length")
    if told is None:
        return 0
    if not (told.isascii() and told.isdecimal()):
        raise RemoteProtocolError(f"Content-Length is not a number: {told[:40]!r}")
    if len(told) > 12 or int(told) > MAX_BODY_BYTES:
        raise RemoteProtocolError(f"Content-Length {told[:40]} is more than {MAX_BODY_BYTES} bytes")
    return int(told)
