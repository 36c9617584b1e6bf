"""The commands of one link that wait for their replies, in order, and one timer for all of them."""

from __future__ import annotations

import asyncio
import math
from collections import deque

from esl.commands import Command
from esl.errors import CommandTimeout, LinkLost
from esl.messages import Reply

_Asked = tuple[float, float, Command, asyncio.Future[Reply]]
"""Deadline (the loop's clock, s), time limit (s), command, and where its reply goes."""


class Pending:
    """FreeSWITCH answers in the order in which it was asked, so a queue is all that is needed.

    A command that has run into its time limit keeps its place, so that a late reply is not
    taken for the next one.  A timer for each command would cost as much as the command.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: deque[_Asked] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = math.inf

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, command: Command, limit: float) -> asyncio.Future[Reply]:
        """A place at the end; no reply in ``limit`` seconds is a :class:`~esl.errors.CommandTimeout`."""
        answer: asyncio.Future[Reply] = self._loop.create_future()
        deadline = self._loop.time() + limit
        self._queue.append((deadline, limit, command, answer))
        if deadline < self._rings_at:
            self._ring_at(deadline)
        return answer

    def answer(self, reply: Reply) -> None:
        """Give ``reply`` to the first in the queue, unless nobody waits for it any more."""
        answer = self._queue.popleft()[3]
        if not answer.done():
            answer.set_result(reply)

    def refuse(self, reason: str) -> None:
        """Fail them all with :class:`~esl.errors.LinkLost`: the link has ended."""
        self._stop()
        for *_, answer in self._queue:
            if not answer.done():
                answer.set_exception(LinkLost(reason))
        self._queue.clear()

    def _ring_at(self, when: float) -> None:
        self._stop()
        self._rings_at = when
        self._timer = self._loop.call_at(when, self._give_up)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._rings_at = None, math.inf

    def _give_up(self) -> None:
        """Fail those whose time is over, and look again when the next one's will be."""
        now = self._rings_at
        self._stop()
        waiting = [asked for asked in self._queue if not asked[3].done()]
        for deadline, limit, command, answer in waiting:
            if deadline <= now:
                answer.set_exception(CommandTimeout(f"no reply to {command.shown!r} in {limit:g} s"))
        if left := [deadline for deadline, *_ in waiting if deadline > now]:
            self._ring_at(min(left))
