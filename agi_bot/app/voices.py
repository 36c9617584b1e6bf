"""Voices by name and language, each behind the prompt cache."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from agi_bot.config import Settings
from agi_bot.errors import ModelError, SpeechError
from agi_bot.flow import Flow
from agi_bot.speech.fallback import FallbackVoice
from agi_bot.speech.prompts import CachedVoice, PromptStore, Readiness, Recordings
from agi_bot.speech.voices import Voices

log = logging.getLogger(__name__)

AnyVoice = CachedVoice | FallbackVoice
Find = Callable[[str, str], AnyVoice]
"""Finds a voice by name and language.  Raises :class:`~agi_bot.errors.SpeechError`."""


def voice_of(flow: Flow, find: Find) -> Find:
    """``find`` for a call over ``flow``: its task's voice stands in for the flow's own."""
    wished = flow.tongue.voice
    return lambda name, language: find(wished if wished and name in ("", flow.voice) else name, language)


class VoiceBox:
    """Finds voices; a voice is made when it is first asked for.

    A voice with a model of its own can die or be slow: the embedded voice then speaks on.
    Raises :class:`~agi_bot.errors.ConfigError` for a catalogue or recordings that are wrong.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.speaking
        self._catalogue = Voices.load(
            self._settings.voices,
            folder=self._settings.models,
            workers=self._settings.workers,
            worker_mb=self._settings.worker_mb,
        )
        recordings = self._settings.recordings
        self._recordings = Recordings.load(recordings) if recordings else Recordings.none()
        self._store = PromptStore(self._settings.cache, max_mb=self._settings.cache_mb, memory_mb=32)
        self._voices: dict[tuple[str, str], AnyVoice] = {}
        self._readiness: dict[str, Readiness] = {}

    @property
    def readiness(self) -> Mapping[str, Readiness]:
        """Voice by voice: how often a prompt was ready when it was to be spoken, since the start."""
        return self._readiness

    @property
    def disk_bytes(self) -> int:
        """Size of the rendered prompts on disk."""
        return self._store.disk_bytes

    async def start(self) -> None:
        """Start the default voices, so that the first call need not wait."""
        await self._catalogue.start((name, language) for language, name in self._settings.voice.items())

    async def close(self) -> None:
        """End the engines' processes."""
        await self._catalogue.close()

    def find(self, name: str, language: str) -> AnyVoice:
        """The voice ``name`` (empty: the language's default).  Raises :class:`~agi_bot.errors.SpeechError`."""
        key = (name or self._settings.voice.get(language, ""), language)
        if key not in self._voices:
            self._voices[key] = self._make(*key)
        return self._voices[key]

    def _make(self, name: str, language: str) -> AnyVoice:
        entry = self._catalogue.entry(name, language)
        if entry.engine == "espeak":
            return self._cached(name, language)
        embedded = self._embedded(language)
        try:
            voice = self._cached(name, language)
        except ModelError as error:
            if embedded is None:
                raise
            log.error("voice.missing", extra={"voice": name, "language": language, "reason": str(error)})
            return embedded
        return FallbackVoice(voice, embedded) if embedded else voice

    def _cached(self, name: str, language: str) -> CachedVoice:
        voice = self._catalogue.get(name, language)
        made = CachedVoice(voice, None, store=self._store, recordings=self._recordings)
        made.readiness = self._readiness.setdefault(made.name, made.readiness)
        return made

    def _embedded(self, language: str) -> CachedVoice | None:
        """An espeak-ng voice of ``language``; ``None`` for a language that it does not speak."""
        names = [entry.name for entry in self._catalogue.entries if entry.engine == "espeak"]
        for name in dict.fromkeys(names):
            try:
                return self._cached(name, language)
            except SpeechError:
                continue
        return None
