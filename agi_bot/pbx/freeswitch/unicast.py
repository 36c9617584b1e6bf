"""The sound of a call over ``unicast``: raw PCM datagrams, both ways, on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import cast

from agi_bot.errors import PbxDown, ProtocolError
from agi_bot.pbx.freeswitch.wire import Adapter, wire_form
from agi_bot.pbx.media import TICK_S, LineClock, Sound

log = logging.getLogger(__name__)

Address = tuple[str, int]

IP_RECVERR = 11
"""ip(7), Linux: ICMP errors are told on sockets that are not connected, too."""

REFUSALS = 3
"""So many refusals in a row, without sound between them, are the end of the path."""


class Unicast(Sound, asyncio.DatagramProtocol):
    """Keeps the promise :class:`agi_bot.pbx.call.Media`.

    FreeSWITCH sends from a port of its own choice, so the first datagram tells where to send;
    datagrams from any other source are counted in :attr:`strangers` and dropped.  While nothing
    plays, silence is sent: FreeSWITCH sends no RTP of its own.
    """

    def __init__(self, clock: LineClock, inbox_frames: int = 100) -> None:
        super().__init__(inbox_frames)
        self._clock = clock
        self._transport: asyncio.DatagramTransport | None = None
        self._far: Address | None = None
        self._adapter: Adapter | None = None
        self._told_rate = 0
        self._quiet_ticks = 0
        self._refused = 0
        self.strangers = 0
        self.away = False
        """Something else has the channel: that the caller is not heard tells nothing."""

    async def open(self, host: str) -> Address:
        """Bind to a free port of ``host``.  Raises :class:`~agi_bot.errors.PbxDown`."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_datagram_endpoint(lambda: self, local_addr=(host, 0))
        except OSError as error:
            raise PbxDown(f"no UDP port on {host}: {error}", cure="look at freeswitch.media_host") from None
        assert self._transport is not None
        sock = self._transport.get_extra_info("socket")
        with contextlib.suppress(OSError):  # elsewhere than on Linux
            sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        address = self._transport.get_extra_info("sockname")
        return str(address[0]), int(address[1])

    def expect(self, read_rate: int) -> None:
        """The next datagram opens the path (again); ``read_rate`` is the channel's, Hz (0: not known)."""
        self._far = None
        self._told_rate = read_rate
        self._refused = 0
        self._quiet_ticks = 0
        self.sounded.clear()

    @property
    def quiet_s(self) -> float:
        """For how long nothing has come, s."""
        return self._quiet_ticks * TICK_S

    @property
    def refused(self) -> bool:
        """FreeSWITCH has closed its side: what we send is answered with ICMP "port unreachable"."""
        return self._refused >= REFUSALS

    def close(self, reason: str) -> None:
        """End; idempotent."""
        if not self._end(reason, discard=True):
            return
        self._clock.remove(self)
        if self._transport is not None:
            self._transport.close()

    # --- asyncio.DatagramProtocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        source = (str(addr[0]), int(addr[1]))
        if self._far is None:
            self._begin(data, source)
        if source != self._far or self._adapter is None:
            self.strangers += 1
            return
        self._quiet_ticks = self._refused = 0
        self._hear(self._adapter.heard(data))

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there (any more)."""
        if isinstance(exc, ConnectionRefusedError) and self._far is not None:
            self._refused += 1

    # --- driven by the clock ---

    def tick(self) -> None:
        """Send what is due."""
        self._quiet_ticks += 1
        if self._adapter is not None and not self.away:
            self._fill()
        if self._adapter is None or self._transport is None or self._far is None:
            return
        chunk = self._next()
        datagrams = self._adapter.spoken(chunk)
        for datagram in datagrams:
            self._transport.sendto(datagram, self._far)
        self._sent(chunk, len(datagrams))

    def _begin(self, data: bytes, source: Address) -> None:
        try:
            form = wire_form(len(data), self._told_rate)
        except ProtocolError as error:
            log.warning("unicast.strange_datagram", extra={"source": f"{source[0]}:{source[1]}", "reason": str(error)})
            return
        first = self._adapter is None
        if first:
            self._use_rate(form.rate)
            self._clock.add(self)
        self._far = source
        self._adapter = Adapter(self.rate, form)
        self.sounded.set()
