"""The WebSocket server to which mod_audio_stream and mod_audio_fork bring the sound of calls.

Each call has an address of its own, with a secret that is good for one connection (:meth:`SoundServer.expect`).
What is not ours is refused before the handshake ends: other hosts, wrong paths, secrets that were used.
The library is `websockets <https://websockets.readthedocs.io>`_ (the extra ``websocket``).
"""

from __future__ import annotations

import http
import logging
import secrets
from collections.abc import Collection, Sequence
from typing import Protocol

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from agi_bot.errors import PbxDown, ProtocolError

log = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 512 * 1024
"""mod_audio_fork sends up to 5 s of sound at once when it was held up (480 kB at 48 kHz)."""

BAD_DATA = 1007
"""Close code of RFC 6455, 7.4.1: what came is not what was agreed on."""


class Wire:
    """An open connection: what a call's sound needs of it."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    @property
    def backlog_bytes(self) -> int:
        """What the other side has not taken yet, as far as this process can see."""
        return self._connection.transport.get_write_buffer_size()

    def send(self, message: str | bytes) -> None:
        """Send now, or never when the connection is closing."""
        broadcast([self._connection], message)

    def abort(self) -> None:
        """Close without waiting for the other side."""
        self._connection.transport.close()


class Listener(Protocol):
    """Whose connection it is."""

    def connected(self, wire: Wire) -> None: ...

    def received(self, message: str | bytes) -> None:
        """Raises :class:`~agi_bot.errors.ProtocolError`: the connection is closed."""

    def disconnected(self, reason: str) -> None: ...


class SoundServer:
    """Listens on ``host``:``port`` (0: any free port); only ``sources`` (IP addresses) may connect."""

    def __init__(self, host: str, port: int, sources: Collection[str]) -> None:
        self._host = host
        self._port = port
        self._sources = frozenset(sources)
        self._server: Server | None = None
        self._expected: dict[str, Listener] = {}
        self.refused = 0

    @property
    def port(self) -> int:
        """The port listened on; the wanted one before :meth:`start`."""
        sockets = self._server.sockets if self._server is not None else ()
        return next((int(each.getsockname()[1]) for each in sockets), self._port)

    @property
    def expected(self) -> int:
        """How many calls wait for their connection."""
        return len(self._expected)

    async def start(self) -> None:
        """Listen.  Raises :class:`~agi_bot.errors.PbxDown`."""
        try:
            self._server = await serve(
                self._serve,
                self._host,
                self._port,
                process_request=self._admit,
                select_subprotocol=_any_subprotocol,
                compression=None,
                max_size=MAX_MESSAGE_BYTES,
                server_header=None,
                logger=logging.getLogger("agi_bot.websockets"),
            )
        except OSError as error:
            what = f"cannot listen for WebSockets on {self._host}:{self._port}: {error.strerror or error}"
            raise PbxDown(what, cure="see freeswitch.media_host and media_port") from error

    async def close(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def expect(self, listener: Listener) -> str:
        """The path, ``/`` and a secret, under which ``listener``'s connection will come; :meth:`forget` it."""
        path = "/" + secrets.token_hex(16)
        self._expected[path] = listener
        return path

    def forget(self, path: str) -> None:
        """Expect it no longer."""
        self._expected.pop(path, None)

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        source = str(connection.remote_address[0])
        if source in self._sources and request.path in self._expected:
            return None
        self.refused += 1
        reason = "nobody expects this path" if source in self._sources else "this host may not connect"
        log.warning("websocket.refused", extra={"peer": source, "reason": reason})
        return connection.respond(http.HTTPStatus.FORBIDDEN, "")

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        listener = self._expected.pop(connection.request.path, None)
        if listener is None:  # two came with one secret at the same moment
            return
        reason = "FreeSWITCH closed the connection"
        listener.connected(Wire(connection))
        try:
            async for message in connection:
                listener.received(message)
        except ProtocolError as error:
            reason = str(error)
            await connection.close(BAD_DATA, error.message[:100])
        except ConnectionClosed as error:
            reason = f"the connection broke: {error}"
        finally:
            listener.disconnected(reason)


def _any_subprotocol(connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """mod_audio_fork wants its own one confirmed, mod_audio_stream offers none."""
    return offered[0] if offered else None
