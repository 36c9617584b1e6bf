"""What we can say to FreeSWITCH: every command as a value, checked before it is a byte.

Source of the forms: ``parse_command`` and ``read_packet`` of mod_event_socket.c (1.10.12)
and ``switch_ivr_parse_event`` of switch_ivr.c.  A command is a line, headers, a blank line
and, after a ``content-length``, a body.  A newline in the line or in a header would add
headers or commands, so it is refused; an argument that may hold one goes into the body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from esl.errors import LocalProtocolError

MAX_COMMAND_BYTES = 10 << 20
"""FreeSWITCH cuts a command at this size (``max_len`` of ``read_packet``)."""

_FORBIDDEN = re.compile("[\n\r\0]")
_NOT_IN_NAMES = re.compile("[\n\r\0: ]")


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its first line, its headers and its body."""

    line: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""

    @property
    def verb(self) -> str:
        """The first word of the line."""
        return self.line.partition(" ")[0]

    @property
    def shown(self) -> str:
        """The line as a log may show it, without a password."""
        return f"{self.verb} ***" if self.verb in ("auth", "userauth") else self.line

    def encode(self) -> bytes:
        """The bytes to send.  Raises :class:`~esl.errors.LocalProtocolError`."""
        first = _one_line(self.line, "a command")
        if not self.headers and not self.body:
            return _checked(first.encode() + b"\n\n")
        lines = [first]
        lines += [f"{_name(name)}: {_one_line(value, name)}" for name, value in self.headers]
        body = self._body()
        if body:
            lines += ["content-type: text/plain", f"content-length: {len(body)}"]
        return _checked("\n".join(lines).encode() + b"\n\n" + body)

    def _body(self) -> bytes:
        if "\0" in self.body:
            raise LocalProtocolError("a body cannot hold a NUL byte: FreeSWITCH would cut it there")
        return self.body.encode()


def auth(password: str) -> Command:
    """Log in with the password of event_socket.conf.xml."""
    return Command(f"auth {password}")


def user_auth(user: str, password: str) -> Command:
    """Log in as ``user@domain`` of the directory (its ``esl-password``)."""
    return Command(f"userauth {user}:{password}")


def connect() -> Command:
    """The first command of an outbound session; answered with the channel's data."""
    return Command("connect")


def api(command: str) -> Command:
    """Run an API command and wait for its output; blocks the whole link meanwhile."""
    return Command(f"api {command}")


def bgapi(command: str, job_id: str) -> Command:
    """Run an API command in the background; BACKGROUND_JOB with ``job_id`` brings its output."""
    return Command(f"bgapi {command}", (("Job-UUID", job_id),))


def event(*names: str) -> Command:
    """Subscribe; what stands behind ``CUSTOM`` are subclasses."""
    return Command(f"event plain {_names(names)}")


def nixevent(*names: str) -> Command:
    """Unsubscribe."""
    return Command(f"nixevent {_names(names)}")


def event_filter(header: str, value: str) -> Command:
    """Let only events pass that match one of the filters of this connection."""
    return Command(f"filter {_name(header)} {value}")


def event_filter_delete(header: str, value: str = "") -> Command:
    """Take a filter back; ``all`` takes back every one."""
    return Command(f"filter delete {_name(header)} {value}".rstrip())


def my_events() -> Command:
    """Events of this session's channel (and jobs that it started), nothing else."""
    return Command("myevents")


def linger(seconds: int | None = None) -> Command:
    """Keep the socket after the hang-up, so that the last events arrive; None: without limit."""
    return Command("linger" if seconds is None else f"linger {seconds}")


def resume() -> Command:
    """Let the dialplan go on when this socket ends (sets ``socket_resume``)."""
    return Command("resume")


def exit_() -> Command:
    """End the connection."""
    return Command("exit")


def execute(application: str, argument: str = "", *, event_id: str = "", lock: bool = True, uuid: str = "") -> Command:
    """Run a dialplan application on the session's channel (or on channel ``uuid``).

    ``event_id`` comes back as ``Application-UUID`` of CHANNEL_EXECUTE_COMPLETE.  With
    ``lock`` (event-lock) applications queue; without it a second one interrupts the first.
    The argument travels in the body, counted in bytes, so that newlines and any text pass.
    """
    headers = [("call-command", "execute"), ("execute-app-name", application)]
    if event_id:
        headers.append(("Event-UUID", event_id))
    if lock:
        headers.append(("event-lock", "true"))
    return Command(f"sendmsg {uuid}".rstrip(), tuple(headers), argument)


def message(call_command: str, fields: Mapping[str, str], *, uuid: str = "") -> Command:
    """Any other ``sendmsg``: ``hangup``, ``unicast``, ``nomedia``."""
    headers = (("call-command", call_command), *fields.items())
    return Command(f"sendmsg {uuid}".rstrip(), headers)


def hang_up(cause: str = "NORMAL_CLEARING", *, uuid: str = "") -> Command:
    """End the channel with a cause."""
    return message("hangup", {"hangup-cause": cause}, uuid=uuid)


def send_event(name: str, headers: Mapping[str, str], body: str = "") -> Command:
    """Fire an event inside FreeSWITCH."""
    return Command(f"sendevent {name}", tuple(headers.items()), body)


def _checked(data: bytes) -> bytes:
    if len(data) > MAX_COMMAND_BYTES:
        raise LocalProtocolError(f"a command of {len(data)} bytes; FreeSWITCH takes {MAX_COMMAND_BYTES}")
    return data


def _names(names: tuple[str, ...]) -> str:
    if not names:
        raise LocalProtocolError("name at least one event")
    return " ".join(names)


def _one_line(text: str, what: str) -> str:
    if not text.isprintable() and _FORBIDDEN.search(text):
        raise LocalProtocolError(f"{what} cannot hold a newline or a NUL byte: {text[:80]!r}")
    if not text or text.isspace():
        raise LocalProtocolError(f"{what} cannot be empty")
    return text


def _name(name: str) -> str:
    if not name or _NOT_IN_NAMES.search(name):
        raise LocalProtocolError(f"not a header name: {name[:80]!r}")
    return name
