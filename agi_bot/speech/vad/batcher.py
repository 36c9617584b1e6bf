"""One inference for many calls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np

from agi_bot.speech.vad.activity import VoiceActivity
from agi_bot.speech.vad.model import Floats, VadModel
from agi_bot.speech.vad.segmenter import VadSettings


class VadBatcher:
    """One model for all calls: windows that come at about the same time share one inference."""

    def __init__(self, model: VadModel, settings: VadSettings | None = None) -> None:
        self.model = model
        self.settings = settings or VadSettings()
        self.inferences = 0
        self.windows = 0
        self.open = 0
        self._waiting: list[tuple[Floats, Floats, asyncio.Future[tuple[float, Floats]]]] = []

    def stream(self) -> VoiceActivity:
        """A new call's stream; close it at the end of the call."""
        self.open += 1
        return VoiceActivity(self)

    def left(self) -> None:
        """A stream was closed."""
        self.open -= 1

    async def ask(self, window: Floats, state: Floats) -> tuple[float, Floats]:
        """Probability of speech in ``window`` (32 + 256 samples in -1..1) and the next state."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[float, Floats]] = loop.create_future()
        if not self._waiting:
            wait = self.settings.gather_ms / 1000 if self.open > self.settings.gather_above else 0.0
            loop.call_later(wait, self._run)
        self._waiting.append((window, state, answer))
        return await answer

    def _run(self) -> None:
        batch, self._waiting = self._waiting, []
        try:
            chances, states = self.model.probabilities(
                np.stack([window for window, _, _ in batch]), np.stack([state for _, state, _ in batch])
            )
        except Exception as error:
            _fail([answer for _, _, answer in batch], error)
            return
        self.inferences += 1
        self.windows += len(batch)
        for (_, _, answer), chance, state in zip(batch, chances, states, strict=True):
            if not answer.done():
                answer.set_result((float(chance), state))


def _fail(answers: Sequence[asyncio.Future[tuple[float, Floats]]], error: Exception) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_exception(error)
