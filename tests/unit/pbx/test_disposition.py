"""What became of an attempt, by all that Asterisk tells of it."""

from __future__ import annotations

import pytest

from agi_bot.contracts import Status
from agi_bot.pbx.asterisk.disposition import Evidence, disposition


@pytest.mark.parametrize(
    ("reason", "dial", "cause", "sip", "status"),
    [
        (4, "ANSWER", 0, 0, Status.ANSWERED),
        (0, "BUSY", 17, 486, Status.BUSY),
        (0, "NOANSWER", 21, 603, Status.REJECTED),
        (0, "NOANSWER", 21, 403, Status.REJECTED),
        (0, "NOANSWER", 1, 404, Status.INVALID_NUMBER),
        (0, "NOANSWER", 19, 480, Status.NO_ANSWER),
        (0, "CONGESTION", 34, 503, Status.CONGESTION),
        (3, "", 19, 480, Status.NO_ANSWER),
        (0, "", 0, 0, Status.FAILED),
        (5, "BUSY", 0, 0, Status.BUSY),
        (0, "CHANUNAVAIL", 20, 0, Status.UNREACHABLE),
        (0, "CHANUNAVAIL", 0, 0, Status.UNREACHABLE),
        (0, "", 127, 500, Status.FAILED),
    ],
)
def test_the_disposition_table(reason: int, dial: str, cause: int, sip: int, status: Status) -> None:
    verdict = disposition(Evidence(reason=reason, dial=dial, cause=cause, sip=sip))
    assert (verdict.status, verdict.cause, verdict.sip) == (status, cause, sip)


def test_a_cancelled_attempt_is_cancelled_whatever_its_cause() -> None:
    assert disposition(Evidence(reason=0, dial="NOANSWER", cause=16, cancelled=True)).status is Status.CANCELLED


def test_the_farthest_leg_tells_the_cause() -> None:
    evidence = Evidence()
    evidence.hangup("PJSIP/trunk-1", 21, 603, "Call Rejected")
    evidence.hangup("Local/1@x-1;2", 34, 0, "Congestion")
    evidence.hangup("Local/1@x-1;1", 0, 0, "")
    assert (evidence.cause, evidence.sip) == (21, 603)


def test_an_attempt_without_a_channel_says_where_to_look() -> None:
    assert "outbound context" in disposition(Evidence(reason=0)).detail


def test_a_hole_in_the_dialplan_says_nothing_of_the_number() -> None:
    evidence = Evidence(reason=0)
    evidence.hangup("Local/1@agi-bot-outbound-1;2", 3, 0, "No route to destination")
    assert disposition(evidence).status is Status.FAILED
    assert "AGI_BOT_ROUTES" in disposition(evidence).detail


def test_a_network_without_a_route_is_told_as_it_is() -> None:
    evidence = Evidence(reason=0)
    evidence.hangup("PJSIP/trunk-1", 3, 0, "No route to destination")
    evidence.hangup("Local/1@agi-bot-outbound-1;2", 3, 0, "No route to destination")
    assert disposition(evidence).status is Status.UNREACHABLE
