"""A call without AGI: the dialplan itself runs ``AudioSocket(uuid,host:port)``.

Then there is only the sound and a UUID.  What else is to be known comes over AMI, when
the dialplan sent ``UserEvent(AgiBot,UUID: ${BOT_UUID},Flow: reminder)`` before; results go
back by AMI ``Setvar``, before the connection is closed, so that the dialplan finds them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from agi_bot.errors import PbxError
from agi_bot.pbx.ami import Ami, Event
from agi_bot.pbx.asterisk.loan import Loans
from agi_bot.pbx.asterisk.options import AsteriskOptions
from agi_bot.pbx.audiosocket import Line
from agi_bot.pbx.call import How, Identity, PbxCall
from agi_bot.pbx.names import known_number

log = logging.getLogger(__name__)

TOLD_WAIT_S = 0.5
"""The UserEvent and the connection race; how long the connection waits for it, s."""

SOUND_WAIT_S = 0.3
"""The first sound tells the call's rate; how long it is waited for, s."""

KEEP = 1000
"""Announced calls whose connection never came are forgotten beyond this number."""


class Announcements:
    """Calls that a ``UserEvent(AgiBot,...)`` announced, by UUID."""

    def __init__(self) -> None:
        self._told: dict[str, Event] = {}
        self._news = asyncio.Event()

    def note(self, event: Event) -> None:
        """Take a UserEvent; others than AgiBot are ignored."""
        uuid = event.get("uuid", "").lower()
        if event.get("userevent", "").lower() != "agibot" or not uuid:
            return
        while len(self._told) >= KEEP:
            del self._told[next(iter(self._told))]
        self._told[uuid] = event
        self._news.set()

    async def take(self, uuid: str, timeout_s: float) -> Event:
        """The announcement of ``uuid``; empty when none comes in time."""
        try:
            async with asyncio.timeout(timeout_s):
                while uuid not in self._told:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return {}
        return self._told.pop(uuid)


@dataclass(slots=True)
class DirectLeg:
    """From the UUID to the closed connection; :meth:`run` is all there is."""

    line: Line
    options: AsteriskOptions
    ami: Ami | None
    loans: Loans
    announcements: Announcements
    deliver: Callable[[PbxCall], None]

    async def run(self) -> None:
        """Serve the call to its end."""
        identity = await self._identify()
        if identity.channel:
            self.loans.take(identity.channel)
        await self._wait_for_sound()
        call = PbxCall(identity, self.line, self.options.finish_wait_s)
        log.info("call.arrived", extra=identity.extra)
        try:
            if not self.line.ended.is_set():
                self.deliver(call)
                await call.until_over(self.line.ended.wait())
                await self._leave(call)
        finally:
            await self.loans.give_back(identity.channel)
            self.line.close(call.how.value if call.how else "the bot did not finish")
            call.finished.set()
            log.info("call.left", extra={**identity.extra, "how": self.line.reason, **asdict(self.line.counters)})

    async def _identify(self) -> Identity:
        uuid = str(self.line.uuid)
        told = await self.announcements.take(uuid, TOLD_WAIT_S) if self.ami else {}
        return Identity(
            id=uuid,
            caller=_known(told.get("calleridnum", "")),
            called=_known(told.get("dialled", "")),
            channel=told.get("channel", ""),
            unique_id=told.get("uniqueid", ""),
            variables={"flow": told.get("flow") or self.options.direct_flow},
        )

    async def _wait_for_sound(self) -> None:
        try:
            await asyncio.wait_for(self.line.sounded.wait(), SOUND_WAIT_S)
        except TimeoutError:
            return

    async def _leave(self, call: PbxCall) -> None:
        if self.ami is None or not call.channel:
            if call.how in (How.HANG_UP, How.TRANSFER):
                reason = "without AMI a call can only go back to the dialplan"
                log.warning("call.not_moved", extra={**call.identity.extra, "reason": reason})
            return
        try:
            await self._set(self.ami, call.channel, call.results)
            if call.how is How.HANG_UP:
                await self.ami.action("Hangup", {"Channel": call.channel, "Cause": "16"})
        except PbxError as error:
            log.warning("call.results_lost", extra={**call.identity.extra, "reason": str(error)})

    async def _set(self, ami: Ami, channel: str, results: Mapping[str, str]) -> None:
        for name, value in results.items():
            await ami.action("Setvar", {"Channel": channel, "Variable": name, "Value": value})


def _known(number: str) -> str:
    """The first of the lines (the event and the dialplan may both tell one)."""
    return known_number(number.partition("\n")[0])
