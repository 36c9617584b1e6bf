"""One caller's ear, whole: voice activity, echo guard, and the recogniser behind a gate.

The gate saves nine tenths of the recogniser's work and keeps noise out of it: sound reaches
it only from ``pre_roll_ms`` before the caller's onset until the utterance is finished.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from agi_bot.audio import Frame
from agi_bot.contracts import Hearing, Hints, Transcript
from agi_bot.speech.echo import EchoGuard
from agi_bot.speech.vad import Segment, VoiceActivity


@dataclass(frozen=True, slots=True)
class Sound:
    """What is known after a frame; times in ms of the call's sound.

    ``partial`` is the utterance's text so far.  ``echo``: the frame was the bot's own voice.
    """

    now_ms: int
    segment: Segment
    partial: str = ""
    echo: bool = False


class Ear:
    """Feed every frame of the caller to :meth:`hear`, and every frame of the bot to :meth:`spoke`."""

    def __init__(self, hearing: Hearing, activity: VoiceActivity, guard: EchoGuard | None = None) -> None:
        self._hearing = hearing
        self._activity = activity
        self._guard = guard or EchoGuard()
        self._pre_roll_ms = activity.settings.pre_roll_ms
        self._pre_roll: deque[Frame] = deque()
        self._kept_ms = 0.0
        self._now_ms = 0.0
        self._open = False
        self._partial = ""

    @property
    def now_ms(self) -> int:
        """Length of the sound heard so far, ms: the call's own clock."""
        return round(self._now_ms)

    @property
    def listening(self) -> bool:
        """An utterance has begun and is not finished."""
        return self._open

    def spoke(self, frame: Frame) -> None:
        """The bot sent ``frame``; nothing need be told while it is silent."""
        self._guard.outgoing(frame)

    async def hear(self, frame: Frame) -> Sound:
        """The caller's next ``frame``."""
        self._now_ms += frame.ms
        echo = self._guard.incoming(frame)
        segment = await self._activity.hear(frame, suppress=echo)
        if self._open:
            self._partial = (await self._hearing.hear(frame)).text
        else:
            self._keep(frame)
            if segment.speech:
                await self._begin()
        return Sound(self.now_ms, segment, self._partial, echo)

    async def finish(self) -> Transcript:
        """End the utterance: its final transcript.  Sound that follows is a new one."""
        if not self._open:
            return Transcript("", final=True, confidence=0.0)
        self._open, self._partial = False, ""
        return await self._hearing.finish()

    async def expect(self, hints: Hints) -> None:
        """What is likely to be said from the next utterance on."""
        await self._hearing.expect(hints)

    async def close(self) -> None:
        """Free everything."""
        self._activity.close()
        await self._hearing.close()

    def _keep(self, frame: Frame) -> None:
        self._pre_roll.append(frame)
        self._kept_ms += frame.ms
        while self._kept_ms > self._pre_roll_ms and len(self._pre_roll) > 1:
            gone = self._pre_roll.popleft().ms
            self._kept_ms -= gone
            self._hearing.skip(gone)

    async def _begin(self) -> None:
        self._open = True
        while self._pre_roll:
            self._partial = (await self._hearing.hear(self._pre_roll.popleft())).text
        self._kept_ms = 0.0
