"""Which carrier the calls get, and what all carriers of one kind share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from agi_bot.errors import PbxDown
from agi_bot.pbx.freeswitch.carrier import Carrier
from agi_bot.pbx.freeswitch.options import FreeSwitchOptions
from agi_bot.pbx.freeswitch.unicast_carrier import UnicastCarrier
from agi_bot.pbx.media import LineClock
from esl import Session

if TYPE_CHECKING:
    from agi_bot.pbx.freeswitch.websocket import SoundServer

LOOPBACK = ("127.0.0.1", "::1")


class Carriers(Protocol):
    """Makes a carrier for each call."""

    async def start(self) -> None:
        """Raises :class:`~agi_bot.errors.PbxDown`."""

    async def close(self) -> None: ...

    def carrier(self, session: Session) -> Carrier: ...


class UnicastCarriers:
    """A UDP port a call."""

    def __init__(self, options: FreeSwitchOptions) -> None:
        self._options = options
        self._clock = LineClock()

    async def start(self) -> None:
        return

    async def close(self) -> None:
        return

    def carrier(self, session: Session) -> Carrier:
        return UnicastCarrier(session, self._options, self._clock)


class SocketCarriers:
    """One WebSocket server for all calls; from this machine and from ``media_local`` only."""

    def __init__(self, options: FreeSwitchOptions) -> None:
        self._options = options
        self._clock = LineClock()
        self.server: SoundServer | None = None

    async def start(self) -> None:
        self.server = self._made()
        await self.server.start()

    async def close(self) -> None:
        if self.server is not None:
            await self.server.close()

    def carrier(self, session: Session) -> Carrier:
        from agi_bot.pbx.freeswitch.socket_carrier import ForkCarrier, StreamCarrier

        assert self.server is not None
        if self._options.media == "audio_fork":
            return ForkCarrier(session, self._options, self.server, self._clock)
        return StreamCarrier(session, self._options, self.server, self._clock)

    def _made(self) -> SoundServer:
        try:
            from agi_bot.pbx.freeswitch.websocket import SoundServer
        except ImportError:
            what = f"freeswitch.media: {self._options.media} needs the package websockets"
            raise PbxDown(what, cure="pip install agi-bot[websocket]") from None
        options = self._options
        return SoundServer(options.media_host, options.media_port, {*LOOPBACK, options.media_local})


def carriers(options: FreeSwitchOptions) -> Carriers:
    """Those of ``options.media``."""
    return UnicastCarriers(options) if options.media == "unicast" else SocketCarriers(options)
