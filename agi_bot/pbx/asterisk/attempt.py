"""One outbound attempt: sent at most once, watched until its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agi_bot.contracts import Disposition, Status
from agi_bot.errors import PbxDown, PbxError
from agi_bot.pbx.ami import Ami, AmiUnanswered, Event
from agi_bot.pbx.asterisk.disposition import REASON_ANSWERED, Evidence, disposition

log = logging.getLogger(__name__)

LATE_S = 15.0
"""How long after the ringing time Asterisk may take to tell how it ended, s."""

HANGUP_GRACE_S = 1.0
"""OriginateResponse and the Hangup events come in any order; how long a cause is waited for, s."""

CANCEL_TRIES = 20
CANCEL_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be dialled; ``headers`` are those of the AMI action Originate."""

    call_id: str
    number: str
    ring_timeout_s: float
    headers: Mapping[str, str | Sequence[str]]
    variables: Mapping[str, str] = field(default_factory=dict)


class Attempt:
    """Keeps the promise :class:`agi_bot.contracts.Ringing`."""

    def __init__(self, ami: Ami, order: Order) -> None:
        self._ami = ami
        self._evidence = Evidence()
        self._done: asyncio.Future[Disposition] = asyncio.get_running_loop().create_future()
        self._caused = asyncio.Event()
        self.order = order

    @property
    def call_id(self) -> str:
        return self.order.call_id

    async def outcome(self) -> Disposition:
        return await asyncio.shield(self._done)

    async def cancel(self) -> None:
        if self._done.done():
            return
        self._evidence.cancelled = True
        try:
            await self._stop_ringing()
        except (PbxDown, AmiUnanswered) as error:
            log.warning("attempt.not_cancelled", extra={"call_id": self.call_id, "reason": str(error)})

    async def _stop_ringing(self) -> None:
        """Asterisk makes the channel a moment after it took the Originate: try until it is there."""
        for _ in range(CANCEL_TRIES):
            # A channel can be named by its unique id, which is ours.
            answer = await self._ami.action("Hangup", {"Channel": self.call_id, "Cause": "16"})
            if answer[0].get("response") == "Success" or self._done.done():
                return
            await asyncio.wait({self._done}, timeout=CANCEL_PAUSE_S)
        log.warning("attempt.not_cancelled", extra={"call_id": self.call_id, "reason": "there is no such channel"})

    async def run(self) -> None:
        """Send the Originate and wait for its end; whatever happens, there is an outcome."""
        try:
            await self._originate()
        except AmiUnanswered as error:
            self._settle(Disposition(Status.UNKNOWN, detail=str(error)))
        except PbxError as error:
            self._settle(Disposition(Status.FAILED, detail=str(error)))
        finally:
            self._settle(Disposition(Status.UNKNOWN, detail="the bot stopped while it was ringing"))

    def arrived(self) -> None:
        """The answered leg is here, whatever AMI says or fails to say."""
        self._settle(Disposition(Status.ANSWERED))

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

    async def _originate(self) -> None:
        if self._evidence.cancelled:
            self._settle(Disposition(Status.CANCELLED, detail="cancelled before it was dialled"))
            return
        answers = await self._ami.action("Originate", self.order.headers, self.order.ring_timeout_s + LATE_S)
        last = answers[-1]
        if len(answers) == 1:  # refused at once: no channel was made
            text = last.get("message", "")
            self._settle(Disposition(Status.FAILED, detail=f"Asterisk refused to dial: {text}"))
            return
        self._evidence.reason = _number(last.get("reason", ""))
        if self._evidence.reason != REASON_ANSWERED:
            await self._wait_for_cause()
        self._settle(disposition(self._evidence))

    async def _wait_for_cause(self) -> None:
        try:
            await asyncio.wait_for(self._caused.wait(), HANGUP_GRACE_S)
        except TimeoutError:
            log.debug("attempt.no_cause", extra={"call_id": self.call_id})

    def _settle(self, verdict: Disposition) -> None:
        if not self._done.done():
            self._done.set_result(verdict)


def _number(text: str) -> int:
    digits = "".join(mark for mark in text if mark.isdigit())
    return int(digits or 0)
