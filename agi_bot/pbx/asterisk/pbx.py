"""Asterisk behind the promise Pbx: FastAGI, AudioSocket and AMI put together."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping

from agi_bot.contracts import Call, Ringing
from agi_bot.errors import PbxDown, PbxError
from agi_bot.pbx.agi.server import FastAgiServer, Session
from agi_bot.pbx.ami import Ami, Event, variable
from agi_bot.pbx.asterisk.agi_leg import ATTEMPT_VARIABLE, NUMBER_VARIABLE, PORT_VARIABLE, AgiLeg
from agi_bot.pbx.asterisk.attempt import Attempt, Order
from agi_bot.pbx.asterisk.direct_leg import Announcements, DirectLeg
from agi_bot.pbx.asterisk.loan import Loans
from agi_bot.pbx.asterisk.options import AsteriskOptions
from agi_bot.pbx.asterisk.versions import digits_over_audiosocket
from agi_bot.pbx.audiosocket import Line, MediaServer
from agi_bot.pbx.desk import Desk
from agi_bot.pbx.names import check_name, check_text

log = logging.getLogger(__name__)

HELLO = "hello"
"""AGI script by which the dialplan asks whether the bot is there."""


class AsteriskPbx:
    """Keeps the promise :class:`agi_bot.contracts.Pbx`; without ``options.ami`` it only takes calls."""

    def __init__(self, options: AsteriskOptions) -> None:
        self.options = options
        self.media = MediaServer(options.audio_host, options.audio_port, limits=options.limits, stranger=self._stranger)
        self.agi = FastAgiServer(self._serve, options.agi_host, options.agi_port)
        self.ami = Ami(options.ami) if options.ami else None
        self.loans = Loans(self._send)
        self._announcements = Announcements()
        self._desk: Desk[Attempt] = Desk(options.take_wait_s)
        self._version = ""

    @property
    def name(self) -> str:
        return "asterisk"

    @property
    def version(self) -> str:
        return (self.ami.version if self.ami else "") or self._version

    @property
    def running(self) -> int:
        """Calls that are with the bot now."""
        return self._desk.running

    @property
    def obstacle(self) -> str:
        if self.ami is None or not self.ami.connected:
            return "Asterisk's AMI is not connected"
        return "Asterisk is starting" if self.ami.booting else ""

    async def start(self) -> None:
        try:
            await self.media.start()
            await self.agi.start()
            if self.ami is not None:
                await self._start_ami(self.ami)
        except PbxDown:
            await self.close()
            raise

    async def stop(self) -> None:
        if not self._desk.stopped:
            self._desk.stop()
            self.agi.stop()

    async def close(self) -> None:
        await self.stop()
        await self._desk.release()
        await self.agi.close()
        self.media.close()
        await self._desk.close()
        if self.ami is not None:
            await self.ami.close()

    def calls(self) -> AsyncIterator[Call]:
        return self._desk.calls()

    async def originate(
        self,
        number: str,
        *,
        call_id: str,
        caller_id: str = "",
        ring_timeout_s: float = 30.0,
        variables: Mapping[str, str] | None = None,
    ) -> Ringing:
        order = self._order(number, call_id, caller_id, ring_timeout_s, variables or {})
        if self.ami is None or not self.ami.connected:
            raise PbxDown("calls are placed over AMI, which is not connected", cure=_NO_AMI)
        if self.ami.booting:
            raise PbxDown("Asterisk is starting and may not know its dialplan yet", cure="try again in a few seconds")
        return self._desk.place(Attempt(self.ami, order))

    # --- outbound ---

    def _order(
        self, number: str, call_id: str, caller_id: str, ring_timeout_s: float, variables: Mapping[str, str]
    ) -> Order:
        options = self.options
        for text in (call_id, caller_id, *variables.values()):
            check_text(text)
        told = {ATTEMPT_VARIABLE: call_id, NUMBER_VARIABLE: check_number(number), **self._way_here(), **variables}
        headers: dict[str, str | list[str]] = {
            "Channel": options.channel.replace("{number}", number),
            "ChannelId": call_id,
            "Async": "true",
            "Timeout": str(int(ring_timeout_s * 1000)),
            "Variable": [variable(check_name(name), value) for name, value in told.items()],
            **self._answer_headers(),
        }
        if caller_id:
            headers["CallerID"] = caller_id
        return Order(call_id, number, ring_timeout_s, told, headers)

    def _way_here(self) -> dict[str, str]:
        """On any free port the dialplan cannot know where we are: the call's own variable wins over its global one."""
        return {PORT_VARIABLE: str(self.agi.port)} if self.options.agi_port == 0 else {}

    def _answer_headers(self) -> dict[str, str]:
        options = self.options
        if options.context:
            return {"Context": options.context, "Exten": options.extension, "Priority": "1"}
        return {"Application": "AGI", "Data": f"agi://{options.agi_at(self.agi.port)}/"}

    # --- inbound ---

    async def _serve(self, session: Session) -> None:
        self._version = self._version or session.request.variables.get("version", "")
        if session.request.script.strip("/") == HELLO:
            return
        leg = AgiLeg(
            session,
            self.media,
            self.options,
            deliver=self._desk.deliver,
            known=self._desk.known,
            loans=self.loans if self.ami and self.ami.connected else None,
            redirect=self._redirect if self.ami and self.options.transfer_context else None,
        )
        await leg.run()

    def _stranger(self, line: Line) -> bool:
        if not self.options.direct or self._desk.stopped:
            return False
        self._desk.spawn(
            DirectLeg(line, self.options, self.ami, self.loans, self._announcements, self._desk.deliver).run()
        )
        return True

    async def _redirect(self, channel: str, to: str) -> bool:
        assert self.ami is not None
        extension, _, context = to.partition("@")
        target = {"Context": context or self.options.transfer_context, "Exten": extension, "Priority": "1"}
        try:
            await self.loans.make_good(channel)
            answer = (await self.ami.action("Redirect", {"Channel": channel, **target}))[0]
        except PbxError as error:
            log.warning("transfer.left_to_dialplan", extra={"channel": channel, "reason": str(error)})
            return False
        return answer.get("response") == "Success"

    # --- AMI ---

    async def _start_ami(self, ami: Ami) -> None:
        ami.subscribe("Hangup", self._outbound_event)
        ami.subscribe("DialEnd", self._outbound_event)
        ami.subscribe("UserEvent", self._announcements.note)
        ami.subscribe("DTMFEnd", self._digit)
        await ami.connect()
        self._version = ami.version
        self._desk.spawn(self.loans.run())

    async def _send(self, action: str, headers: dict[str, str]) -> object:
        assert self.ami is not None
        return await self.ami.action(action, headers, timeout_s=1.0)

    def _outbound_event(self, event: Event) -> None:
        attempt = self._desk.attempt(event.get("linkedid") or event.get("destlinkedid", ""))
        if attempt is not None:
            attempt.event(event)

    def _digit(self, event: Event) -> None:
        """Keys that do not come with the sound: of older versions, and of EAGI."""
        if event.get("direction") != "Received":
            return
        for call in self._desk:
            by_audio = digits_over_audiosocket(self.version) and isinstance(call.media, Line)
            if call.unique_id and call.unique_id == event.get("uniqueid") and not by_audio:
                call.media.press(event.get("digit", ""))


_NO_AMI = "asterisk.ami in agi-bot.yml: host, user and secret, as in Asterisk's manager.conf; agi-bot check tells more"


def check_number(number: str) -> str:
    """``number`` when it can stand in a dial string, else :class:`ValueError`.

    Beyond line ends that is whatever has a meaning there: ``/ @ & , | ( )`` and spaces.
    """
    if not number or any(mark.isspace() or not mark.isprintable() or mark in '/@&,|()"\\' for mark in number):
        raise ValueError(f"{number!r} is not a number that can be dialled")
    return number
