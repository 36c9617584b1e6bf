"""The event socket protocol without I/O: bytes in, messages out; commands in, bytes out.

::

    connection = Connection(Role.INBOUND)
    connection.feed(bytes_from_socket)
    for message in connection.messages():
        ...
    socket.send(connection.send(commands.auth("secret")))

The phases of both roles (mod_event_socket.c, ``listener_run``)::

    INBOUND   GREETING --auth/request--> LOGIN --+OK accepted--> READY --EOF--> CLOSED
    OUTBOUND  CONNECTING --reply to connect--> READY --linger notice--> LINGERING --EOF--> CLOSED

Replies carry no number: FreeSWITCH answers in the order of the commands, so a queue of
commands pairs them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from enum import Enum

from esl import messages
from esl.commands import Command
from esl.errors import LocalProtocolError, RemoteProtocolError
from esl.framing import Framer, RawFrame
from esl.messages import AuthRequest, Disconnect, Event, Message, Rejected, Reply


class Role(Enum):
    """Who connected: we to FreeSWITCH (INBOUND to it), or it to us (its OUTBOUND socket)."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Phase(Enum):
    """What the connection is ready for."""

    GREETING = "greeting"
    LOGIN = "login"
    CONNECTING = "connecting"
    READY = "ready"
    LINGERING = "lingering"
    CLOSED = "closed"


_READY = Phase.READY
_ALLOWED: dict[Phase, tuple[str, ...] | None] = {
    Phase.GREETING: (),
    Phase.LOGIN: ("auth", "userauth", "exit"),
    Phase.CONNECTING: ("connect",),
    Phase.READY: None,
    Phase.LINGERING: None,
    Phase.CLOSED: (),
}
"""The verbs that each phase allows; None: all."""


class Connection:
    """One event socket, ours or the peer's mistakes told apart."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.phase = Phase.GREETING if role is Role.INBOUND else Phase.CONNECTING
        self._framer = Framer()
        self._pending: deque[Command] = deque()

    @property
    def pending(self) -> int:
        """How many commands wait for their reply."""
        return len(self._pending)

    def send(self, command: Command) -> bytes:
        """The bytes of ``command``, whose reply is awaited from now on.

        Raises :class:`~esl.errors.LocalProtocolError`; nothing has changed then.
        """
        if self.phase is not _READY:
            self._check(command)
        data = command.encode()
        self._pending.append(command)
        return data

    def feed(self, data: bytes) -> None:
        """Take bytes from the socket; iterate over :meth:`messages` afterwards."""
        if self.phase is Phase.CLOSED:
            raise RemoteProtocolError("bytes after the end of the connection")
        self._framer.feed(data)

    def messages(self) -> Iterator[Message]:
        """Every message that is complete.

        Raises :class:`~esl.errors.RemoteProtocolError`; the connection is closed then.
        """
        try:
            for frame in self._framer.frames():
                yield self._message(frame)
        except RemoteProtocolError:
            self.phase = Phase.CLOSED
            raise

    def end(self) -> None:
        """The peer closed its side.

        Raises :class:`~esl.errors.RemoteProtocolError` when it did so inside a message.
        """
        self.phase = Phase.CLOSED
        if self._framer.partial:
            raise RemoteProtocolError("the connection ended in the middle of a message")

    def _check(self, command: Command) -> None:
        allowed = _ALLOWED[self.phase]
        if allowed is not None and command.verb not in allowed:
            raise LocalProtocolError(f"{command.verb!r} cannot be sent while {self.phase.value}")

    def _message(self, frame: RawFrame) -> Message:
        kind = frame.kind or messages.content_type(frame)
        if kind in messages.REPLIES:
            return self._reply(frame)
        message = messages.read(frame, kind)
        if not isinstance(message, Event):
            self._follow(message)
        return message

    def _reply(self, frame: RawFrame) -> Reply:
        if not self._pending:
            text = frame.headers.get("Reply-Text", "") or repr(frame.body[:80])
            raise RemoteProtocolError(f"a reply to no command: {text[:80]}")
        reply = messages.read_reply(frame, self._pending.popleft())
        if self.phase is not _READY:
            self._advance(reply)
        return reply

    def _advance(self, reply: Reply) -> None:
        """A login or ``connect`` that was accepted opens the connection."""
        waiting = self.phase in (Phase.LOGIN, Phase.CONNECTING)
        if waiting and reply.command.verb != "exit" and reply.ok:
            self.phase = Phase.READY

    def _follow(self, message: Message) -> None:
        if isinstance(message, AuthRequest):
            if self.phase is not Phase.GREETING:
                raise RemoteProtocolError("a second request to log in")
            self.phase = Phase.LOGIN
        elif isinstance(message, Rejected) or (isinstance(message, Disconnect) and not message.linger):
            self.phase = Phase.CLOSED
        elif isinstance(message, Disconnect):
            self.phase = Phase.LINGERING
