"""A SIP telephone on 127.0.0.1 that can call and be called (RFC 3261, by way of aiosipua)."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from types import TracebackType

from aiosipua import (
    IncomingCall,
    OutgoingCall,
    SipRequest,
    SipUAC,
    SipUAS,
    build_sdp,
    negotiate_sdp,
)

from agi_bot.demo.phone import rtp
from agi_bot.demo.phone.line import Line
from agi_bot.demo.phone.tape import save, stereo
from agi_bot.demo.phone.udp import Udp
from agi_bot.errors import PbxError

HOST = "127.0.0.1"


class CallRefused(PbxError):
    """The other side did not take the call; ``status`` is its SIP status, 0 for no answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"the call was refused: {status} {reason}")
        self.status = status


class PhoneCall:
    """One call of a :class:`Softphone`; ``line`` is its sound.

    ``ended`` is set when it is over, ``hung_up_by`` then says ``us`` or ``them``.
    """

    def __init__(self, phone: Softphone, signalling: IncomingCall | OutgoingCall, line: Line) -> None:
        self._phone = phone
        self._signalling = signalling
        self.line = line
        self.ended = asyncio.Event()
        self.hung_up_by = ""

    @property
    def caller(self) -> str:
        """The number that calls."""
        return _user(self._signalling.caller)

    @property
    def called(self) -> str:
        """The number that was called."""
        return _user(self._signalling.callee)

    async def answer(self) -> None:
        """Take an incoming call."""
        assert isinstance(self._signalling, IncomingCall)
        offer = self._signalling.sdp_offer
        if offer is None or offer.rtp_address is None:
            raise CallRefused(0, "the call offers no sound")
        answer, _ = negotiate_sdp(offer, HOST, await self.line.open(), [rtp.PCMU], rtp.EVENTS)
        self._signalling.accept(answer)
        self.line.start(offer.rtp_address)

    def reject(self, status: int = 486) -> None:
        """Refuse an incoming call with a SIP status."""
        assert isinstance(self._signalling, IncomingCall)
        self._signalling.reject(status)
        self._over("us")

    async def hang_up(self) -> None:
        """End the call; does nothing when it is over."""
        if self.ended.is_set():
            return
        if isinstance(self._signalling, IncomingCall):
            self._signalling.hangup()
        else:
            self._signalling.hangup(self._phone.uac)
        self._over("us")

    def save(self, path: Path) -> float:
        """Write the call as stereo WAV, our voice left, theirs right; the time of its first sample."""
        samples, since = stereo(self.line.sent, self.line.received)
        save(path, samples)
        return since

    def _over(self, by: str) -> None:
        if not self.ended.is_set():
            self.hung_up_by = by
            self.ended.set()
            self.line.close()
            self._phone.forget(self)

    @property
    def id(self) -> str:
        """SIP Call-ID."""
        return self._signalling.call_id


class Softphone:
    """Listens on a free UDP port of 127.0.0.1: :meth:`incoming` brings calls, :meth:`call` makes one."""

    def __init__(self, number: str = "1000") -> None:
        self.number = number
        self._calls: dict[str, PhoneCall] = {}
        self._ringing: asyncio.Queue[PhoneCall] = asyncio.Queue()

    @property
    def port(self) -> int:
        """UDP port it listens on."""
        return self.uac.transport.local_addr[1]

    @property
    def uri(self) -> str:
        """``sip:1000@127.0.0.1:PORT``: where it can be called."""
        return f"sip:{self.number}@{HOST}:{self.port}"

    async def start(self, port: int = 0) -> None:
        """Listen on UDP ``port`` (0: any free one)."""
        transport = Udp(HOST, port)
        self.uac = SipUAC(transport)
        self._server = SipUAS(transport, uac=self.uac)
        self._server.on_invite = self._rings
        self._server.on_reinvite = _again
        self._server.on_bye = self._bye
        self._server.on_cancel = self._cancelled
        await self._server.start()

    async def close(self) -> None:
        """Hang up everything and stop listening."""
        for call in list(self._calls.values()):
            await call.hang_up()
        await self._server.stop()

    async def incoming(self) -> PhoneCall:
        """The next call that rings here."""
        return await self._ringing.get()

    async def call(self, number: str, port: int, *, answer_s: float = 30.0) -> PhoneCall:
        """Call ``number`` at the exchange on UDP ``port`` and wait for the answer.

        Raises :class:`CallRefused`.
        """
        line = Line()
        offer = build_sdp(HOST, await line.open(), rtp.PCMU, "PCMU", dtmf_payload_type=rtp.EVENTS)
        out = self.uac.send_invite(self.uri, f"sip:{number}@{HOST}:{port}", (HOST, port), offer)
        call = self._calls[out.call_id] = PhoneCall(self, out, line)
        try:
            await out.wait_answered(answer_s)
        except (TimeoutError, RuntimeError) as error:
            out.cancel(self.uac)
            call._over("them")
            raise CallRefused(out._reject_code, out._reject_reason or str(error)) from error
        if out.sdp_answer is None or out.sdp_answer.rtp_address is None:
            await call.hang_up()
            raise CallRefused(0, "the answer has no sound")
        line.start(out.sdp_answer.rtp_address)
        return call

    def forget(self, call: PhoneCall) -> None:
        """``call`` is over."""
        self._calls.pop(call.id, None)

    async def __aenter__(self) -> Softphone:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _rings(self, incoming: IncomingCall) -> None:
        if incoming.call_id in self._calls:
            return  # the same INVITE once more
        incoming.ringing()
        call = self._calls[incoming.call_id] = PhoneCall(self, incoming, Line())
        self._ringing.put_nowait(call)

    def _bye(self, incoming: IncomingCall, _: SipRequest) -> None:
        self._end(incoming.call_id)

    def _cancelled(self, request: SipRequest, _: tuple[str, int]) -> None:
        self._end(request.call_id or "")

    def _end(self, call_id: str) -> None:
        if call := self._calls.get(call_id):
            call._over("them")


def _again(call: IncomingCall) -> None:
    """A re-INVITE changes nothing here: the same answer again."""
    call.accept(call.sdp_answer)


def _user(uri: str) -> str:
    found = re.search(r"sips?:([^@;>]+)@", uri)
    return found[1] if found else ""
