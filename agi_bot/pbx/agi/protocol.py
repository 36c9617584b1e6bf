"""The AGI protocol, without I/O: the header block, replies, hang-up.

Source: ``res/res_agi.c`` of Asterisk and measurements on 22.10.  Asterisk first sends
lines ``agi_name: value`` up to an empty line.  Then each command is answered by one of::

    200 result=1 (value) endpos=8000
    510 Invalid or unknown command
    511 Command Not Permitted on a dead channel or intercept routine
    520-Invalid command syntax.  Proper usage follows:
    ...
    520 End of proper usage.

``HANGUP`` may come at any time, also while nothing was asked; it is no reply.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agi_bot.errors import ProtocolError

MAX_LINE_BYTES = 65536
MAX_HEADER_LINES = 200
MAX_REPLY_LINES = 200

OK = 200
UNKNOWN_COMMAND = 510
DEAD_CHANNEL = 511
WRONG_SYNTAX = 520


@dataclass(frozen=True, slots=True)
class Request:
    """The header block: ``variables`` without their ``agi_`` prefix, ``arguments`` in order."""

    variables: Mapping[str, str]
    arguments: tuple[str, ...] = ()

    @property
    def script(self) -> str:
        """Path part of the ``agi://host/script?query`` that was called, without the query."""
        return self.variables.get("network_script", "").partition("?")[0]

    @property
    def query(self) -> str:
        """What stands behind the question mark; may be empty."""
        return self.variables.get("network_script", "").partition("?")[2]


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one command.

    ``result`` is the number or word behind ``result=`` (-1 for failure, also for a missing
    file; -2 for an unknown application), ``value`` what stands in parentheses, ``fields``
    the rest such as ``endpos``, ``text`` the whole answer.
    """

    code: int
    result: str = ""
    value: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    text: str = ""

    @property
    def ok(self) -> bool:
        """Whether the command was carried out and did not report failure."""
        return self.code == OK and self.result not in ("-1", "-2")

    @property
    def number(self) -> int:
        """``result`` as a number; -1 when it is none."""
        try:
            return int(self.result)
        except ValueError:
            return -1


@dataclass(frozen=True, slots=True)
class HangUp:
    """The caller hung up; the channel lives on, dead, until the connection is closed."""


Event = Request | Reply | HangUp

_RESULT = re.compile(r"result=(?P<result>[^\s(]*)")
_FIELD = re.compile(r"(\w+)=(\S+)")


class Parser:
    """Bytes in, events out; the first event is always the :class:`Request`.

    Every event before a fault is given out; then :class:`ProtocolError` is raised, and
    again on each further use.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._lines = 0
        self._variables: dict[str, str] | None = {}
        self._reply: list[str] = []
        self._fault: ProtocolError | None = None

    def receive(self, data: bytes) -> None:
        """Take ``data`` from the wire; nothing is looked at yet."""
        self._buffer += data

    def events(self) -> Iterator[Event]:
        """All events that are complete.  Raises :class:`ProtocolError`."""
        if self._fault is not None:
            raise self._fault
        while (line := self._line()) is not None:
            event = self._header(line) if self._variables is not None else self._answer(line)
            if event is not None:
                yield event

    @property
    def untouched(self) -> bool:
        """Nothing has come at all: a health check connects and closes like this."""
        return not self._lines and not self._buffer

    def end(self) -> None:
        """The wire ended.  Raises :class:`ProtocolError` when it ended inside something."""
        inside_header = self._variables is not None and not self.untouched
        if self._fault is None and (self._buffer or self._reply or inside_header):
            raise self._error("the connection ended in the middle")

    def _line(self) -> str | None:
        end = self._buffer.find(b"\n")
        if (end if end >= 0 else len(self._buffer)) > MAX_LINE_BYTES:
            raise self._error(f"a line of more than {MAX_LINE_BYTES} bytes")
        if end < 0:
            return None
        line = bytes(self._buffer[:end]).rstrip(b"\r").decode("utf-8", "replace")
        del self._buffer[: end + 1]
        self._lines += 1
        return line

    def _header(self, line: str) -> Request | None:
        assert self._variables is not None
        if not line:
            return self._request()
        name, colon, value = line.partition(":")
        if not colon or not name.startswith("agi_"):
            raise self._error(f"expected 'agi_name: value', got {line[:60]!r}")
        if len(self._variables) >= MAX_HEADER_LINES:
            raise self._error(f"more than {MAX_HEADER_LINES} header lines")
        self._variables[name.removeprefix("agi_")] = value.removeprefix(" ")
        return None

    def _request(self) -> Request:
        variables = self._variables
        if not variables:
            raise self._error("an empty header block")
        self._variables = None
        return Request(variables, _arguments(variables))

    def _answer(self, line: str) -> Event | None:
        if self._reply:
            return self._continue(line)
        if line == "HANGUP":
            return HangUp()
        code = line[:3]
        if len(code) < 3 or not (code.isascii() and code.isdigit()):
            raise self._error(f"expected a reply such as '200 result=0', got {line[:60]!r}")
        if line.startswith("1"):
            return None  # "100 result=0 Trying...": the real reply follows
        if line[3:4] == "-" or _open_value(line):
            self._reply = [line]
            return None
        return _reply(line)

    def _continue(self, line: str) -> Reply | None:
        self._reply.append(line)
        first = self._reply[0]
        ends = line.startswith(first[:3] + " ") if first[3] == "-" else line.endswith(")")
        if not ends and len(self._reply) >= MAX_REPLY_LINES:
            raise self._error(f"a reply of more than {MAX_REPLY_LINES} lines")
        if not ends:
            return None
        text = "\n".join(self._reply)
        self._reply = []
        return _reply(text)

    def _error(self, what: str) -> ProtocolError:
        self._fault = ProtocolError(
            f"AGI line {self._lines}: {what}",
            cure="is something else than Asterisk's AGI connected to this port?",
        )
        return self._fault


def _arguments(variables: Mapping[str, str]) -> tuple[str, ...]:
    count = sum(name.startswith("arg_") for name in variables)
    return tuple(variables.get(f"arg_{place}", "") for place in range(1, count + 1))


def _open_value(line: str) -> bool:
    """A variable whose value has line ends goes on until the closing parenthesis."""
    return line.startswith("200 result=1 (") and ")" not in line


def _reply(text: str) -> Reply:
    code = int(text[:3])
    found = _RESULT.match(text, 4)
    if code != OK or found is None:
        return Reply(code, text=text)
    rest = text[found.end() :].strip()
    value = ""
    if rest.startswith("("):
        end = rest.rfind(")")
        value, rest = rest[1 : end if end > 0 else None], rest[end + 1 :] if end > 0 else ""
    return Reply(code, found["result"], value, dict(_FIELD.findall(rest)), text)
