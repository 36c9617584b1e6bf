"""One caller's ear: voice activity, and the recogniser behind it as behind a gate.

Sound reaches the recogniser only from a little before the caller's onset until the caller is
known to have fallen silent, some 100 ms late; when the caller goes on in the same utterance, from a little before that.
That saves most of its work and keeps noise out of it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from agi_bot.audio import Frame
from agi_bot.contracts import Hearing, Hints, Transcript
from agi_bot.speech.signals import Signal
from agi_bot.speech.vad import Segment, VoiceActivity


@dataclass(frozen=True, slots=True)
class Sound:
    """What is known after a frame: ``now_ms`` of the call's sound, the speech, and the text so far.

    ``signals`` is what was noticed about the line for the first time: a fax, music, clipping.
    ``echo``: the bot's own voice comes back on this line.
    """

    now_ms: int
    segment: Segment
    partial: str = ""
    signals: tuple[Signal, ...] = ()
    echo: bool = False


class Ear:
    """Feed every frame of the caller to :meth:`hear`, and every frame of the bot to :meth:`spoke`."""

    def __init__(self, hearing: Hearing, activity: VoiceActivity) -> None:
        self._hearing = hearing
        self._activity = activity
        self._before: deque[Frame] = deque()
        self._before_ms = 0.0
        self._now_ms = 0.0
        self._open = False
        """An utterance has begun and was not finished."""
        self._gate = False
        """What is heard goes to the recogniser at once."""
        self._partial = ""

    @property
    def now_ms(self) -> int:
        """Length of the sound heard so far, ms."""
        return round(self._now_ms)

    def spoke(self, frame: Frame) -> None:
        """The bot sent ``frame``: its echo is not the caller."""
        self._activity.spoke(frame)

    def hushed(self, at_ms: int | None) -> None:
        """The bot is silent: what it sent and would lie at ``at_ms`` or later is not played."""
        self._activity.hushed(at_ms)

    async def hear(self, frame: Frame) -> Sound:
        """The caller's next ``frame``."""
        self._now_ms += frame.ms
        segment = await self._activity.hear(frame)
        # The recogniser must not hear the bot's own words in front of the caller's.
        frame = Frame(bytes(len(frame.pcm)), frame.rate) if self._activity.echoed else self._activity.heard
        if self._gate:
            await self._pass(frame, segment.speech)
        else:
            self._keep(frame)
            if segment.speech:
                await self._begin()
        return Sound(self.now_ms, segment, self._partial, tuple(self._activity.signals()), self._activity.echo)

    async def _pass(self, frame: Frame, speech: bool) -> None:
        self._partial = (await self._hearing.hear(frame)).text
        if not speech:
            self._partial = (await self._hearing.settle()).text
            self._gate = False

    def _keep(self, frame: Frame) -> None:
        self._before.append(frame)
        self._before_ms += frame.ms
        while self._before_ms > self._activity.settings.pre_roll_ms and len(self._before) > 1:
            gone = self._before.popleft().ms
            self._before_ms -= gone
            self._hearing.skip(gone)

    async def _begin(self) -> None:
        """Hand what was kept to the recogniser, in one piece: each costs a thread's time."""
        self._open = self._gate = True
        kept = Frame(b"".join(frame.pcm for frame in self._before), self._before[-1].rate)
        self._before.clear()
        self._before_ms = 0.0
        self._partial = (await self._hearing.hear(kept)).text

    async def finish(self) -> Transcript:
        """End the utterance: its final transcript, empty when there was none."""
        if not self._open:
            return Transcript("", final=True, confidence=0.0)
        self._open = self._gate = False
        self._partial = ""
        return await self._hearing.finish()

    async def expect(self, hints: Hints) -> None:
        """What is likely to be said from the next utterance on."""
        await self._hearing.expect(hints)

    async def close(self) -> None:
        """Free the recogniser and the stream."""
        self._activity.close()
        await self._hearing.close()
