"""The engines of the whole process: loaded once, shared by all calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from pathlib import Path

from agi_bot.app.hooks import FlowHooks
from agi_bot.app.understanding import Understanding
from agi_bot.app.voices import Find, VoiceBox, voice_of
from agi_bot.config import Settings
from agi_bot.conversation import Address, Engines, HttpHooks
from agi_bot.conversation.bias import Bias
from agi_bot.errors import SpeechError
from agi_bot.flow import Flow, TaskError
from agi_bot.flow.tongue import Tongue, family
from agi_bot.nlu.data import NluData
from agi_bot.nlu.knowledge import KnowledgeShelf, aside
from agi_bot.nlu.normal import tidy
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
        addresses = {
            name: Address(hook.url, hook.headers, hook.timeout_s, hook.allow_private)
            for name, hook in settings.hooks.items()
        }
        self.http = HttpHooks(addresses)
        self._biases: dict[tuple[str, str], tuple[str, Bias]] = {}
        self._shelves: dict[tuple[Path, str], KnowledgeShelf] = {}

    async def start(self) -> None:
        """Load models and start helper processes.  Raises :class:`~agi_bot.errors.AgiBotError`."""
        if self.finding:
            log.warning("hearing.poor", extra={"reason": self.finding})
        await asyncio.gather(self.recognizer.start(), self.voices.start())

    async def close(self) -> None:
        """Free everything."""
        await self.http.close()
        await self.understanding.close()
        await self.voices.close()
        await self.recognizer.stop()

    async def engines(self, flow: Flow) -> Engines:
        """What a conversation over ``flow`` works with.  Raises :class:`~agi_bot.errors.NluError`."""
        interpreter = await self.understanding.of(flow)
        hooks = FlowHooks(self.http, await self._shelf(flow))
        bias = await self._bias(flow)
        return Engines(self.recognizer, interpreter, self.voice(flow), self.activity, hooks, bias)

    async def _bias(self, flow: Flow) -> Bias:
        """Made once for all calls over a version of ``flow``; older versions are forgotten."""
        key = (flow.name, flow.spoken)
        if key not in self._biases or self._biases[key][0] != flow.version:
            self._biases[key] = (flow.version, bias_of(flow, await self.understanding.data(flow)))
        return self._biases[key][1]

    def voice(self, flow: Flow) -> Find:
        """Finds voices by name and language for a call over ``flow``."""
        return voice_of(flow, self.voices.find)

    def fits(self, flow: Flow) -> None:
        """See to it, before anything goes out, that a task's language and voice can be had.

        Raises :class:`~agi_bot.flow.TaskError`.
        """
        reason = "" if flow.tongue == Tongue() else unfit(flow, self.recognizer.languages, self.voices.find)
        if reason:
            raise TaskError(flow.name, [reason])

    async def _shelf(self, flow: Flow) -> KnowledgeShelf:
        """The knowledge in ``knowledge/`` beside the flow, then what is shared by all flows."""
        key = (Path(flow.home), flow.language)
        if key not in self._shelves:
            data = await self.understanding.data(flow)
            background = {flow.language: await asyncio.to_thread(aside, data)}
            folders = [key[0] / "knowledge", shipped("flows", "shared") / "knowledge"]
            self._shelves[key] = KnowledgeShelf(folders, background, _gap)
        return self._shelves[key]


def bias_of(flow: Flow, data: NluData) -> Bias:
    """What the ear may expect of callers of ``flow``: its words, and what the training data looks up and shows."""
    looked_up = [word for words in data.lookups.values() for word in words]
    return Bias(
        flow.spoken,
        dict.fromkeys([*flow.words, *looked_up]),
        known=(tidy(example.text).text for example in data.all_examples),
        phrases=data.phrases,
        anywhere=flow.script.anywhere,
    )


def unfit(flow: Flow, ears: Collection[str], find: Find) -> str:
    """Why ``flow`` cannot be held in its call's language and voice; empty when it can.

    ``ears`` are the language tags that can be heard.
    """
    if family(flow.spoken) not in map(family, ears):
        return f"there is no recognition model for {flow.spoken} (hearing.models in agi-bot.yml names one)"
    try:
        for name in (flow.voice, *(step.voice for step in flow.script.steps.values() if step.voice)):
            voice_of(flow, find)(name, flow.spoken)
    except SpeechError as error:
        return str(error)
    return ""


def _gap(name: str, question: str) -> None:
    """A question that nobody could answer: the authors collect them (agi-bot knowledge gaps)."""
    log.info("knowledge.gap", extra={"knowledge": name})
    log.debug("knowledge.gap.text", extra={"knowledge": name, "question": question})


def model_folders(settings: Settings) -> dict[str, Path]:
    """The recognition model of each language: the settings' own, else the bundled demo model."""
    demo = shipped("models", "demo")
    return dict.fromkeys(LANGUAGES, demo) | settings.hearing.models


def uses_demo_model(settings: Settings, language: str) -> bool:
    """Whether ``language`` is heard with the bundled model, which is unfit for people."""
    return model_folders(settings).get(language) == shipped("models", "demo")
