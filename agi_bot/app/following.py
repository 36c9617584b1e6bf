"""A call that was placed, followed to its end: the ringing, the arrival of who answered, the conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agi_bot.contracts import Disposition, Ringing
from agi_bot.errors import AgiBotError
from agi_bot.record import CallRecord

ARRIVAL_S = 10.0
"""How long an answered call may take to come from the PBX to us, s; the shipped dialplans give us less."""


class CallFailed(AgiBotError):
    """The call was answered, but the bot could not have the conversation."""


async def follow(
    ringing: Ringing, record: asyncio.Future[CallRecord], talking: Callable[[], bool], longest_s: float
) -> tuple[Disposition, CallRecord | None]:
    """How the call ended, and its ``record``; ``talking`` tells whether it has arrived and goes on.

    Who answers and does not arrive (the bot was too slow for the dialplan, or they hung up on
    the way) is waited for no longer than :data:`ARRIVAL_S`: their line is needed.
    Raises :class:`CallFailed`.
    """
    disposition = await ringing.outcome()
    if not disposition.answered:
        return disposition, None
    await asyncio.wait({record}, timeout=ARRIVAL_S)
    if not record.done() and not talking():
        return disposition, None
    try:
        return disposition, await asyncio.wait_for(record, longest_s)
    except TimeoutError:
        return disposition, None
    except AgiBotError as error:
        raise CallFailed(error.message, cure=error.cure) from error
