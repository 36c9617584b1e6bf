"""The ear of a call whose recogniser did not open: it hears nothing, and keys are heard all the same."""

from __future__ import annotations

from agi_bot.audio import Frame
from agi_bot.contracts import Hints, Transcript

_NOTHING = Transcript("", final=True, confidence=0.0)


class NoHearing:
    """Keeps the promise :class:`agi_bot.contracts.Hearing`, and hears no word."""

    async def hear(self, frame: Frame) -> Transcript:
        return _NOTHING

    async def finish(self) -> Transcript:
        return _NOTHING

    def skip(self, ms: float) -> None:
        return

    async def settle(self) -> Transcript:
        return _NOTHING

    async def expect(self, hints: Hints) -> None:
        return

    async def close(self) -> None:
        return
