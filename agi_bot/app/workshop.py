"""The engines of the whole process: loaded once, shared by all calls."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from agi_bot.app.hooks import AllHooks
from agi_bot.app.understanding import Understanding
from agi_bot.app.voices import VoiceBox
from agi_bot.config import Settings
from agi_bot.conversation import Address, Engines, HttpHooks
from agi_bot.flow import Flow
from agi_bot.shipped import shipped
from agi_bot.speech.vad import VadBatcher, find_model
from agi_bot.speech.vosk import VoskRecognizer, VoskSettings

log = logging.getLogger(__name__)

LANGUAGES = ("zh-CN", "en")
"""Languages that the bundled demo model knows."""


class Workshop:
    """Recogniser, interpreters, voices, voice activity and hooks, as ``settings`` want them."""

    def __init__(self, settings: Settings) -> None:
        hearing = settings.hearing
        self.recognizer = VoskRecognizer(
            model_folders(settings), VoskSettings(threads=hearing.threads, reject_below=hearing.min_confidence)
        )
        self.understanding = Understanding(settings)
        self.voices = VoiceBox(settings)
        model, self.finding = find_model()
        self.activity = VadBatcher(model)
        addresses = {name: Address(hook.url, hook.headers, hook.timeout_s) for name, hook in settings.hooks.items()}
        self.hooks = AllHooks(HttpHooks(addresses))

    async def start(self) -> None:
        """Load models and start helper processes.  Raises :class:`~agi_bot.errors.AgiBotError`."""
        if self.finding:
            log.warning("hearing.poor", extra={"reason": self.finding})
        await asyncio.gather(self.recognizer.start(), self.voices.start())

    async def close(self) -> None:
        """Free everything."""
        await self.hooks.close()
        await self.understanding.close()
        await self.voices.close()
        await self.recognizer.stop()

    async def engines(self, flow: Flow) -> Engines:
        """What a conversation over ``flow`` works with.  Raises :class:`~agi_bot.errors.NluError`."""
        interpreter = await self.understanding.of(flow)
        return Engines(self.recognizer, interpreter, self.voices.find, self.activity, self.hooks)


def model_folders(settings: Settings) -> dict[str, Path]:
    """The recognition model of each language: the settings' own, else the bundled demo model."""
    demo = shipped("models", "demo")
    return dict.fromkeys(LANGUAGES, demo) | settings.hearing.models


def uses_demo_model(settings: Settings, language: str) -> bool:
    """Whether ``language`` is heard with the bundled model, which is unfit for people."""
    return model_folders(settings).get(language) == shipped("models", "demo")
