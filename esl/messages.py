"""What a FreeSWITCH can say, one frozen class for each kind of message.

Each is told by the ``Content-Type`` of its frame (mod_event_socket.c, 1.10.12):
``auth/request``, ``command/reply``, ``api/response``, ``text/event-plain``,
``text/event-json``, ``log/data``, ``text/disconnect-notice``, ``text/rude-rejection``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from esl.commands import Command
from esl.errors import RemoteProtocolError
from esl.framing import RawFrame
from esl.headers import Headers


@dataclass(frozen=True, slots=True)
class AuthRequest:
    """The greeting of an inbound socket: FreeSWITCH waits 25 s for ``auth``."""


class Reply(NamedTuple):
    """The answer to ``command``: ``text`` is the Reply-Text or the body of an api response."""

    text: str
    headers: Headers
    command: Command

    @property
    def ok(self) -> bool:
        """False for ``-ERR ...`` and ``-USAGE: ...``."""
        return not self.text.startswith(("-ERR", "-USAGE"))


@dataclass(frozen=True, slots=True)
class Event:
    """An event.  ``body`` is its inner body (a job's result), never mixed with the headers."""

    headers: Headers
    body: str = ""
    name: str = field(init=False, repr=False, compare=False)
    """``Event-Name``; empty when there is none."""

    def __post_init__(self) -> None:
        # Every listener asks for it: looked up once.
        object.__setattr__(self, "name", self.headers.get("Event-Name", ""))

    @property
    def subclass(self) -> str:
        """``Event-Subclass`` of a CUSTOM event; empty otherwise."""
        return self.headers.get("Event-Subclass", "")

    @property
    def uuid(self) -> str:
        """``Unique-ID`` of the channel; empty when the event belongs to none."""
        return self.headers.get("Unique-ID", "")

    def __getitem__(self, name: str) -> str:
        return self.headers[name]

    def get(self, name: str, default: str = "") -> str:
        """Header ``name`` or ``default``."""
        return self.headers.get(name, default)


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of FreeSWITCH's log (after the ``log`` command)."""

    text: str
    headers: Headers


@dataclass(frozen=True, slots=True)
class Disconnect:
    """A notice that the socket ends, or, with ``linger``, that the call has ended and the socket stays.

    ``linger_s`` is the time left, s; -1 for no limit.
    """

    text: str = ""
    linger: bool = False
    linger_s: int = -1


@dataclass(frozen=True, slots=True)
class Rejected:
    """An access list refused our address; the socket closes."""

    text: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """A message that cannot be understood in a frame that is intact: the link lives on.

    ``reason`` says what was wrong, ``raw`` holds the body as it came.
    """

    reason: str
    raw: bytes = field(repr=False, default=b"")


REPLIES = ("command/reply", "api/response")
"""The Content-Types of replies, which come in the order of the commands."""

_BLANK_LINE = re.compile(rb"\n\n")

Message = AuthRequest | Reply | Event | LogLine | Disconnect | Rejected | Malformed


def read(frame: RawFrame, kind: str) -> Message:
    """The message in a frame of Content-Type ``kind`` that is no reply."""
    reader = _READERS.get(kind)
    if reader is None:
        return Malformed(f"unknown Content-Type {kind!r}", frame.body)
    return reader(frame)


def content_type(frame: RawFrame) -> str:
    """The frame's Content-Type.  Raises :class:`~esl.errors.RemoteProtocolError` when it has none."""
    if frame.kind is None:
        shown = ", ".join(list(frame.headers)[:5])
        raise RemoteProtocolError(f"a message without Content-Type (headers: {shown})")
    return frame.kind


def read_reply(frame: RawFrame, command: Command) -> Reply:
    """The answer to ``command``; that to ``connect`` is an encoded event in the outer headers."""
    headers = frame.headers
    if command.line == "connect":
        headers = headers.decoded()
    if frame.body:
        return Reply(str(frame.body, "utf-8", "replace"), headers, command)
    return Reply(headers.get("Reply-Text", "").strip(), headers, command)


def _event(frame: RawFrame) -> Event | Malformed:
    raw = frame.body
    blank = _BLANK_LINE.search(raw)
    end = blank.start() if blank else len(raw)
    headers = Headers.lazy(_text(raw[:end]))
    body = raw[end + 2 :]
    if body and (fault := _lying_length(headers, body)):
        return Malformed(fault, raw)
    event = Event(headers, _text(body) if body else "")
    return event if event.name else Malformed("an event without Event-Name", raw)


def _lying_length(headers: Headers, body: bytes) -> str:
    """The outer length rules; an inner one that promises more than came tells of a damaged event."""
    told = headers.get("Content-Length") or ""
    if told.isdecimal() and int(told) > len(body):
        return f"an event body of {told} bytes was promised, {len(body)} came"
    return ""


def _json_event(frame: RawFrame) -> Event | Malformed:
    try:
        content = json.loads(frame.body)
    except ValueError as error:
        return Malformed(f"an event that is not JSON: {error}", frame.body)
    if not isinstance(content, dict) or "Event-Name" not in content:
        return Malformed("an event that is not a JSON object with Event-Name", frame.body)
    body = content.pop("_body", "")
    return Event(Headers({name: _plain(value) for name, value in content.items()}), str(body))


def _plain(value: object) -> str:
    if isinstance(value, list):
        return "ARRAY::" + "|:".join(str(item) for item in value)
    return str(value)


def _disconnect(frame: RawFrame) -> Disconnect:
    linger = frame.headers.get("Content-Disposition", "") == "linger"
    told = frame.headers.get("Linger-Time", "-1")
    return Disconnect(_text(frame.body), linger, int(told) if told.lstrip("-").isdecimal() else -1)


def _text(raw: bytes) -> str:
    """UTF-8, with U+FFFD for what is not: a caller's Latin-1 name must not end the link."""
    return raw.decode("utf-8", errors="replace")


_READERS: dict[str, Callable[[RawFrame], Message]] = {
    "auth/request": lambda frame: AuthRequest(),
    "text/event-plain": _event,
    "text/event-json": _json_event,
    "log/data": lambda frame: LogLine(_text(frame.body), frame.headers),
    "text/disconnect-notice": _disconnect,
    "text/rude-rejection": lambda frame: Rejected(_text(frame.body).strip()),
}
