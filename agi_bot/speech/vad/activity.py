"""One call's stream of voice activity."""

from __future__ import annotations

from math import log10
from typing import Protocol

import numpy as np

from agi_bot.audio import LINE_RATE, Frame, Resampler, Samples
from agi_bot.speech.echo import EchoGuard
from agi_bot.speech.signals import LineSignals, Signal
from agi_bot.speech.vad.denoise import Denoiser
from agi_bot.speech.vad.model import CONTEXT, WINDOW, Floats, VadModel
from agi_bot.speech.vad.segmenter import WINDOW_MS, Segment, Segmenter, VadSettings

_PARTS = 4

_LEFT_DB = -25.0
"""What is left of an echo and softer than this against the bot's own sound starts nothing."""

_FRESH_WINDOWS = 32
"""About a second: how long the network may remember silence."""

_SILENT_CHANCE = 0.15

_RESTING_WINDOWS = 10
"""Windows without any sound after which the network is not asked until there is some."""


class Batcher(Protocol):
    """What answers a stream's windows."""

    @property
    def model(self) -> VadModel:
        """The network."""

    @property
    def settings(self) -> VadSettings:
        """Limits of all streams."""

    async def ask(self, window: Floats, state: Floats) -> tuple[float, Floats]:
        """Probability of speech and the next state."""

    def left(self) -> None:
        """A stream was closed."""


class VoiceActivity:
    """One call's stream: frames of any length and rate in, speech or not out.

    Tell it the bot's own sound with :meth:`spoke`: what comes back of it is no speech.
    """

    def __init__(self, batcher: Batcher, guard: EchoGuard | None = None) -> None:
        self._batcher = batcher
        self._guard = guard or EchoGuard()
        self._signals = LineSignals()
        self._found: list[Signal] = []
        self._state = batcher.model.fresh()
        self._context = np.zeros(CONTEXT, dtype=np.float32)
        self._denoiser = Denoiser()
        self._rest = np.zeros(0, dtype=np.float32)
        self._echo = np.zeros(0, dtype=np.bool_)
        """Which of the samples that wait are echo."""
        self._tone = False
        """All of them are a tone."""
        self.echoed = False
        """The last frame was nothing but the bot's own echo, or a tone."""
        self.heard = Frame(b"")
        """The last frame without the echo."""
        self._resampler: Resampler | None = None
        self._windows = self._old = self._quiet = 0
        self._closed = False
        self.settings = batcher.settings
        self.segmenter = Segmenter(batcher.settings)

    def spoke(self, frame: Frame) -> None:
        """The bot sent ``frame``; nothing need be told while it is silent."""
        self._guard.outgoing(frame)

    def hushed(self, at_ms: int | None) -> None:
        """The bot is silent: what it sent and would lie at ``at_ms`` or later is not played."""
        self._guard.hushed(at_ms)

    async def hear(self, frame: Frame) -> Segment:
        """The state of speech after the caller's next ``frame``."""
        echo = self._guard.incoming(frame)
        self._found += self._signals.push(frame)
        # What is an echo only by assumption starts nothing, and is heard: it may be the caller's first words.
        tone = self._signals.tones.tone
        # Soft pieces of words are heard, too: of an echo that was taken out little is left beside a voice.
        beside = self.segmenter.segment.speech and not self.echo
        self.echoed = (echo and self._guard.found and not beside) or tone
        frame = self.heard = self._guard.clean
        new = _floats(self._at_line_rate(frame))
        self._tone = tone and (self._tone or not len(self._rest))
        self._rest = np.concatenate([self._rest, new])
        self._echo = np.concatenate([self._echo, np.full(len(new), echo)])
        while len(self._rest) >= WINDOW:
            # A frame of 20 ms lies in two windows of 32: one alone that is no echo is no voice.
            echoed = int(np.count_nonzero(self._echo[:WINDOW])) > WINDOW // 2
            # One that is only assumed ends no voice that was louder.
            known = self._guard.found or not self.segmenter.segment.speech
            await self._window(suppress=self._tone or (echoed and known))
            self._tone, self._echo = tone, self._echo[WINDOW:]
        return self.segmenter.segment

    @property
    def echo(self) -> bool:
        """The bot's own voice comes back on this line, and cannot be taken out of what is heard."""
        left = self._guard.left_db
        return left is not None and left > _LEFT_DB

    def signals(self) -> list[Signal]:
        """What was noticed about the line since this was asked last (:mod:`agi_bot.speech.signals`)."""
        found, self._found = self._found, []
        return found

    async def _window(self, *, suppress: bool) -> None:
        window, self._rest = self._rest[:WINDOW], self._rest[WINDOW:]
        levels = _levels(window)
        chance = 0.0 if self._resting(max(levels)) else await self._ask(window)
        self._windows += 1
        self._refresh(chance)
        self.segmenter.push(0.0 if suppress else chance, self._windows * WINDOW_MS, levels)

    def _resting(self, level: float) -> bool:
        """Most of a call is silence: what is too soft for a voice is no question for the network.

        What is left of an echo is one: a network that was not asked before takes it for speech.
        """
        sound = level > self.settings.silent_db or self.segmenter.segment.speech or self._guard.may_return
        self._quiet = 0 if sound else self._quiet + 1
        return self._quiet > _RESTING_WINDOWS

    async def _ask(self, window: Floats) -> float:
        now = self.segmenter.segment
        window = self._denoiser.clean(window, learn=not now.speech and now.chance < _SILENT_CHANCE)
        chance, self._state = await self._batcher.ask(np.concatenate([self._context, window]), self._state)
        self._context = window[-CONTEXT:]
        return chance

    def _refresh(self, chance: float) -> None:
        """Let the network forget a long silence, which makes it slow, and deaf to a short 嗯."""
        self._old += 1
        if self._old >= _FRESH_WINDOWS and chance < _SILENT_CHANCE and not self.segmenter.segment.speech:
            self._state, self._old = self._batcher.model.forget(self._state), 0

    def close(self) -> None:
        """The call ended; may be called twice."""
        if not self._closed:
            self._closed = True
            self._batcher.left()

    def _at_line_rate(self, frame: Frame) -> Samples:
        if frame.rate == LINE_RATE:
            return frame.samples
        if self._resampler is None:
            self._resampler = Resampler(frame.rate, LINE_RATE)
        return self._resampler.push(frame).samples


def _levels(window: Floats) -> list[float]:
    """Level of each 8 ms of ``window``, dB below full scale."""
    parts = window.reshape(_PARTS, -1)
    power = np.einsum("ij,ij->i", parts, parts) * (_PARTS / len(window))
    return [10 * log10(each + 1e-12) for each in power.tolist()]


def _floats(samples: Samples) -> Floats:
    return samples.astype(np.float32) / np.float32(32768.0)
