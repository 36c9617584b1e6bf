"""A Voice that never leaves the caller in silence: when the first one fails, the second speaks on."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing

from agi_bot.audio import Frame
from agi_bot.errors import EngineDown, SpeechError
from agi_bot.speech.prompts.cached import CachedVoice, Progress, Rendered
from agi_bot.speech.prompts.plan import Prompt, Unit

_log = logging.getLogger(__name__)


class FallbackVoice:
    """Keeps the promise Voice with two cached voices of the same rate.

    A unit that ``first`` cannot speak is spoken by ``second``, and so is what follows in the
    same prompt.  Not to give a frame within ``wait_s`` is a failure, too.  After a failure
    ``first`` is left alone for ``rest_s``; what it has in its cache is still spoken by it.
    ``clock`` counts seconds.
    """

    def __init__(
        self,
        first: CachedVoice,
        second: CachedVoice,
        *,
        wait_s: float = 1.5,
        rest_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._first = first
        self._second = second
        self._wait_s = wait_s
        self._rest_s = rest_s
        self._clock = clock
        self._down_until = 0.0
        self.failures = 0

    @property
    def name(self) -> str:
        """The first voice's name."""
        return self._first.name

    @property
    def rate(self) -> int:
        """Sampling rate of the frames, Hz."""
        return self._first.rate

    @property
    def key(self) -> str:
        """The first voice's key."""
        return self._first.key

    @property
    def language(self) -> str:
        """The first voice's language."""
        return self._first.language

    async def start(self) -> None:
        """Start both; only when the second one fails as well is it an error."""
        await self._second.start()
        try:
            await self._first.start()
        except SpeechError as error:
            self._failed(error)

    async def close(self) -> None:
        """Close both."""
        await self._first.close()
        await self._second.close()

    def plan(self, prompt: Prompt) -> list[Unit]:
        """See :meth:`CachedVoice.plan`."""
        return self._first.plan(prompt)

    async def ready(self, prompt: Prompt) -> bool:
        """See :meth:`CachedVoice.ready`."""
        return await self._first.ready(prompt)

    def has(self, unit: Unit) -> bool:
        """See :meth:`CachedVoice.has`."""
        return self._first.has(unit)

    async def render(
        self,
        prompts: Iterable[Prompt],
        *,
        keep: bool = True,
        progress: Callable[[Progress], None] | None = None,
    ) -> Rendered:
        """See :meth:`CachedVoice.render`; for one call (not ``keep``) a voice that rests is left alone."""
        if not keep and self._clock() < self._down_until:
            return Rendered()
        try:
            return await self._first.render(prompts, keep=keep, progress=progress)
        except SpeechError as error:
            self._failed(error)
            raise

    def speak(self, text: str) -> AsyncIterator[Frame]:
        """Frames of the first voice, or of the second one from the sentence on where the first failed."""
        return self.speak_parts(text)

    async def speak_parts(self, prompt: Prompt) -> AsyncIterator[Frame]:
        """See :meth:`CachedVoice.speak_parts`."""
        async with aclosing(self.speak_planned(self.plan(prompt))) as sounds:  # type: ignore[type-var]
            async for _, frame in sounds:
                yield frame

    async def speak_planned(self, todo: Sequence[Unit]) -> AsyncIterator[tuple[int, Frame]]:
        """See :meth:`CachedVoice.speak_planned`.  Raises :class:`SpeechError` when both fail."""
        begun = [0]
        if self._usable(todo):
            try:
                async with aclosing(self._in_time(todo, begun)) as sounds:  # type: ignore[type-var]
                    async for index, frame in sounds:
                        yield index, frame
                return
            except SpeechError as error:
                self._failed(error)
        reached = begun[-1]
        async with aclosing(self._second.speak_planned(todo[reached:])) as sounds:  # type: ignore[type-var]
            async for index, frame in sounds:
                yield reached + index, frame

    async def _in_time(self, todo: Sequence[Unit], begun: list[int]) -> AsyncIterator[tuple[int, Frame]]:
        """The first voice's frames, as long as each one comes in time."""
        async with aclosing(self._first.speak_planned(todo, begun.append)) as sounds:  # type: ignore[type-var]
            while True:
                try:
                    async with asyncio.timeout(self._wait_s):
                        told = await anext(sounds, None)
                except TimeoutError:
                    raise EngineDown(f"{self._first.name} gave no sound for {self._wait_s:g} s") from None
                if told is None:
                    return
                yield told

    def _usable(self, todo: Sequence[Unit]) -> bool:
        return self._clock() >= self._down_until or all(self._first.has(unit) for unit in todo)

    def _failed(self, error: SpeechError) -> None:
        self.failures += 1
        self._down_until = self._clock() + self._rest_s
        _log.warning("voice %s failed, %s speaks on: %s", self._first.name, self._second.name, error)
