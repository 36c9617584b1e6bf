"""A call on any PBX, whichever way its sound and its commands travel."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from agi_bot.audio import Frame
from agi_bot.contracts import Digit
from agi_bot.pbx.names import check_name, check_text, one_line

log = logging.getLogger(__name__)


class How(Enum):
    """How the bot's part ended."""

    RELEASE = "released"
    TRANSFER = "transferred"
    HANG_UP = "hung up"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls whom, and under which names the PBX's own log shows it."""

    id: str
    caller: str = ""
    called: str = ""
    channel: str = ""
    unique_id: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def extra(self) -> dict[str, str]:
        """For log lines, so that one grep finds the call here and in the PBX's log."""
        return {"call_id": self.id, "channel": self.channel, "unique_id": self.unique_id}


class Media(Protocol):
    """The sound of a call."""

    @property
    def rate(self) -> int: ...

    def frames(self) -> AsyncIterator[Frame | Digit]: ...

    async def play(self, frames: AsyncIterable[Frame]) -> None: ...

    @property
    def unheard_ms(self) -> int: ...

    @property
    def due_ms(self) -> int | None: ...

    @property
    def lost(self) -> str: ...

    def press(self, key: str) -> None: ...

    def close(self, reason: str) -> None: ...


class PbxCall:
    """Keeps the promise :class:`agi_bot.contracts.Call`.

    The *leg* that brought the call waits on :attr:`over`, carries out what :attr:`how`
    and :attr:`results` say, and sets :attr:`finished`.  :attr:`taken` is set when a bot
    has taken the call from :meth:`~agi_bot.contracts.Pbx.calls`.
    """

    def __init__(self, identity: Identity, media: Media, finish_wait_s: float) -> None:
        self._identity = identity
        self._finish_wait_s = finish_wait_s
        self.media = media
        self.how: How | None = None
        self.results: dict[str, str] = {}
        self.taken = asyncio.Event()
        self.over = asyncio.Event()
        self.finished = asyncio.Event()

    @property
    def identity(self) -> Identity:
        return self._identity

    @property
    def id(self) -> str:
        return self._identity.id

    @property
    def caller(self) -> str:
        return self._identity.caller

    @property
    def called(self) -> str:
        return self._identity.called

    @property
    def channel(self) -> str:
        return self._identity.channel

    @property
    def unique_id(self) -> str:
        return self._identity.unique_id

    @property
    def rate(self) -> int:
        return self.media.rate

    @property
    def variables(self) -> Mapping[str, str]:
        return self._identity.variables

    def frames(self) -> AsyncIterator[Frame | Digit]:
        return self.media.frames()

    async def play(self, frames: AsyncIterable[Frame]) -> None:
        await self.media.play(frames)

    @property
    def unheard_ms(self) -> int:
        return self.media.unheard_ms

    @property
    def due_ms(self) -> int | None:
        return self.media.due_ms

    @property
    def lost(self) -> str:
        return self.media.lost

    async def set_result(self, variables: Mapping[str, str]) -> None:
        """Line ends in values become spaces; :class:`ValueError` for an impossible name."""
        for name, value in variables.items():
            self.results[check_name(name)] = one_line(value)

    async def release(self) -> None:
        await self._end(How.RELEASE)

    async def transfer(self, to: str) -> None:
        """Raises :class:`ValueError` for a target with a line end."""
        check_text(to)
        if self.how is None:
            self.results["BOT_TRANSFER"] = to
        await self._end(How.TRANSFER)

    async def hang_up(self) -> None:
        await self._end(How.HANG_UP)

    async def _end(self, how: How) -> None:
        if self.how is None:
            self.how = how
            self.over.set()
        try:
            await asyncio.wait_for(self.finished.wait(), self._finish_wait_s)
        except TimeoutError:
            log.warning("call.not_taken_back", extra={**self._identity.extra, "waited_s": self._finish_wait_s})

    async def until_over(self, gone: Awaitable[object], on_gone: Callable[[], None] | None = None) -> None:
        """Wait until the bot ends its part; when ``gone`` comes first, it gets a while to tell its results."""
        over = asyncio.ensure_future(self.over.wait())
        left = asyncio.ensure_future(gone)
        try:
            await asyncio.wait({over, left}, return_when=asyncio.FIRST_COMPLETED)
            if left.done():
                if on_gone is not None:
                    on_gone()
                await asyncio.wait({over}, timeout=self._finish_wait_s)
        finally:
            over.cancel()
            left.cancel()
