"""What became of an outbound attempt, from what Asterisk told about it.  Pure.

The reason in OriginateResponse alone says nothing (0 for busy, rejected and unknown
alike); the cause of the farthest leg's Hangup and whether an answer came decide.
Measured on Asterisk 22.10 against SIP 486, 603, 403, 404, 480, 503, no answer, no endpoint.
"""

from __future__ import annotations

from dataclasses import dataclass

from agi_bot.contracts import Disposition, Status

REASON_NO_ANSWER = 3
"""OriginateResponse: the time to ring was over."""

REASON_ANSWERED = 4

NO_ROUTE = 3
"""Q.850: no route to destination; what agi-bot-outbound.conf says of a number that no route takes."""

NO_CHANNEL = "no channel was made: does the outbound context know this number, and its route the endpoint?"

UNROUTED = "no route takes this number: is there a context for it (AGI_BOT_ROUTES; 'outbound' if not set)?"

BY_CAUSE = {
    1: Status.INVALID_NUMBER,  # unallocated number; SIP 404
    2: Status.UNREACHABLE,
    NO_ROUTE: Status.UNREACHABLE,
    17: Status.BUSY,
    18: Status.NO_ANSWER,
    19: Status.NO_ANSWER,
    20: Status.UNREACHABLE,  # subscriber absent
    21: Status.REJECTED,
    22: Status.INVALID_NUMBER,  # number changed
    27: Status.UNREACHABLE,  # destination out of order
    28: Status.INVALID_NUMBER,  # invalid number format
    34: Status.CONGESTION,
    38: Status.CONGESTION,
    41: Status.CONGESTION,
    42: Status.CONGESTION,
    44: Status.CONGESTION,
    58: Status.CONGESTION,
}
"""ITU-T Q.850 cause to status."""

BY_DIAL = {
    "BUSY": Status.BUSY,
    "NOANSWER": Status.NO_ANSWER,
    "CONGESTION": Status.CONGESTION,
    "CHANUNAVAIL": Status.UNREACHABLE,
    "CANCEL": Status.CANCELLED,
    "DONTCALL": Status.REJECTED,
}
"""DialStatus of a DialEnd event to status, where the cause says nothing."""


@dataclass(slots=True)
class Evidence:
    """What is known of one attempt so far.

    ``cause`` and ``sip`` come from the Hangup of the farthest leg, ``dial`` from the last
    DialEnd, ``reason`` from OriginateResponse (``None``: has not come).  ``left``: a channel
    to a trunk or telephone was made, so that the cause is the network's, not the dialplan's.
    """

    reason: int | None = None
    dial: str = ""
    cause: int = 0
    sip: int = 0
    cause_text: str = ""
    cancelled: bool = False
    left: bool = False

    def hangup(self, channel: str, cause: int, sip: int, text: str) -> None:
        """A leg hung up; a Local channel only passes on what a real one told."""
        local = channel.startswith("Local/")
        self.left = self.left or not local
        if self.cause and local:
            return
        if cause or sip:
            self.cause, self.sip, self.cause_text = cause, sip, text


def disposition(evidence: Evidence) -> Disposition:
    """The verdict over a finished attempt."""
    return Disposition(_status(evidence), evidence.cause, evidence.sip, _detail(evidence))


def _status(evidence: Evidence) -> Status:
    if evidence.cancelled:
        return Status.CANCELLED
    if evidence.reason == REASON_ANSWERED:
        return Status.ANSWERED
    if evidence.reason == REASON_NO_ANSWER:
        return Status.NO_ANSWER
    if _unrouted(evidence):
        return Status.FAILED
    if evidence.cause in BY_CAUSE:
        return BY_CAUSE[evidence.cause]
    return BY_DIAL.get(evidence.dial, Status.FAILED)


def _unrouted(evidence: Evidence) -> bool:
    """A hole in the admin's dialplan says nothing of the number, and reached nobody."""
    return evidence.cause == NO_ROUTE and not evidence.left


def _detail(evidence: Evidence) -> str:
    if _unrouted(evidence):
        return UNROUTED
    parts = [evidence.cause_text, f"dial {evidence.dial}" if evidence.dial else ""]
    text = ", ".join(part for part in parts if part)
    return text or ("" if evidence.reason == REASON_ANSWERED else NO_CHANNEL)
