"""A UDP transport for aiosipua whose own one does not run on Python 3.11."""

from __future__ import annotations

import asyncio
from typing import cast

from aiosipua import SipRequest, SipResponse, SipTransport


class Udp(SipTransport, asyncio.DatagramProtocol):
    """One SIP message a datagram; ``local_addr`` tells where it listens, once started."""

    def __init__(self, host: str, port: int) -> None:
        self.local_addr = (host, port)
        self._socket: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        """Bind; port 0 becomes the free port that was found."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=self.local_addr)

    async def stop(self) -> None:
        """Close; does nothing the second time."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, message: SipRequest | SipResponse, addr: tuple[str, int]) -> None:
        """Send ``message``; nothing goes out of a closed telephone."""
        if self._socket is not None and not self._socket.is_closing():
            self._socket.sendto(bytes(message), addr)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast(asyncio.DatagramTransport, transport)
        self.local_addr = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        self._dispatch(data, (str(addr[0]), int(addr[1])))
