"""The greenswitch transport (extra ``greenswitch``), with its defects fenced.

greenswitch runs on gevent.  Here it runs unpatched in one thread with its own hub, behind the
asyncio face of :mod:`esl.backend`.  What is fenced, each reproduced with greenswitch 0.0.19:

* it decodes before it splits, and reads inner bodies as headers: frames are cut and read by
  :mod:`esl.framing` and :mod:`esl.messages`;
* ``send()`` and ``connect()`` wait for ever on a silent server: every wait has a limit;
* a bad byte ends its reader while ``connected`` stays true: the end is told, with the reason;
* events that are queued at the end of the connection are lost: they are handed on at once;
* the server polls for calls every 100 ms: gevent's own ``StreamServer`` takes them;
* ``sock.send`` may send a part: ``sendall``.

:func:`hand_over` is for applications that are written with greenswitch: it gives their call
to another extension, such as that of a bot.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

import gevent
import gevent.event
import gevent.server
from greenswitch.esl import ESLProtocol, InboundESL, NotConnectedError, OutboundSession

from esl import messages
from esl.backend import Link, Listener, Login
from esl.commands import Command, auth, user_auth
from esl.errors import (
    AccessDenied,
    CommandTimeout,
    ConnectFailed,
    EslError,
    LinkLost,
    LocalProtocolError,
    NotConnected,
    RemoteProtocolError,
    WrongPassword,
)
from esl.framing import Framer, RawFrame
from esl.green_hub import hub, post
from esl.messages import AuthRequest, Disconnect, Message, Rejected, Reply


class _Waiting(gevent.event.AsyncResult):  # type: ignore[misc]
    """A place in greenswitch's queue of commands that knows its command."""

    def __init__(self, command: Command) -> None:
        super().__init__()
        self.command = command


class _Fenced(ESLProtocol):  # type: ignore[misc]
    """greenswitch's connection with a reader that cannot be fooled or killed silently."""

    on_message: Callable[[Message], None]
    on_end: Callable[[EslError | None], None]
    rejected = ""
    said_goodbye = False

    def start_event_handlers(self) -> None:
        self._receive_events_greenlet = gevent.spawn(self.receive_events)

    def receive_events(self) -> None:
        """Replaces greenswitch's reader."""
        error: EslError | None = None
        try:
            self._read()
        except EslError as fault:
            error = fault
        except OSError as fault:
            error = LinkLost(f"the connection broke: {fault}")
        self._finish(error)

    def send(self, data: str | Command, timeout: float | None = None) -> Any:
        """Replaces greenswitch's ``send``: whole commands, and no wait for ever."""
        command = data if isinstance(data, Command) else Command(data)
        raw = command.encode()
        if not self.connected:
            raise NotConnectedError
        waiting = _Waiting(command)
        self._commands_sent.append(waiting)
        self.sock.sendall(raw)
        return waiting.get(timeout=timeout)

    def handle_event(self, event: RawFrame) -> None:
        """Replaces greenswitch's dispatch, keeping its queue of commands."""
        kind = messages.content_type(event)
        if kind in messages.REPLIES:
            self._answer(event)
            return
        message = messages.read(event, kind)
        self._follow(message)
        self.on_message(message)

    def stop(self) -> None:
        self._run = False
        self.connected = False
        self._hang_up_socket()

    def _hang_up_socket(self) -> None:
        """greenswitch's ``makefile`` keeps the socket open after ``close``; ``shutdown`` tells the peer."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def _read(self) -> None:
        framer = Framer()
        while data := self.sock.recv(65536):
            framer.feed(data)
            for frame in framer.frames():
                self.handle_event(frame)
        if framer.partial:
            raise RemoteProtocolError("the connection ended in the middle of a message")

    def _answer(self, frame: RawFrame) -> None:
        if not self._commands_sent:
            raise RemoteProtocolError("a reply to no command")
        waiting = self._commands_sent.pop(0)
        waiting.set(messages.read_reply(frame, waiting.command))

    def _follow(self, message: Message) -> None:
        if isinstance(message, AuthRequest):
            self._auth_request_event.set()
        elif isinstance(message, Rejected):
            self.rejected, self.connected = message.text, False
            self._auth_request_event.set()
        elif isinstance(message, Disconnect) and not message.linger:
            self.said_goodbye = True

    def _finish(self, error: EslError | None) -> None:
        self._run = self.connected = False
        reason = error or LinkLost("FreeSWITCH closed the connection")
        for waiting in self._commands_sent:
            waiting.set_exception(LinkLost(f"the link ended before the reply came: {reason}"))
        self._auth_request_event.set()
        self._hang_up_socket()
        self.on_end(None if self.said_goodbye and error is None else reason)


class _Inbound(_Fenced, InboundESL):  # type: ignore[misc]
    user = ""

    def authenticate(self) -> None:
        by_user = user_auth(self.user, self.password)
        reply: Reply = self.send(by_user if self.user else auth(self.password), self.timeout)
        if not reply.text.startswith("+OK"):
            raise WrongPassword(f"{self.host}:{self.port} refused the password: {reply.text}")


class _Outbound(_Fenced, OutboundSession):  # type: ignore[misc]
    def __init__(self, address: tuple[str, int], sock: Any, link: GreenLink) -> None:
        self.link = link
        link.attach(self)
        super().__init__(address, sock)


class GreenLink:
    """A greenswitch connection behind the promise of :class:`esl.backend.Link`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.on_message: Callable[[Message], None] = _ignore
        self.on_lost: Callable[[EslError | None], None] = _ignore
        self._loop = loop
        self._inbox: deque[Message] = deque()
        self._connection: _Fenced | None = None

    def attach(self, connection: _Fenced) -> None:
        """Called in greenswitch's thread before the reader starts."""
        self._connection = connection
        connection.on_message = self._receive
        connection.on_end = self._end

    async def ask(self, command: Command, timeout: float) -> Reply:
        """See :class:`~esl.backend.Link`."""
        command.encode()
        reply = await hub().call(lambda: self._ask(command, timeout))
        assert isinstance(reply, Reply)
        return reply

    async def close(self) -> None:
        """See :class:`~esl.backend.Link`."""
        if self._connection is not None:
            await hub().call(self._connection.stop)

    def _ask(self, command: Command, timeout: float) -> Any:
        if self._connection is None or not self._connection.connected:
            raise NotConnected(f"{command.shown!r} was not sent: the link is closed")
        try:
            return self._connection.send(command, timeout)
        except gevent.Timeout:
            raise CommandTimeout(f"no reply to {command.shown!r} in {timeout:g} s") from None
        except OSError as error:
            raise LinkLost(f"the link broke while {command.shown!r} was sent: {error}") from None

    def _receive(self, message: Message) -> None:
        """From greenswitch's thread; one call into the loop for a whole batch."""
        self._inbox.append(message)
        if len(self._inbox) == 1:
            post(self._loop, self._drain)

    def _drain(self) -> None:
        while self._inbox:
            self.on_message(self._inbox.popleft())

    def _end(self, error: EslError | None) -> None:
        post(self._loop, self._tell_end, error)

    def _tell_end(self, error: EslError | None) -> None:
        self._drain()
        self.on_lost(error)


