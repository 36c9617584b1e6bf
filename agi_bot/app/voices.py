"""Voices by name and language, each behind the prompt cache."""

from __future__ import annotations

from agi_bot.config import Settings
from agi_bot.speech.prompts import CachedVoice, PromptStore
from agi_bot.speech.voices import Voices


class VoiceBox:
    """Finds voices; a voice is made when it is first asked for.

    Raises :class:`~agi_bot.errors.ConfigError` for a catalogue of the admin's that is wrong.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.speaking
        self._catalogue = Voices.load(self._settings.voices)
        self._store = PromptStore(self._settings.cache, max_mb=self._settings.cache_mb, memory_mb=32)
        self._voices: dict[tuple[str, str], CachedVoice] = {}

    async def start(self) -> None:
        """Start the default voices, so that the first call need not wait."""
        await self._catalogue.start((name, language) for language, name in self._settings.voice.items())

    async def close(self) -> None:
        """End the engines' processes."""
        await self._catalogue.close()

    def find(self, name: str, language: str) -> CachedVoice:
        """The voice ``name`` (empty: the language's default).  Raises :class:`~agi_bot.errors.SpeechError`."""
        key = (name or self._settings.voice.get(language, ""), language)
        if key not in self._voices:
            self._voices[key] = CachedVoice(self._catalogue.get(*key), None, store=self._store)
        return self._voices[key]
