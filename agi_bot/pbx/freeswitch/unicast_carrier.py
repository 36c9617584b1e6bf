"""Sound by the core's own ``unicast``, opened again when something else has ended it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from agi_bot.errors import PbxError
from agi_bot.pbx.freeswitch.carrier import Carrier
from agi_bot.pbx.freeswitch.guard import BACK, Answered, open_unicast, parked_again
from agi_bot.pbx.freeswitch.options import FreeSwitchOptions
from agi_bot.pbx.freeswitch.unicast import Unicast
from agi_bot.pbx.media import LineClock, Sound
from esl import EslError, Event, Session

log = logging.getLogger(__name__)

LOOK_S = 0.1
"""Seconds between two looks at whether sound still comes."""

IN_VAIN = 3
"""So many times in a row the sound is opened again, then it is lost."""


class UnicastCarrier(Carrier):
    """Nothing has to be installed in FreeSWITCH for it."""

    def __init__(self, session: Session, options: FreeSwitchOptions, clock: LineClock) -> None:
        super().__init__(session, options)
        self._media = Unicast(clock, options.inbox_frames)
        self._where = ("", 0)
        self._busy = 0
        """Applications and bridges that have the channel now; none: sound must come."""
        self._was_busy = False
        self._answered: Answered | None = None
        self._in_vain = 0
        """Times in a row that the sound did not come back."""

    @property
    def sound(self) -> Sound:
        return self._media

    @property
    def counted(self) -> Mapping[str, int]:
        return {"strangers": self._media.strangers}

    async def open(self, answered: Answered) -> None:
        self._where = await self._media.open(self.options.media_host)
        await self._open(answered)

    async def watch(self) -> None:
        """Playback, a bridge or a codec change ended the sound: open it again when they are over.

        Quiet alone proves nothing: a telephone may send no packets while its owner is silent.
        """
        with self.session.listen(*_BUSY, *_FREE) as events:
            while not self.session.ended:
                await asyncio.sleep(LOOK_S)
                while (event := events.next_now()) is not None:
                    self._note(event)
                if self._lost():
                    await self._reopen()

    async def _open(self, answered: Answered) -> None:
        self._answered = answered
        self._media.expect(answered.read_rate)
        await open_unicast(answered, self.options.media_local, self._where)
        await self._first_sound(f"does the dialplan say 'async full', and can FreeSWITCH reach {self._where[0]}?")

    def _note(self, event: Event) -> None:
        change = _change(event.name, event.get("Application"))
        self._busy = max(0, self._busy + change)
        self._was_busy = self._was_busy or change > 0
        self._media.away = self._busy > 0

    def _lost(self) -> bool:
        """FreeSWITCH refuses our sound, or is quiet after it was busy with something else."""
        quiet = self._was_busy and self._media.quiet_s > self.options.quiet_s
        return not self._busy and (self._media.refused or quiet)

    async def _reopen(self) -> None:
        assert self._answered is not None
        log.info("call.sound_lost", extra={"unique_id": self.session.uuid, "quiet_s": self._media.quiet_s})
        try:
            answered = await parked_again(self._answered, BACK, self.options.audio_wait_s)
            self.reparked = True
            await self._open(answered)
            self._was_busy, self._in_vain = False, 0
        except (PbxError, EslError, TimeoutError) as error:
            log.warning("call.sound_not_back", extra={"unique_id": self.session.uuid, "reason": str(error)})
            await self._wait(f"the sound did not come back: {error or type(error).__name__}")

    async def _wait(self, reason: str) -> None:
        """Before the next time; after :data:`IN_VAIN` times the sound is given up."""
        self._in_vain += 1
        if self._in_vain >= IN_VAIN and not self.session.ended:
            self._media.lose(reason)
        await asyncio.sleep(self.options.quiet_s)


_BUSY = ("CHANNEL_EXECUTE", "CHANNEL_BRIDGE")
_FREE = ("CHANNEL_EXECUTE_COMPLETE", "CHANNEL_UNBRIDGE")
_OURS = ("socket", "park", "answer", "set")
"""Applications in which a channel still sends sound, or that end at once."""


def _change(name: str, application: str) -> int:
    if application in _OURS:
        return 0
    return 1 if name in _BUSY else -1
