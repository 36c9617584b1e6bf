"""How the sound of a call is carried between FreeSWITCH and us: one carrier a call."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping

from agi_bot.errors import CallGone, PbxError
from agi_bot.pbx.freeswitch.guard import Answered
from agi_bot.pbx.freeswitch.options import FreeSwitchOptions
from agi_bot.pbx.media import Sound
from esl import Session


class Carrier(ABC):
    """Opened after the answer, watched beside the talk, shut before the call goes back.

    :attr:`reparked` tells that the channel left the ``socket`` application's own park: then the
    dialplan goes on by itself when the socket ends.
    """

    def __init__(self, session: Session, options: FreeSwitchOptions) -> None:
        self.session = session
        self.options = options
        self.reparked = False

    @property
    @abstractmethod
    def sound(self) -> Sound:
        """The call's sound, both ways."""

    @property
    def counted(self) -> Mapping[str, int]:
        """What else is worth a place in the log line at the call's end."""
        return {}

    async def prepare(self) -> None:
        """What must be done before the answer.  Raises :class:`esl.EslError`."""
        return

    @abstractmethod
    async def open(self, answered: Answered) -> None:
        """Return when the caller's sound comes.

        Raises :class:`~agi_bot.errors.PbxError`, :class:`esl.EslError`, :class:`TimeoutError`.
        """

    async def watch(self) -> None:
        """Keep the sound open until cancelled."""
        return

    async def shut(self) -> None:
        """Leave the channel as it was found.  Raises :class:`esl.EslError`."""
        return

    async def _first_sound(self, cure: str) -> None:
        """Wait for it.  Raises :class:`CallGone`, :class:`PbxError` with ``cure``."""
        limit = self.options.audio_wait_s
        sound = self.sound
        waits = (sound.sounded.wait(), sound.ended.wait(), sound.broken.wait(), self.session.wait_ended())
        waiting = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(waiting, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        if self.session.ended:
            raise CallGone("the caller hung up")
        if not self.sound.sounded.is_set():
            raise PbxError(self.sound.reason or f"no sound came within {limit:g} s", cure=cure)
