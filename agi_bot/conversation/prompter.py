"""Makes prompts, some of them before they are needed."""

from __future__ import annotations

from collections.abc import Callable

from agi_bot.contracts import Voice
from agi_bot.conversation.prompt import Prompt
from agi_bot.flow.events import Say, Span

Key = tuple[tuple[Span, ...], str]


class Prompter:
    """Prompts of one call: ``voice`` finds a voice by name and language, ``rate`` is the line's, Hz."""

    def __init__(self, voice: Callable[[str, str], Voice], language: str, rate: int) -> None:
        self._voice = voice
        self._language = language
        self._rate = rate
        self._ready: dict[Key, Prompt] = {}
        self.speaker = ""

    def prepare(self, say: Say) -> None:
        """Start to render ``say``: it may be said next."""
        key = (say.spans, say.voice)
        if key not in self._ready:
            self._ready[key] = self._make(say)

    def prompt(self, say: Say) -> Prompt:
        """The prompt of ``say``, prepared or new; what else was prepared is dropped."""
        prompt = self._ready.pop((say.spans, say.voice), None)
        self.clear()
        if prompt is None:
            return self._make(say)
        prompt.renumber(say)
        return prompt

    def clear(self) -> None:
        """Drop what was prepared and not said."""
        for prompt in self._ready.values():
            prompt.close()
        self._ready.clear()

    def _make(self, say: Say) -> Prompt:
        voice = self._voice(say.voice, self._language)
        self.speaker = self.speaker or voice.name
        prompt = Prompt(say, voice, self._rate)
        prompt.start()
        return prompt
