"""The native transport: one asyncio connection with the sans-IO core inside."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import cast

from esl import commands
from esl.backend import Link, Listener, Login
from esl.commands import Command
from esl.errors import (
    AccessDenied,
    ConnectFailed,
    EslError,
    LinkLost,
    NotConnected,
    RemoteProtocolError,
    WrongPassword,
)
from esl.messages import AuthRequest, Message, Rejected, Reply
from esl.pending import Pending
from esl.protocol import Connection, Phase, Role

BUFFER_BYTES = 32768
"""What one read of the socket can take; a plain ``asyncio.Protocol`` would allocate 256 KiB for each."""


def ignore(_: object) -> None:
    """A handler that does nothing."""


class NativeLink(asyncio.BufferedProtocol):
    """One TCP connection.  Replies go to those who asked, in order; all else to ``on_message``."""

    def __init__(self, role: Role, on_open: Callable[[NativeLink], None] = ignore) -> None:
        self.on_message: Callable[[Message], None] = ignore
        self.on_lost: Callable[[EslError | None], None] = ignore
        self._connection = Connection(role)
        self._on_open = on_open
        self._transport: asyncio.Transport | None = None
        self._batch: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._pending = Pending(self._loop)
        self._received = memoryview(bytearray(BUFFER_BYTES))
        self._gone = self._loop.create_future()
        self._error: EslError | None = None

    # --- asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._on_open(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._received

    def buffer_updated(self, nbytes: int) -> None:
        try:
            self._connection.feed(bytes(self._received[:nbytes]))
            for message in self._connection.messages():
                if isinstance(message, Reply):
                    self._pending.answer(message)
                else:
                    self.on_message(message)
        except RemoteProtocolError as error:
            self._fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None and self._error is None:
            self._error = LinkLost(f"the connection broke: {exc}")
        said_goodbye = self._connection.phase is Phase.CLOSED
        self._end_protocol()
        self._pending.refuse(f"the link ended before the reply came: {self._reason()}")
        if not self._gone.done():
            self._gone.set_result(None)
        lost = None if said_goodbye and self._error is None else self._reason()
        self.on_lost(lost)

    # --- Link

    def ask(self, command: Command, timeout: float) -> asyncio.Future[Reply]:
        """See :class:`~esl.backend.Link`."""
        if self._transport is None or self._transport.is_closing() or self._connection.phase is Phase.CLOSED:
            raise NotConnected(f"{command.shown!r} was not sent: the link is closed")
        data = self._connection.send(command)
        alone = not self._pending
        answer = self._pending.add(command, timeout)
        self._write(data, alone)
        return answer

    async def close(self) -> None:
        """See :class:`~esl.backend.Link`."""
        if self._transport is None:
            return
        self._flush()
        self._connection.phase = Phase.CLOSED
        self._transport.close()
        await asyncio.wait([self._gone], timeout=1.0)
        self._transport.abort()

    # ---

    def _write(self, data: bytes, alone: bool) -> None:
        """With nothing on its way a command leaves at once, else together with those of this turn of the loop."""
        assert self._transport is not None
        if alone:
            self._transport.write(data)
            return
        if not self._batch:
            self._loop.call_soon(self._flush)
        self._batch.append(data)

    def _flush(self) -> None:
        if self._batch and self._transport is not None:
            self._transport.write(b"".join(self._batch))
            self._batch.clear()

    def _fail(self, error: EslError) -> None:
        self._error = self._error or error
        if self._transport is not None:
            self._transport.abort()

    def _end_protocol(self) -> None:
        try:
            self._connection.end()
        except RemoteProtocolError as error:
            self._error = self._error or error

    def _reason(self) -> EslError:
        return self._error or LinkLost("FreeSWITCH closed the connection")


class NativeListener:
    """A listening socket."""

    def __init__(self, server: asyncio.Server) -> None:
        self._server = server
        host, port = server.sockets[0].getsockname()[:2]
        self._address = (str(host), int(port))

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that are listened on."""
        return self._address

    async def close(self) -> None:
        """Take no more connections."""
        self._server.close()


class NativeBackend:
    """asyncio and the parser of this library."""

    name = "native"

    async def log_in(self, login: Login, timeout: float) -> Link:
        """See :class:`~esl.backend.Backend`."""
        loop = asyncio.get_running_loop()
        greeting = _Greeting()
        where = f"{login.host}:{login.port}"
        try:
            async with asyncio.timeout(timeout):
                _, link = await loop.create_connection(greeting.new_link, login.host, login.port)
                await greeting.wait(link)
        except TimeoutError:
            raise ConnectFailed(f"{where} did not greet in {timeout:g} s") from None
        except OSError as error:
            raise ConnectFailed(f"{where} cannot be reached: {reason_of(error)}") from None
        try:
            await authenticate(link, login, timeout)
        except EslError:
            await link.close()
            raise
        return link

    async def listen(self, host: str, port: int, accept: Callable[[Link], None]) -> Listener:
        """See :class:`~esl.backend.Backend`."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: NativeLink(Role.OUTBOUND, accept), host, port, backlog=1024)
        return NativeListener(server)


def reason_of(error: OSError) -> str:
    """What the system says; asyncio puts words of its own in ``strerror``."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)


async def authenticate(link: Link, login: Login, timeout: float) -> None:
    """Send the password.  Raises :class:`~esl.errors.WrongPassword`."""
    by_user = commands.user_auth(login.user, login.password)
    reply = await link.ask(by_user if login.user else commands.auth(login.password), timeout)
    if not reply.text.startswith("+OK"):
        raise WrongPassword(f"{login.host}:{login.port} refused the password: {reply.text}")


class _Greeting:
    """Waits for the first message of an inbound link."""

    def __init__(self) -> None:
        self._first: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    def new_link(self) -> NativeLink:
        link = NativeLink(Role.INBOUND)
        link.on_message, link.on_lost = self._on_message, self._on_lost
        return link

    async def wait(self, link: NativeLink) -> None:
        """Raises :class:`~esl.errors.ConnectFailed`, :class:`~esl.errors.AccessDenied`."""
        try:
            _check_greeting(await self._first)
        except BaseException:
            await link.close()
            raise
        finally:
            link.on_message = link.on_lost = ignore

    def _on_message(self, message: Message) -> None:
        if not self._first.done():
            self._first.set_result(message)

    def _on_lost(self, error: EslError | None) -> None:
        if not self._first.done():
            self._first.set_exception(ConnectFailed(f"no greeting: {error}"))


def _check_greeting(message: Message) -> None:
    if isinstance(message, Rejected):
        raise AccessDenied(f"refused by an access list: {message.text} (see apply-inbound-acl)")
    if not isinstance(message, AuthRequest):
        raise ConnectFailed(f"no FreeSWITCH greets like this: {type(message).__name__}")