class GreenListener:
    """gevent's server in greenswitch's thread."""

    def __init__(self, server: Any) -> None:
        self._server = server

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that are listened on."""
        return str(self._server.server_host), int(self._server.server_port)

    async def close(self) -> None:
        """Take no more connections."""
        await hub().call(self._server.close)


class GreenBackend:
    """greenswitch in one thread."""

    name = "greenswitch"

    async def log_in(self, login: Login, timeout: float) -> Link:
        """See :class:`~esl.backend.Backend`."""
        link = GreenLink(asyncio.get_running_loop())
        await hub().call(lambda: _log_in(link, login, timeout))
        return link

    async def listen(self, host: str, port: int, accept: Callable[[Link], None]) -> Listener:
        """See :class:`~esl.backend.Backend`."""
        loop = asyncio.get_running_loop()

        def handle(sock: Any, address: tuple[str, int]) -> None:
            link = GreenLink(loop)
            session = _Outbound(address, sock, link)
            post(loop, accept, link)
            session._receive_events_greenlet.join()

        def start() -> Any:
            server = gevent.server.StreamServer((host, port), handle, backlog=1024)
            server.start()
            return server

        return GreenListener(await hub().call(start))


def hand_over(session: OutboundSession, extension: str, context: str = "", **variables: str) -> None:
    """Give the call of a greenswitch application to ``extension``, such as a bot's.

    ``variables`` are set on the channel first.  FreeSWITCH then leaves this application and goes
    on at the extension; the application's socket ends.  Raises
    :class:`~esl.errors.LocalProtocolError` for a newline, ``ValueError`` when FreeSWITCH refuses.
    """
    for name, value in variables.items():
        _api(session, f"uuid_setvar {session.uuid} {name} {value}")
    where = f"{extension} XML {context}" if context else extension
    _api(session, f"uuid_transfer {session.uuid} {where}")


def _api(session: OutboundSession, command: str) -> None:
    if any(mark in command for mark in "\r\n\0"):
        raise LocalProtocolError(f"a command cannot hold a newline: {command[:80]!r}")
    answer = str(session.send(f"api {command}").data)
    if answer.startswith("-"):
        raise ValueError(f"FreeSWITCH refused {command!r}: {answer.strip()}")


def _log_in(link: GreenLink, login: Login, timeout: float) -> None:
    connection = _Inbound(login.host, login.port, login.password, timeout)
    connection.user = login.user
    link.attach(connection)
    try:
        _connect(connection, f"{login.host}:{login.port}", timeout)
    except EslError:
        if hasattr(connection, "sock"):
            connection.stop()
        raise


def _connect(connection: _Inbound, where: str, timeout: float) -> None:
    try:
        with gevent.Timeout(timeout):
            connection.connect()
    except gevent.Timeout:
        raise ConnectFailed(f"{where} did not greet in {timeout:g} s") from None
    except (NotConnectedError, LinkLost) as error:
        raise _refusal(connection, where, error) from None
    except OSError as error:
        raise ConnectFailed(f"{where} cannot be reached: {error.strerror or error}") from None


def _refusal(connection: _Fenced, where: str, error: Exception) -> EslError:
    if connection.rejected:
        return AccessDenied(f"refused by an access list: {connection.rejected} (see apply-inbound-acl)")
    return ConnectFailed(f"{where} ended the connection before the login: {error}")


def _ignore(_: object) -> None:
    """A handler that does nothing."""
