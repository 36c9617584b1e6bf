"""A call that was placed is followed to its end, and never longer than it can last."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from agi_bot.app.following import ARRIVAL_S, CallFailed, follow
from agi_bot.contracts import Disposition, Status
from agi_bot.errors import AgiBotError
from agi_bot.record import CallRecord
from agi_bot.testing import VirtualTimeLoop

RECORD = CallRecord(call_id="c", flow="f", language="zh-CN", started_at=datetime(2026, 11, 24, tzinfo=UTC))


class Rings:
    """Rings for 5 s."""

    call_id = "c"

    def __init__(self, status: Status = Status.ANSWERED) -> None:
        self._status = status

    async def outcome(self) -> Disposition:
        await asyncio.sleep(5)
        return Disposition(self._status)

    async def cancel(self) -> None:
        """Nobody does."""


def settle(record: asyncio.Future[CallRecord], fails: bool) -> None:
    if record.cancelled():
        return
    if fails:
        record.set_exception(AgiBotError("x"))
    else:
        record.set_result(RECORD)


@pytest.fixture
def loop() -> Iterator[VirtualTimeLoop]:
    loop = VirtualTimeLoop()
    yield loop
    loop.close()


def follows(loop: VirtualTimeLoop, rings: Rings, *, talks_s: float = 0.0, fails: bool = False) -> tuple[object, float]:
    """What comes of it, and after how many s; ``talks_s`` 0: whoever answers never arrives."""

    async def run() -> tuple[Disposition, CallRecord | None]:
        record: asyncio.Future[CallRecord] = loop.create_future()
        if talks_s:
            loop.call_later(5 + talks_s, settle, record, fails)
        return await follow(rings, record, lambda: bool(talks_s), 60)

    began = loop.time()
    found = loop.run_until_complete(run())
    return found[1], loop.time() - began


def test_a_conversation_of_any_length(loop: VirtualTimeLoop) -> None:
    assert follows(loop, Rings(), talks_s=2) == (RECORD, 7)
    assert follows(loop, Rings(), talks_s=40) == (RECORD, 45)


def test_who_did_not_answer_is_not_waited_for(loop: VirtualTimeLoop) -> None:
    assert follows(loop, Rings(Status.BUSY)) == (None, 5)


def test_who_answers_and_never_arrives_does_not_hold_a_line(loop: VirtualTimeLoop) -> None:
    assert follows(loop, Rings()) == (None, 5 + ARRIVAL_S)


def test_a_conversation_without_end_is_given_up(loop: VirtualTimeLoop) -> None:
    assert follows(loop, Rings(), talks_s=1000) == (None, 5 + ARRIVAL_S + 60)


def test_a_conversation_that_could_not_be_had(loop: VirtualTimeLoop) -> None:
    with pytest.raises(CallFailed):
        follows(loop, Rings(), talks_s=1, fails=True)
