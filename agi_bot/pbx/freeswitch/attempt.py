"""One outbound attempt over the event socket."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from typing import Any

from agi_bot.contracts import EARLY_MEDIA, Disposition, Status
from agi_bot.pbx import attempt
from agi_bot.pbx.attempt import LATE_S
from agi_bot.pbx.freeswitch.disposition import Evidence, disposition
from esl import Client, CommandFailed, CommandTimeout, EslError, Event, Job, LinkLost, NotConnected, commands

log = logging.getLogger(__name__)

EVENT_GRACE_S = 0.5
"""The job's result and the hang-up event race; how long SIP's word is waited for, s."""

RECORD_S = 90
"""Longest recording of early media, s."""

RECORD_TRIES = 20
RECORD_PAUSE_S = 0.05

_ONE_WORD = re.compile(r"[\w.:@+/-]+")
_PLAIN = re.compile(r"[\w.:@+/ -]*")
"""Values that need no quoting between the braces of an originate; others are set on arrival."""


@dataclass(frozen=True, slots=True)
class Order(attempt.Order):
    """``channel`` is FreeSWITCH's dial string, ``target`` the dialplan's place for the answered leg."""

    channel: str = ""
    target: str = ""
    caller_id: str = ""

    @property
    def command(self) -> str:
        """The API command."""
        told = {name: value for name, value in self.variables.items() if _PLAIN.fullmatch(value)}
        told |= {
            "origination_uuid": self.call_id,
            "originate_timeout": str(max(1, round(self.ring_timeout_s))),
            "ignore_early_media": "true",
            "BOT_ATTEMPT": self.call_id,
            **self._early_media(),
        }
        if self.caller_id:
            told |= {"origination_caller_id_number": self.caller_id, "origination_caller_id_name": self.caller_id}
        inside = ",".join(f"{name}='{value}'" for name, value in told.items())
        return f"originate {{{inside}}}{self.channel} {self.target}"

    @property
    def early_file(self) -> str:
        """Where what is heard before the answer shall be kept; empty: nowhere."""
        file = self.variables.get(EARLY_MEDIA, "")
        return file if _ONE_WORD.fullmatch(file) else ""

    def _early_media(self) -> dict[str, str]:
        """Measured on 1.10.12: only with ``consume`` FreeSWITCH reads a leg's sound before the answer."""
        if not self.early_file:
            return {}
        return {"ignore_early_media": "consume", "execute_on_answer": f"stop_record_session {self.early_file}"}


class Attempt(attempt.Attempt):
    """Placed by the job ``originate``, stopped by ``uuid_kill``."""

    order: Order

    def __init__(self, client: Client, order: Order) -> None:
        super().__init__(order)
        self._client = client
        self._evidence = Evidence()
        self._hung_up = asyncio.Event()

    async def hears(self) -> None:
        """Early media comes: keep it.

        The event is told a moment before the channel can be recorded ("Media not enabled on channel",
        which is also why ``execute_on_media`` does not do): try until it can.
        """
        command = f"uuid_record {self.call_id} start {self.order.early_file} {RECORD_S}"
        reason = ""
        for _ in range(RECORD_TRIES if self.order.early_file else 0):
            if self._done.done():
                return
            try:
                await self._client.api(command)
            except EslError as error:
                reason = str(error)
            else:
                return
            await asyncio.sleep(RECORD_PAUSE_S)
        if reason:
            log.warning("early_media.not_recorded", extra={"call_id": self.call_id, "reason": reason})

    def hung_up(self, event: Event) -> None:
        """Note the hang-up of this attempt's channel."""
        sip = event.get("variable_sip_term_status")
        self._evidence.sip = int(sip) if sip.isdecimal() else 0
        self._evidence.cause = self._evidence.cause or event.get("Hangup-Cause")
        self._hung_up.set()

    async def _stop_ringing(self) -> bool:
        try:
            return (await self._client.ask(commands.api(f"uuid_kill {self.call_id} ORIGINATOR_CANCEL"))).ok
        except EslError as error:
            self._not_cancelled(str(error))
            return True

    async def _place(self) -> None:
        try:
            job = await self._client.bgapi(self.order.command)
        except NotConnected as error:
            self._settle(Disposition(Status.FAILED, detail=f"it was not placed: {error}"))
        except CommandFailed as error:
            self._settle(Disposition(Status.FAILED, detail=f"FreeSWITCH refused to dial: {error.reply}"))
        except (LinkLost, CommandTimeout) as error:
            await self._perhaps_placed(error)
        else:
            await self._wait(job)

    async def _wait(self, job: Job) -> None:
        try:
            await job.result(self.order.ring_timeout_s + LATE_S)
        except CommandFailed as refusal:
            await self._refused(refusal.reason)
        except (LinkLost, TimeoutError) as error:
            await self._perhaps_placed(error)
        else:
            self._settle(Disposition(Status.ANSWERED))

    async def _refused(self, cause: str) -> None:
        self._evidence.cause = cause
        try:
            async with asyncio.timeout(EVENT_GRACE_S):
                await self._hung_up.wait()
        except TimeoutError:
            log.debug("attempt.no_event", extra={"call_id": self.call_id})
        self._settle(self._verdict())

    async def _perhaps_placed(self, error: Exception) -> None:
        """It may be ringing: wait for the answered leg or the hang-up event, never dial again."""
        log.warning("attempt.uncertain", extra={"call_id": self.call_id, "reason": str(error)})
        ended = asyncio.create_task(self._hung_up.wait())
        try:
            waiting: set[asyncio.Future[Any]] = {ended, self._done}
            limit = self.order.ring_timeout_s + LATE_S
            await asyncio.wait(waiting, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
        known = self._hung_up.is_set() and self._evidence.cause
        detail = f"the link to FreeSWITCH was lost while it was placed: {error}"
        self._settle(self._verdict() if known else Disposition(Status.UNKNOWN, detail=detail))

    def _verdict(self) -> Disposition:
        self._evidence.cancelled = self._cancelled
        return disposition(self._evidence)
