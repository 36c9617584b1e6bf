"""What became of an outbound attempt, from FreeSWITCH's hang-up cause.  Pure.

Measured on FreeSWITCH 1.10.12 against SIP 486, 603, 404, 480, 503, no answer, a bad gateway and
a bad extension.  The causes are named in switch_types.h, their numbers are those of ITU-T Q.850.
"""

from __future__ import annotations

from dataclasses import dataclass

from agi_bot.contracts import Disposition, Status

BY_CAUSE: dict[str, tuple[Status, int]] = {
    "UNALLOCATED_NUMBER": (Status.INVALID_NUMBER, 1),  # SIP 404
    "NO_ROUTE_TRANSIT_NET": (Status.UNREACHABLE, 2),
    "NO_ROUTE_DESTINATION": (Status.UNREACHABLE, 3),
    "NORMAL_CLEARING": (Status.FAILED, 16),
    "USER_BUSY": (Status.BUSY, 17),  # SIP 486, 600
    "NO_USER_RESPONSE": (Status.NO_ANSWER, 18),  # SIP 480, 408
    "NO_ANSWER": (Status.NO_ANSWER, 19),
    "SUBSCRIBER_ABSENT": (Status.UNREACHABLE, 20),
    "CALL_REJECTED": (Status.REJECTED, 21),  # SIP 603, 403
    "NUMBER_CHANGED": (Status.INVALID_NUMBER, 22),
    "DESTINATION_OUT_OF_ORDER": (Status.UNREACHABLE, 27),
    "INVALID_NUMBER_FORMAT": (Status.INVALID_NUMBER, 28),
    "NORMAL_CIRCUIT_CONGESTION": (Status.CONGESTION, 34),
    "NETWORK_OUT_OF_ORDER": (Status.CONGESTION, 38),
    "NORMAL_TEMPORARY_FAILURE": (Status.CONGESTION, 41),  # SIP 503, or nobody listens
    "SWITCH_CONGESTION": (Status.CONGESTION, 42),
    "REQUESTED_CHAN_UNAVAIL": (Status.CONGESTION, 44),
    "RECOVERY_ON_TIMER_EXPIRE": (Status.UNREACHABLE, 102),
    "ALLOTTED_TIMEOUT": (Status.NO_ANSWER, 602),
    "ORIGINATOR_CANCEL": (Status.CANCELLED, 487),
    "USER_NOT_REGISTERED": (Status.UNREACHABLE, 606),
    "PROGRESS_TIMEOUT": (Status.NO_ANSWER, 607),
    "INVALID_GATEWAY": (Status.FAILED, 608),
    "GATEWAY_DOWN": (Status.UNREACHABLE, 609),
    "INVALID_URL": (Status.FAILED, 610),
    "INVALID_PROFILE": (Status.FAILED, 611),
}

CURES = {
    "INVALID_GATEWAY": "freeswitch.channel names a gateway that FreeSWITCH does not have; see 'sofia status'",
    "INVALID_PROFILE": "freeswitch.channel names a profile that FreeSWITCH does not have; see 'sofia status'",
    "CHAN_NOT_IMPLEMENTED": "freeswitch.channel begins with an endpoint that is not loaded",
}


@dataclass(slots=True)
class Evidence:
    """What is known of one attempt: FreeSWITCH's verdict and, from the hang-up event, SIP's."""

    cause: str = ""
    sip: int = 0
    cancelled: bool = False


def disposition(evidence: Evidence) -> Disposition:
    """The verdict over an attempt that was not answered."""
    status, number = BY_CAUSE.get(evidence.cause, (Status.FAILED, 0))
    if evidence.cancelled:
        status = Status.CANCELLED
    cure = CURES.get(evidence.cause, "")
    detail = f"{evidence.cause} ({cure})" if cure else evidence.cause
    return Disposition(status, number if number <= 127 else 0, evidence.sip, detail)
