"""Bytes to frames: a header block, a blank line and a body of Content-Length bytes.

Sources: mod_event_socket.c (1.10.12) writes ``Content-Length`` with ``strlen``, that is in
BYTES; a frame without it has no body.  A leading newline between two frames is skipped, as
FreeSWITCH itself does (``read_packet``).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from esl.errors import RemoteProtocolError
from esl.headers import Headers

MAX_HEADER_BYTES = 1 << 20
"""A header block: the reply to ``connect`` carries every variable of a channel."""

MAX_BODY_BYTES = 64 << 20
"""A body: ``show channels`` of a big machine."""

_END = b"\n\n"
_NEWLINES = b"\r\n"
_COMMON_BYTES = 80
"""A head up to this size is likely to come again as it is (``api/response``, an event's outer one)."""


class Head(NamedTuple):
    """A header block that has been read; heads are shared between frames that begin alike."""

    headers: Headers
    kind: str | None
    length: int


class RawFrame(NamedTuple):
    """Outer headers (not decoded), their ``Content-Type`` and the body (bytes) of one message."""

    headers: Headers
    kind: str | None
    body: bytes = b""


class Framer:
    """Cuts a stream of bytes into frames.  No I/O, no clock."""

    def __init__(self) -> None:
        self._buffer: bytes | bytearray = b""
        self._start = 0
        """Where the next frame (or its body, when the head is known) begins in the buffer."""
        self._searched = 0
        self._head: Head | None = None

    def feed(self, data: bytes) -> None:
        """Add bytes as they came from the socket, in pieces of any size."""
        if self._start == len(self._buffer):
            self._buffer = bytes(data)
        else:
            if isinstance(self._buffer, bytes):
                self._buffer = bytearray(self._buffer)
            del self._buffer[: self._start]
            self._buffer += data
        self._searched = max(0, self._searched - self._start)
        self._start = 0

    @property
    def partial(self) -> bool:
        """True when a frame has begun and is not complete."""
        return self._head is not None or bool(self._buffer[self._start :].strip(_NEWLINES))

    def frames(self) -> Iterator[RawFrame]:
        """Every complete frame.

        Raises :class:`~esl.errors.RemoteProtocolError` at bytes that are no frame; what came
        before has been yielded then.
        """
        while (head := self._head or self._next_head()) is not None:
            headers, kind, length = head
            start = self._start
            if not length:
                self._head = None
                yield RawFrame(headers, kind)
                continue
            end = start + length
            if len(self._buffer) < end:
                self._head = head
                return
            self._head, self._start, self._searched = None, end, end
            yield RawFrame(headers, kind, bytes(self._buffer[start:end]))

    def _next_head(self) -> Head | None:
        """The next header block; None when it is not complete.  Blank lines before it are skipped."""
        while (end := self._buffer.find(_END, self._searched)) >= 0:
            raw = bytes(self._buffer[self._start : end])
            self._start = self._searched = end + len(_END)
            head = _common_head(raw) if len(raw) <= _COMMON_BYTES else _read_head(raw)
            if head is not None:
                return head
        self._searched = max(self._start, len(self._buffer) - 1)
        _check_size(len(self._buffer) - self._start)
        return None


def _read_head(raw: bytes) -> Head | None:
    """None: blank lines and nothing else."""
    _check_size(len(raw))
    raw = raw.lstrip(_NEWLINES)
    if not raw:
        return None
    headers = Headers.parse(raw.decode("utf-8", errors="replace"))
    return Head(headers, headers.get("Content-Type"), _body_length(headers))


_common_head = lru_cache(maxsize=512)(_read_head)


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
