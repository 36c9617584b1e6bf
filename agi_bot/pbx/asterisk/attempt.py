"""One outbound attempt over AMI."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agi_bot.contracts import EARLY_MEDIA, Disposition, Status
from agi_bot.errors import PbxDown, PbxError
from agi_bot.pbx import attempt
from agi_bot.pbx.ami import Ami, AmiUnanswered, Event
from agi_bot.pbx.asterisk.disposition import REASON_ANSWERED, Evidence, disposition
from agi_bot.pbx.asterisk.early import EarlyRecording
from agi_bot.pbx.attempt import LATE_S

log = logging.getLogger(__name__)

HANGUP_GRACE_S = 1.0
"""OriginateResponse and the Hangup events come in any order; how long a cause is waited for, s."""

LOOK_S = 1.0
"""How often a call is asked for whose Originate was not answered, s."""

ABSENT = 2
"""Asterisk makes the channel a moment after it took the Originate: so often in a row it must be absent."""


@dataclass(frozen=True, slots=True)
class Order(attempt.Order):
    """``headers`` are those of the AMI action Originate."""

    headers: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


class Attempt(attempt.Attempt):
    """Placed by the AMI action Originate, stopped by Hangup."""

    order: Order

    def __init__(self, ami: Ami, order: Order) -> None:
        super().__init__(order)
        self._ami = ami
        self._evidence = Evidence()
        self._caused = asyncio.Event()
        self._gone = False

    def event(self, event: Event) -> None:
        """Note an event (Hangup, DialEnd) of this attempt's channels."""
        if event["event"].lower() == "dialend":
            self._evidence.dial = event.get("dialstatus", "")
            return
        self._evidence.hangup(
            event.get("channel", ""),
            _number(event.get("cause", "")),
            _number(event.get("techcause", "")),
            event.get("cause-txt", ""),
        )
        if self._evidence.cause:
            self._caused.set()

    async def _place(self) -> None:
        try:
            await self._originate()
        except AmiUnanswered as error:
            await self._look_up(error)
        except PbxError as error:
            self._settle(Disposition(Status.FAILED, detail=str(error)))

    async def _stop_ringing(self) -> bool:
        """A channel can be named by its unique id, which is ours."""
        try:
            answer = await self._ami.action("Hangup", {"Channel": self.call_id, "Cause": "16"})
        except (PbxDown, AmiUnanswered) as error:
            self._not_cancelled(str(error))
            return True
        return answer[0].get("response") == "Success"

    async def _originate(self) -> None:
        early = EarlyRecording(self._ami, self.call_id, self.order.variables.get(EARLY_MEDIA, ""))
        listening = asyncio.create_task(early.start()) if EARLY_MEDIA in self.order.variables else None
        try:
            answers = await self._ami.action("Originate", self.order.headers, self.order.ring_timeout_s + LATE_S)
        finally:
            if listening is not None:
                listening.cancel()
        last = answers[-1]
        if len(answers) == 1:  # refused at once: no channel was made
            text = last.get("message", "")
            self._settle(Disposition(Status.FAILED, detail=f"Asterisk refused to dial: {text}"))
            return
        self._evidence.reason = _number(last.get("reason", ""))
        if self._evidence.reason == REASON_ANSWERED:
            await early.stop()
        else:
            await self._wait_for_cause()
        self._evidence.cancelled = self._cancelled
        self._settle(disposition(self._evidence))

    async def _look_up(self, error: AmiUnanswered) -> None:
        """It may be ringing: ask for our own channel until it is answered or gone, and never dial again."""
        log.warning("attempt.uncertain", extra={"call_id": self.call_id, "reason": str(error)})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.order.ring_timeout_s + LATE_S):
                await self._until_gone()
        self._evidence.cancelled = self._cancelled
        found = disposition(self._evidence)
        known = found.status not in (Status.FAILED, Status.ANSWERED)
        detail = f"{error}; Asterisk does not know the call any more" if self._gone else str(error)
        self._settle(found if known else Disposition(Status.UNKNOWN, found.cause, found.sip, detail))

    async def _until_gone(self) -> None:
        absent = 0
        while absent < ABSENT and not self._done.done():
            await asyncio.wait({self._done}, timeout=LOOK_S)
            await self._ami.restored()
            try:
                answer = await self._ami.action("Getvar", {"Channel": self.call_id, "Variable": "CHANNEL(state)"})
            except PbxError:
                continue
            absent = 0 if answer[0].get("response") == "Success" else absent + 1
        self._gone = absent >= ABSENT

    async def _wait_for_cause(self) -> None:
        try:
            await asyncio.wait_for(self._caused.wait(), HANGUP_GRACE_S)
        except TimeoutError:
            log.debug("attempt.no_cause", extra={"call_id": self.call_id})


def _number(text: str) -> int:
    digits = "".join(mark for mark in text if mark.isdigit())
    return int(digits or 0)
