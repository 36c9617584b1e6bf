"""Attempts over AMI: answered, refused, cancelled, and cut off from the link."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest

from agi_bot.contracts import Disposition, Status
from agi_bot.pbx.ami import Ami, Event
from agi_bot.pbx.asterisk.attempt import Attempt, Order
from tests.unit.pbx.manager import Manager, Message, until


def originate_response(response: str, reason: int) -> Callable[[Message], list[str]]:
    def answer(action: Message) -> list[str]:
        if action["Action"] != "Originate":
            return ["Response: Success"]
        queued = "Response: Success\r\nMessage: Originate successfully queued"
        return [queued, f"Event: OriginateResponse\r\nResponse: {response}\r\nReason: {reason}"]

    return answer


def attempt_on(ami: Ami, ring_timeout_s: float = 1.0) -> Attempt:
    headers = {"Channel": "Local/1@x", "ChannelId": "id-1", "Async": "true"}
    return Attempt(ami, Order("id-1", "1", ring_timeout_s, headers))


def hangup(cause: int, sip: int = 0, channel: str = "PJSIP/x-1", text: str = "text") -> Event:
    told = {"event": "Hangup", "channel": channel, "uniqueid": "u", "cause": str(cause), "cause-txt": text}
    return {**told, "techcause": f"SIP {sip}"} if sip else told


async def test_an_answered_attempt(manager: Manager, ami: Ami) -> None:
    manager.answer = originate_response("Success", 4)
    attempt = attempt_on(ami)
    await attempt.run()
    assert (await attempt.outcome()).answered
    await attempt.cancel()
    assert manager.names() == ["Originate"]


async def test_a_cause_may_come_before_or_after_the_response(manager: Manager, ami: Ami) -> None:
    manager.answer = originate_response("Failure", 0)
    for late in (False, True):
        attempt = attempt_on(ami)
        if not late:
            attempt.event(hangup(17, 486))
        running = asyncio.create_task(attempt.run())
        await asyncio.sleep(0.1)
        if late:
            attempt.event(hangup(17, 486))
        await running
        assert await attempt.outcome() == Disposition(Status.BUSY, 17, 486, "text")


async def test_a_refused_originate_is_a_failure(manager: Manager, ami: Ami) -> None:
    manager.answer = lambda action: ["Response: Error\r\nMessage: Permission denied"]
    attempt = attempt_on(ami)
    await attempt.run()
    verdict = await attempt.outcome()
    assert (verdict.status, verdict.detail) == (Status.FAILED, "Asterisk refused to dial: Permission denied")


class Ringer:
    """Answers an Originate with silence; says ``there`` times that the channel is there, then that it is not."""

    def __init__(self, there: int) -> None:
        self.there = there

    def __call__(self, action: Message) -> list[str]:
        if action["Action"] == "Originate":
            return []
        if action["Action"] != "Getvar":
            return ["Response: Success"]
        assert action["Channel"] == "id-1", "asked for by our own channel id"
        self.there -= 1
        return [
            "Response: Success\r\nValue: Ringing" if self.there >= 0 else "Response: Error\r\nMessage: No such channel"
        ]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agi_bot.pbx.asterisk.attempt.LOOK_S", 0.02)


async def cut_after_originate(manager: Manager, attempt: Attempt) -> asyncio.Task[None]:
    running = asyncio.create_task(attempt.run())
    await until(lambda: "Originate" in manager.names())
    manager.cut()
    return running


async def test_a_call_that_is_gone_when_the_link_is_back_is_unknown(
    manager: Manager, ami: Ami, impatient: None
) -> None:
    manager.answer = Ringer(there=0)
    attempt = attempt_on(ami, 5)
    await (await cut_after_originate(manager, attempt))
    verdict = await attempt.outcome()
    assert verdict.status is Status.UNKNOWN
    assert "does not know the call any more" in verdict.detail
    assert manager.names() == ["Originate", "Getvar", "Getvar"], "asked twice, dialled once"


async def test_a_call_that_still_rings_when_the_link_is_back_is_followed_to_its_end(
    manager: Manager, ami: Ami, impatient: None
) -> None:
    manager.answer = Ringer(there=3)
    attempt = attempt_on(ami, 5)
    running = await cut_after_originate(manager, attempt)
    await until(lambda: "Getvar" in manager.names())
    attempt.event(hangup(17, 486))
    await running
    assert await attempt.outcome() == Disposition(Status.BUSY, 17, 486, "text")
    assert manager.names().count("Originate") == 1


async def test_the_answered_leg_arrives_although_the_link_is_lost(manager: Manager, ami: Ami, impatient: None) -> None:
    manager.answer = Ringer(there=1000)
    attempt = attempt_on(ami, 5)
    running = await cut_after_originate(manager, attempt)
    attempt.arrived()
    await running
    assert (await attempt.outcome()).answered
    assert manager.names().count("Originate") == 1


async def test_a_link_that_stays_away_leaves_the_call_unknown(
    manager: Manager, ami: Ami, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agi_bot.pbx.asterisk.attempt.LATE_S", 0.1)
    manager.answer = Ringer(there=0)
    attempt = attempt_on(ami, 0.1)
    manager.server.close()
    await (await cut_after_originate(manager, attempt))
    assert (await attempt.outcome()) == Disposition(
        Status.UNKNOWN, detail="AMI action Originate was sent, but the link broke"
    )


async def test_an_attempt_cancelled_before_it_was_sent_is_not_sent(manager: Manager, ami: Ami) -> None:
    manager.answer = lambda action: ["Response: Error\r\nMessage: No such channel"]
    attempt = attempt_on(ami)
    cancelling = asyncio.create_task(attempt.cancel())
    await asyncio.sleep(0)
    await attempt.run()
    await cancelling
    assert (await attempt.outcome()).status is Status.CANCELLED
    assert "Originate" not in manager.names()


async def test_an_attempt_whose_bot_stops_is_unknown(manager: Manager, ami: Ami) -> None:
    manager.answer = lambda action: []
    attempt = attempt_on(ami, 5)
    running = asyncio.create_task(attempt.run())
    await until(lambda: "Originate" in manager.names())
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert (await attempt.outcome()).status is Status.UNKNOWN
