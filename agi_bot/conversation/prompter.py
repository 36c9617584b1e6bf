"""Makes prompts, some of them before they are needed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

from agi_bot.contracts import Voice
from agi_bot.conversation.prompt import Prompt
from agi_bot.errors import AgiBotError
from agi_bot.flow.events import Say, Span

log = logging.getLogger(__name__)

Key = tuple[tuple[Span, ...], str]


@runtime_checkable
class CachingVoice(Protocol):
    """A voice that can render into its cache (:class:`~agi_bot.speech.prompts.CachedVoice`)."""

    async def render(self, prompts: Iterable[Sequence[Span]], *, keep: bool) -> Any:
        """Render what is not there yet; with ``keep`` false into memory only."""


async def render_ahead(voice: Voice, say: Say) -> None:
    """Have ``say`` in the cache of ``voice``, in memory only, because it may hold personal data."""
    if isinstance(voice, CachingVoice):
        await voice.render([say.spans], keep=False)


class Prompter:
    """Prompts of one call: ``voice`` finds a voice by name and language, ``rate`` is the line's, Hz."""

    def __init__(self, voice: Callable[[str, str], Voice], language: str, rate: int) -> None:
        self._voice = voice
        self._language = language
        self._rate = rate
        self._ready: dict[Key, Prompt] = {}
        self._foreseeing: asyncio.Task[None] | None = None
        self.speaker = ""
        self.voice = ""
        """Name of the voice that spoke last: what is said between two steps is said by it."""

    def prepare(self, say: Say) -> None:
        """Start to render ``say``: it may be said next."""
        key = (say.spans, say.voice)
        if key not in self._ready:
            self._ready[key] = self._make(say)

    def prompt(self, say: Say) -> Prompt:
        """The prompt of ``say``, prepared or new; what else was prepared is dropped."""
        prompt = self._ready.pop((say.spans, say.voice), None)
        self.clear()
        self.voice = say.voice
        if prompt is None:
            return self._make(say)
        prompt.renumber(say)
        return prompt

    def foresee(self, says: Iterable[Say]) -> None:
        """Have ``says`` in the voices' caches, one after another: each may come next."""
        self.forget_foreseen()
        self._foreseeing = asyncio.create_task(self._render([*says]))

    def forget_foreseen(self) -> None:
        """Stop rendering what is only foreseen: the voice is needed now."""
        if self._foreseeing is not None:
            self._foreseeing.cancel()
            self._foreseeing = None

    async def _render(self, says: list[Say]) -> None:
        for say in says:
            try:
                await render_ahead(self._voice(say.voice, self._language), say)
            except AgiBotError as error:
                log.debug("prompt.not_foreseen", extra={"reason": str(error)})

    def clear(self) -> None:
        """Drop what was prepared and not said."""
        self.forget_foreseen()
        for prompt in self._ready.values():
            prompt.close()
        self._ready.clear()

    def _make(self, say: Say) -> Prompt:
        voice = self._voice(say.voice, self._language)
        self.speaker = self.speaker or voice.name
        prompt = Prompt(say, voice, self._rate)
        prompt.start()
        return prompt
