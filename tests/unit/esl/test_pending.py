"""Commands that wait for their replies: in order, with one timer for all of them."""

from __future__ import annotations

import asyncio

import pytest

from esl import commands
from esl.errors import CommandTimeout, LinkLost
from esl.headers import Headers
from esl.messages import Reply
from esl.pending import Pending


class CountingLoop:
    """The running loop, counting the timers that are set."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.timers: list[asyncio.TimerHandle] = []

    def call_at(self, when: float, work) -> asyncio.TimerHandle:
        self.timers.append(self._loop.call_at(when, work))
        return self.timers[-1]

    def __getattr__(self, name: str):
        return getattr(self._loop, name)


def reply(number: int) -> Reply:
    return Reply(str(number), Headers({}), commands.api(str(number)))


async def test_replies_go_to_those_who_asked_in_order() -> None:
    pending = Pending(asyncio.get_running_loop())
    answers = [pending.add(commands.api(str(number)), 1) for number in range(3)]
    for number in range(3):
        pending.answer(reply(number))
    assert [(await answer).text for answer in answers] == ["0", "1", "2"]
    assert not pending


async def test_a_thousand_commands_need_one_timer() -> None:
    loop = CountingLoop()
    pending = Pending(loop)
    answers = []
    for number in range(1000):
        answers.append(pending.add(commands.api(str(number)), 10))
        pending.answer(reply(number))
    assert len(loop.timers) == 1
    pending.refuse("the end")
    assert loop.timers[0].cancelled()


async def test_each_runs_into_its_own_limit() -> None:
    pending = Pending(asyncio.get_running_loop())
    loop = asyncio.get_running_loop()
    start = loop.time()
    late = pending.add(commands.api("late"), 0.15)
    soon = pending.add(commands.api("soon"), 0.05)
    never = pending.add(commands.api("never"), 60)
    with pytest.raises(CommandTimeout, match=r"'api soon' in 0\.05 s"):
        await soon
    assert not late.done()
    with pytest.raises(CommandTimeout, match="late"):
        await late
    assert loop.time() - start >= 0.14
    assert not never.done()
    pending.refuse("the end")
    with pytest.raises(LinkLost, match="the end"):
        await never


async def test_a_timed_out_or_cancelled_command_keeps_its_place() -> None:
    pending = Pending(asyncio.get_running_loop())
    slow, cancelled = pending.add(commands.api("slow"), 0.01), pending.add(commands.api("cancelled"), 5)
    third = pending.add(commands.api("third"), 5)
    cancelled.cancel()
    with pytest.raises(CommandTimeout):
        await slow
    for number in range(3):
        pending.answer(reply(number))
    assert (await third).text == "2"


async def test_a_command_after_a_quiet_time_gets_its_limit_too() -> None:
    pending = Pending(asyncio.get_running_loop())
    first = pending.add(commands.api("first"), 0.02)
    pending.answer(reply(0))
    await first
    await asyncio.sleep(0.05)
    with pytest.raises(CommandTimeout, match="second"):
        await asyncio.wait_for(pending.add(commands.api("second"), 0.02), 30)
