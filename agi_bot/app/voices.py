"""Voices by name and language, each behind the prompt cache."""

from __future__ import annotations

from agi_bot.config import Settings
from agi_bot.contracts import Voice
from agi_bot.speech.espeak import EspeakVoice, espeak_pool
from agi_bot.speech.prompts import CachedVoice, PromptStore


class VoiceBox:
    """Finds voices; a voice is made when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.speaking
        self._pool = espeak_pool()
        self._store = PromptStore(self._settings.cache, max_mb=self._settings.cache_mb, memory_mb=32)
        self._voices: dict[tuple[str, str], CachedVoice] = {}

    async def start(self) -> None:
        """Start the helper process of the embedded voice."""
        await self._pool.start()

    async def close(self) -> None:
        """End it."""
        await self._pool.close()

    def find(self, name: str, language: str) -> Voice:
        """The voice ``name`` (empty: the language's default).  Raises :class:`~agi_bot.errors.SpeechError`."""
        key = (name, language)
        if key not in self._voices:
            self._voices[key] = CachedVoice(EspeakVoice(language, pool=self._pool), None, store=self._store)
        return self._voices[key]
