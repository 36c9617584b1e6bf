"""A FastAGI server: Asterisk connects, a handler talks to it.

Everything that is waited for has a time-out.  A health check (connects, closes) costs one
debug line; a peer that speaks something else is told off in the log and closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from agi_bot.errors import CallGone, PbxDown, PbxError, ProtocolError
from agi_bot.pbx.agi import protocol

log = logging.getLogger(__name__)

READ_BYTES = 4096


class Session:
    """One AGI connection: :attr:`request`, then one :meth:`send` after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._parser = protocol.Parser()
        self._turn = asyncio.Lock()
        self._waiting: asyncio.Future[protocol.Reply] | None = None
        self._requested: asyncio.Future[protocol.Request] = asyncio.get_running_loop().create_future()
        self._gone: PbxError | None = None
        self.peer = "{}:{}".format(*(writer.get_extra_info("peername") or ("?", 0))[:2])
        self.hung_up = asyncio.Event()
        """The caller hung up, or the connection is gone."""

    @property
    def request(self) -> protocol.Request:
        """What Asterisk told in the beginning."""
        return self._requested.result()

    @property
    def closed(self) -> bool:
        """Nothing can be sent any more."""
        return self._gone is not None

    async def send(self, command: bytes, timeout_s: float | None = 5.0) -> protocol.Reply:
        """Send ``command`` (see :mod:`.commands`) and wait for its reply.

        Raises :class:`CallGone` when the connection ends, :class:`PbxError` after
        ``timeout_s`` without a reply (the connection is closed then, as nobody could
        tell which command a late reply belongs to).
        """
        async with self._turn:
            if self._gone is not None:
                raise self._gone
            self._waiting = asyncio.get_running_loop().create_future()
            self._writer.write(command)
            try:
                return await asyncio.wait_for(self._waiting, timeout_s)
            except TimeoutError:
                raise self._fail(PbxError(f"Asterisk did not answer an AGI command within {timeout_s} s")) from None
            except asyncio.CancelledError:
                self._fail(CallGone("the AGI connection was given up in the middle of a command"))
                raise
            finally:
                self._waiting = None

    def close(self) -> None:
        """Close the connection: the dialplan goes on.  Idempotent."""
        self._fail(CallGone("the AGI connection is closed"))

    async def read(self) -> None:
        """Read until the connection ends; the server runs this."""
        try:
            while data := await self._reader.read(READ_BYTES):
                self._receive(data)
            self._parser.end()
            self._fail(CallGone("Asterisk closed the AGI connection"))
        except ProtocolError as error:
            self._fail(error)
        except OSError as error:
            self._fail(CallGone(f"the AGI connection broke: {error}"))

    async def introduced(self, timeout_s: float) -> bool:
        """Wait for the header block; ``False`` for a health check.  Raises :class:`PbxError`."""
        try:
            await asyncio.wait_for(asyncio.shield(self._requested), timeout_s)
        except TimeoutError:
            raise self._fail(PbxError(f"no AGI header within {timeout_s:g} s")) from None
        except CallGone:
            return False
        return True

    def _receive(self, data: bytes) -> None:
        self._parser.receive(data)
        for event in self._parser.events():
            self._take(event)

    def _take(self, event: protocol.Event) -> None:
        if isinstance(event, protocol.Request):
            self._requested.set_result(event)
        elif isinstance(event, protocol.HangUp):
            self.hung_up.set()
        elif self._waiting is None or self._waiting.done():
            raise ProtocolError(f"AGI: a reply that nothing was asked for: {event.text[:60]!r}")
        else:
            self._waiting.set_result(event)

    def _fail(self, error: PbxError) -> PbxError:
        self._gone = self._gone or error
        for future in (self._requested, self._waiting):
            if future is not None and not future.done():
                future.set_exception(self._gone)
        if not self._requested.cancelled() and self._requested.done():
            self._requested.exception()  # looked at: nobody may be waiting for it any more
        self.hung_up.set()
        self._writer.close()
        return error


Handler = Callable[[Session], Awaitable[None]]


class FastAgiServer:
    """Listens on ``host``:``port`` (0: any free port) and runs ``handler`` for each call.

    When the handler returns or raises, the connection is closed and the dialplan goes on.
    """

    def __init__(self, handler: Handler, host: str, port: int, *, header_timeout_s: float = 5.0) -> None:
        self._handler = handler
        self._host = host
        self._port = port
        self._header_timeout_s = header_timeout_s
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port listened on; the wanted one before :meth:`start`."""
        if self._server is None or not self._server.sockets:
            return self._port
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def sessions(self) -> int:
        """How many connections there are."""
        return len(self._running)

    async def start(self) -> None:
        """Listen.  Raises :class:`PbxDown` when the port cannot be had."""
        try:
            self._server = await asyncio.start_server(self._connected, self._host, self._port, backlog=512)
        except OSError as error:
            raise PbxDown(
                f"cannot listen for FastAGI on {self._host}:{self._port}: {error.strerror or error}",
                cure="is another agi-bot running? change the AGI port",
            ) from error
        self._port = self.port

    def stop(self) -> None:
        """Take no new connections; those there are go on."""
        if self._server is not None:
            self._server.close()

    async def close(self) -> None:
        """End all connections."""
        self.stop()
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        session = Session(reader, writer)
        reading = asyncio.create_task(session.read())
        try:
            await self._serve(session)
        except asyncio.CancelledError:
            pass  # close() ended us; asyncio's stream server would log a cancelled handler as an error
        finally:
            session.close()
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
            self._running.discard(task)

    async def _serve(self, session: Session) -> None:
        extra = {"peer": session.peer}
        try:
            if await session.introduced(self._header_timeout_s):
                await self._handler(session)
            else:
                log.debug("agi.health_check", extra=extra)
        except CallGone as error:
            log.info("agi.ended", extra={**extra, "reason": str(error)})
        except PbxError as error:
            log.warning("agi.closed", extra={**extra, "reason": str(error)})
        except Exception:
            log.exception("agi.failed", extra=extra)  # one call's failure is not the others'
