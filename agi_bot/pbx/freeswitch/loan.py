"""The line is lent to the bot for seconds only, so that a dead bot is never a dead line.

The dialplan (dialplans/freeswitch/agi_bot.xml) lends it before the ``socket`` application, with
a task of FreeSWITCH's own scheduler that would take the caller away (``sched_api``).  A bot that
lives lends it to itself again, once a second, on the call's own socket: first the new task, then
the old one is deleted.  Two groups take turns, so that there is always one.

HAZARD (FreeSWITCH 1.10.12, measured): ``uuid_transfer`` while ``unicast`` is open joins the
unicast thread from outside; the channel's own thread does the same, and whoever is second hangs
for ever.  In a task that would be the scheduler of the whole FreeSWITCH.  So the task only
hands an order to the channel (``uuid_broadcast`` of the application ``transfer``), which carries
it out in its own thread.  The dialplan's first loan may transfer: there is no ``unicast`` yet.
"""

from __future__ import annotations

import asyncio
import logging

from esl import EslError, Session

log = logging.getLogger(__name__)

LOAN_S = 4
"""For how long a renewal is good, s; FreeSWITCH's scheduler knows whole seconds."""

RENEW_S = 1.0
"""Seconds between renewals."""

LOST = "'transfer::agi_bot_lost XML agi_bot' aleg"
"""What a channel does whose bot is silent."""


class Loan:
    """Renews the loan of one call from :meth:`take` to :meth:`give_back`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._groups = (f"agi-bot-{session.uuid}", f"agi-bot-{session.uuid}-2")
        self._turn = 0
        self._renewing: asyncio.Task[None] | None = None

    async def take(self) -> None:
        """Renew at once and from now on.  Raises :class:`esl.EslError`."""
        await self._renew()
        self._renewing = asyncio.create_task(self._run(), name="freeswitch loan")

    async def give_back(self) -> None:
        """Let nothing of it reach the call afterwards; idempotent."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])
            self._renewing = None
        for group in self._groups:
            await self._delete(group)

    async def _run(self) -> None:
        while not self._session.ended:
            await asyncio.sleep(RENEW_S)
            try:
                await self._renew()
            except EslError as error:
                log.debug("loan.not_renewed", extra={"unique_id": self._session.uuid, "reason": str(error)})

    async def _renew(self) -> None:
        self._turn = 1 - self._turn
        new, old = self._groups[self._turn], self._groups[1 - self._turn]
        uuid = self._session.uuid
        await self._session.api(f"sched_api +{LOAN_S} {new} uuid_broadcast {uuid} {LOST}")
        await self._session.api(f"sched_del {old}")

    async def _delete(self, group: str) -> None:
        try:
            await self._session.api(f"sched_del {group}")
        except EslError as error:
            log.debug("loan.not_deleted", extra={"unique_id": self._session.uuid, "reason": str(error)})
