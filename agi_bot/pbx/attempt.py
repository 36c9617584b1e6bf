"""One outbound attempt on any PBX: sent at most once, watched until its end."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from agi_bot.contracts import Disposition, Status

log = logging.getLogger(__name__)

LATE_S = 15.0
"""How long after the ringing time a PBX may take to tell how it ended, s."""

CANCEL_TRIES = 20
CANCEL_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be dialled; a PBX adds its own form of it."""

    call_id: str
    number: str
    ring_timeout_s: float
    variables: Mapping[str, str] = field(default_factory=dict)


class Attempt(ABC):
    """Keeps the promise :class:`agi_bot.contracts.Ringing`; a PBX adds how it is placed and stopped."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self._cancelled = False
        self._done: asyncio.Future[Disposition] = asyncio.get_running_loop().create_future()

    @property
    def call_id(self) -> str:
        return self.order.call_id

    async def outcome(self) -> Disposition:
        return await asyncio.shield(self._done)

    async def cancel(self) -> None:
        """A PBX makes the channel a moment after it took the order: try until it is there."""
        if self._done.done():
            return
        self._cancelled = True
        for _ in range(CANCEL_TRIES):
            if await self._stop_ringing() or self._done.done():
                return
            await asyncio.wait({self._done}, timeout=CANCEL_PAUSE_S)
        self._not_cancelled("there is no such channel")

    async def run(self) -> None:
        """Place the call and wait for its end; whatever happens, there is an outcome."""
        try:
            if self._cancelled:
                self._settle(Disposition(Status.CANCELLED, detail="cancelled before it was dialled"))
            else:
                await self._place()
        finally:
            self._settle(Disposition(Status.UNKNOWN, detail="the bot stopped while it was ringing"))

    def arrived(self) -> None:
        """The answered leg is here, whatever else is told or not told."""
        self._settle(Disposition(Status.ANSWERED))

    @abstractmethod
    async def _place(self) -> None:
        """Send the order once, wait for its end and :meth:`_settle` it."""

    @abstractmethod
    async def _stop_ringing(self) -> bool:
        """Hang the channel up once; False: there is none (yet)."""

    def _not_cancelled(self, reason: str) -> None:
        log.warning("attempt.not_cancelled", extra={"call_id": self.call_id, "reason": reason})

    def _settle(self, verdict: Disposition) -> None:
        if not self._done.done():
            self._done.set_result(verdict)
