"""The line is lent to the bot for seconds only, so that a dead bot is never a dead line.

The dialplan (dialplans/asterisk/agi-bot.conf) starts every call with an absolute timeout
of 1.5 s.  The bot's first AGI command renews it (:func:`first_command`), and during the
call :class:`Loans` renews it over AMI, once a second, from the event loop that serves the
calls.  When a bot hangs, Asterisk itself takes the caller to the dialplan's fallback.
docs/dead-bot.md tells the whole story.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from agi_bot.errors import PbxError

LOAN_S = 4
"""For how long a renewal is good, seconds."""

RENEW_S = 1.0
"""Seconds between renewals."""

Send = Callable[[str, dict[str, str]], Awaitable[object]]
"""Sends an AMI action, as :meth:`agi_bot.pbx.ami.Ami.action` does."""


def first_command(*, renewable: bool) -> bytes:
    """The AGI command (``SET AUTOHANGUP``) that every call must begin with.

    ``renewable`` tells whether an AMI is logged in; without one the loan is made for good,
    and only the supervisor guards the call.
    """
    return b"SET AUTOHANGUP %d\n" % (LOAN_S if renewable else 0)


class Loans:
    """Renews the loans of all lines that the bot holds; :meth:`run` is a task beside the calls.

    ``send`` needs an AMI user with the write class ``call``.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._channels: set[str] = set()
        self._renewing: dict[str, asyncio.Task[None]] = {}

    def take(self, channel: str) -> None:
        """The bot has ``channel`` from now on."""
        self._channels.add(channel)

    async def give_back(self, channel: str) -> None:
        """The bot has it no longer; returns when no renewal is on its way any more.

        Only then may the dialplan have the line: a renewal that came later would end the
        caller's stay in the admin's queue after :data:`LOAN_S`.
        """
        self._channels.discard(channel)
        if renewing := self._renewing.get(channel):
            await asyncio.wait({renewing})

    async def make_good(self, channel: str) -> None:
        """Give it back with no end to the loan: it is about to leave the dialplan that ends it.

        Raises :class:`PbxError`.
        """
        await self.give_back(channel)
        cancel = {"Channel": channel, "Variable": "TIMEOUT(absolute)", "Value": "0"}
        await self._send("Setvar", cancel)  # AbsoluteTimeout refuses 0

    async def run(self) -> None:
        """Renew until cancelled.  A renewal that fails is the next one's matter."""
        while True:
            for channel in self._channels - self._renewing.keys():
                self._renewing[channel] = asyncio.create_task(self._renew(channel))
            await asyncio.sleep(RENEW_S)

    async def _renew(self, channel: str) -> None:
        try:
            with contextlib.suppress(PbxError):
                await self._send("AbsoluteTimeout", {"Channel": channel, "Timeout": str(LOAN_S)})
        finally:
            del self._renewing[channel]
