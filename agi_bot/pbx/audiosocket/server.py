"""The server that Asterisk's AudioSocket connects to; matches connections and calls by UUID."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from uuid import UUID

from agi_bot.errors import CallGone, PbxDown
from agi_bot.pbx.audiosocket.line import Line, MediaLimits
from agi_bot.pbx.media.clock import LineClock

log = logging.getLogger(__name__)

PROBE = UUID(int=0)
"""The dialplan asks with it whether we live: the connection is closed at once."""

Stranger = Callable[[Line], bool]
"""Asked about a UUID that nobody expects; answers whether it keeps the line."""


class MediaServer:
    """Listens on ``host``:``port`` (0: any free port) for the sound of calls.

    Whoever wants a call's sound calls :meth:`expect` with its UUID before Asterisk
    connects.  A UUID that nobody expects is refused, unless ``stranger`` takes it.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        limits: MediaLimits | None = None,
        clock: LineClock | None = None,
        stranger: Stranger | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._limits = limits or MediaLimits()
        self._clock = clock or LineClock()
        self._stranger = stranger
        self._server: asyncio.Server | None = None
        self._expected: dict[UUID, asyncio.Future[Line]] = {}
        self._lines: set[Line] = set()

    @property
    def port(self) -> int:
        """The port listened on; the wanted one before :meth:`start`."""
        if self._server is None or not self._server.sockets:
            return self._port
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def lines(self) -> frozenset[Line]:
        """Every connection there is, also those that have not told their UUID."""
        return frozenset(self._lines)

    @property
    def expected(self) -> int:
        """How many calls wait for their connection."""
        return len(self._expected)

    async def start(self) -> None:
        """Listen.  Raises :class:`PbxDown` when the port cannot be had."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._connected, self._host, self._port, backlog=512)
        except OSError as error:
            raise PbxDown(
                f"cannot listen for AudioSocket on {self._host}:{self._port}: {error.strerror or error}",
                cure="is another agi-bot running? change the AudioSocket port",
            ) from error
        self._port = self.port

    def stop(self) -> None:
        """Take no new connections; those there are go on."""
        if self._server is not None:
            self._server.close()

    def close(self) -> None:
        """Close everything: running lines in good order."""
        self.stop()
        for line in list(self._lines):
            line.close("the bot is shutting down")
        for future in self._expected.values():
            if not future.done():
                future.set_exception(CallGone("the bot is shutting down"))
                future.exception()  # looked at: nobody may be waiting for it
        self._expected.clear()

    def expect(self, uuid: UUID) -> asyncio.Future[Line]:
        """The line that will arrive under ``uuid``; call :meth:`forget` in the end."""
        future: asyncio.Future[Line] = asyncio.get_running_loop().create_future()
        self._expected[uuid] = future
        return future

    def forget(self, uuid: UUID) -> None:
        """Expect ``uuid`` no longer."""
        future = self._expected.pop(uuid, None)
        if future is not None:
            future.cancel()

    def arrived(self, line: Line) -> None:
        """``line`` told its UUID."""
        assert line.uuid is not None
        if line.uuid == PROBE:
            line.close("probe")
            return
        future = self._expected.pop(line.uuid, None)
        if future is not None and not future.done():
            future.set_result(line)
        elif self._stranger is None or not self._stranger(line):
            self._refuse(line)

    def left(self, line: Line) -> None:
        """``line`` ended."""
        self._lines.discard(line)

    def _connected(self) -> Line:
        line = Line(self, self._clock, self._limits)
        self._lines.add(line)
        return line

    def _refuse(self, line: Line) -> None:
        reason = "nobody expects this UUID"
        log.warning("audio.refused", extra={"uuid": str(line.uuid), "peer": line.peer, "reason": reason})
        line.close(reason)
