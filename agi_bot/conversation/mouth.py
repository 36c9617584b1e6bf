"""The mouth: renders prompts, plays them in order, can be paused in mid-word and go on.

A prompt is rendered into 20 ms frames as fast as its voice can, and played at the line's
pace.  Because the frames are kept until the prompt is over, an interruption that turns out
to be a cough costs nothing: the prompt goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from agi_bot.audio import FRAME_MS, Frame
from agi_bot.contracts import Call
from agi_bot.conversation.prompt import Prompt
from agi_bot.errors import AgiBotError, CallGone
from agi_bot.flow.events import PromptCut, PromptEnded

log = logging.getLogger(__name__)

REWIND_MS = 300
"""A resumed prompt starts this much before the place where it was cut: half a word is no word."""

Report = Callable[[PromptEnded | AgiBotError], None]
Sent = Callable[[Frame, Prompt, bool], None]
"""Called for each frame as it goes out, with its prompt and whether it is the prompt's first."""


class Mouth:
    """Plays prompts on ``call``; ``report`` hears of each end, ``sent`` of each frame that goes out."""

    def __init__(self, call: Call, report: Report, sent: Sent) -> None:
        self._call = call
        self._report = report
        self._sent = sent
        self._queue: deque[Prompt] = deque()
        self._wake = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._playing: asyncio.Task[None] | None = None
        self._paused = False
        self._paused_at = 0.0

    @property
    def paused_at(self) -> float | None:
        """When the paused prompt fell silent, by the event loop's clock, s; ``None``: none is paused."""
        return self._paused_at if self._paused else None

    @property
    def speaking(self) -> bool:
        """Whether sound of a prompt is going out now."""
        return self._playing is not None and not self._paused

    @property
    def busy(self) -> bool:
        """Whether anything is still to be spoken, paused or not."""
        return bool(self._queue)

    @property
    def prompt(self) -> Prompt | None:
        """The prompt that is being spoken or is paused, as far as the caller has heard it now."""
        if not self._queue:
            return None
        self._queue[0].unheard = self._call.unheard_ms // FRAME_MS if self.speaking else 0
        return self._queue[0]

    def say(self, prompt: Prompt) -> None:
        """Queue ``prompt``."""
        self._queue.append(prompt)
        self._quiet.clear()
        self._wake.set()

    def pause(self) -> bool:
        """Fall silent now; ``False`` when nothing plays or a protected span must end first."""
        prompt = self.prompt
        if prompt is None or self._playing is None or self._paused:
            return False
        if prompt.protected_now:
            return False
        prompt.take_back()
        self._paused, self._paused_at = True, asyncio.get_running_loop().time()
        self._playing.cancel()
        return True

    def resume(self, *, restart: bool = False) -> None:
        """Go on after :meth:`pause`, at the last word that was heard or from the prompt's start."""
        if not self._paused:
            return
        if self.prompt is not None:
            self.prompt.rewind(None if restart else REWIND_MS // FRAME_MS)
        self._paused = False
        self._wake.set()

    def cut(self) -> PromptCut | None:
        """Drop everything that was not spoken; tells how far the first prompt had come.

        What is protected is spoken to its end first: then nothing is cut and the answer is ``None``.
        """
        prompt = self.prompt
        if prompt is None:
            return None
        if prompt.protected_left and not prompt.finished:
            self._only_protected(prompt)
            return None
        event = PromptCut(prompt.number, prompt.words_spoken)
        self.drop()
        return event

    def _only_protected(self, prompt: Prompt) -> None:
        while len(self._queue) > 1:
            self._queue.pop().close()
        prompt.stop_after_protected()
        self.resume()

    def drop(self) -> None:
        """Fall silent and forget everything that was not spoken, protected or not."""
        for prompt in self._queue:
            prompt.close()
        self._queue.clear()
        self._paused = False
        if self._playing is not None:
            self._playing.cancel()
        self._quiet.set()

    async def quiet(self) -> None:
        """Wait until everything queued has been spoken or dropped."""
        await self._quiet.wait()

    async def run(self) -> None:
        """Play what is queued until cancelled or the call is gone."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._queue and not self._paused:
                    await self._play_first()
        except CallGone:
            log.debug("mouth.call_gone", extra={"call_id": self._call.id})
        finally:
            self.drop()

    async def _play_first(self) -> None:
        prompt = self._queue[0]
        self._playing = asyncio.create_task(self._call.play(self._frames(prompt)))
        try:
            await asyncio.wait({self._playing})
        except asyncio.CancelledError:
            self._playing.cancel()
            with suppress(asyncio.CancelledError, AgiBotError):
                await self._playing
            raise
        finally:
            played, self._playing = self._playing, None
        self._settle(prompt, played)

    def _settle(self, prompt: Prompt, played: asyncio.Task[None]) -> None:
        error = None if played.cancelled() else played.exception()
        if isinstance(error, CallGone):
            raise error
        if error is not None:
            self._failed(prompt, error)
        if not self._queue or self._queue[0] is not prompt or played.cancelled():
            return
        self._queue.popleft().close()
        if not self._queue:
            # A pause in the very last moment held nothing back; the next reply must not wait for its end.
            self._paused = False
            self._quiet.set()
        self._report(PromptEnded(prompt.number))

    def _failed(self, prompt: Prompt, error: BaseException) -> None:
        if not isinstance(error, AgiBotError):
            raise error
        log.error("mouth.voice_failed", extra={"call_id": self._call.id, "reason": str(error)})
        self._report(error)

    async def _frames(self, prompt: Prompt) -> AsyncIterator[Frame]:
        while (frame := await prompt.next_frame()) is not None:
            self._sent(frame, prompt, not prompt.begun)
            prompt.begun = True
            yield frame
