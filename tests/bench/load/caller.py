"""One caller of the load bench: answers every question, counts how long each reply took."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from agi_bot.audio import FRAME_MS, LINE_RATE
from agi_bot.pbx.audiosocket.protocol import HEADER_BYTES, KIND_HANG_UP, header
from agi_bot.pbx.simulated import SimulatedChannel
from tests.bench.load.sounds import SIZE, Answer, Sounds

LOUD = 184
"""Amplitude of sound that is heard: -45 dBFS."""

BOT_ENDED_S = 0.6
THINK_S = (0.0, 0.6)
PATIENCE_S = 4.0
"""A reply that comes later was missed."""

EARLY_FRAMES = 4
HEADER = header(LINE_RATE, 2 * SIZE)
SILENCE = bytes(2 * SIZE)


class Doing(Enum):
    """What the caller does now."""

    WAITING = "waits for the bot to speak"
    HEARING = "hears the bot"
    THINKING = "is about to answer"
    SPEAKING = "answers"


@dataclass
class Tally:
    """What all callers of a process saw; times are ``time.perf_counter``."""

    replies: list[tuple[float, float]] = field(default_factory=list)
    """When, and after how many ms."""
    missed: list[float] = field(default_factory=list)
    early: list[float] = field(default_factory=list)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    """When, and ms between two arrivals of sound."""
    ended: list[tuple[float, str]] = field(default_factory=list)
    spoken: list[tuple[float, float]] = field(default_factory=list)
    """When an answer ended, and its length, ms."""
    pauses: list[float] = field(default_factory=list)
    """Seconds from the end of an answer to the next answer of the same call."""


class Caller(SimulatedChannel):
    """Runs one call; :meth:`tick` must be called every 20 ms."""

    def __init__(self, sounds: Sounds, tally: Tally, rng: random.Random, flow: str) -> None:
        super().__init__(caller=str(rng.randrange(10**10, 10**11)), arguments=(flow,))
        self._sounds = sounds
        self._tally = tally
        self._rng = rng
        self._buffer = bytearray()
        self._doing = Doing.WAITING
        self._place = rng.randrange(len(sounds.noise))
        self._answer: Answer | None = None
        self._at = 0
        self._asked_at = 0.0
        """When the last sound of the answer that waits for a reply was; 0: none does."""
        self._heard_at = self._arrived_at = 0.0
        self._speak_at = 0.0
        self._over_mine = 0
        self._ended_at = 0.0

    def tick(self) -> None:
        """20 ms have passed: send the next frame."""
        if self._audio is None or self._audio.is_closing():
            return
        now = time.perf_counter()
        self._decide(now)
        self._audio.write(HEADER + self._next(now))

    def _decide(self, now: float) -> None:
        if self._doing is Doing.HEARING and now - self._heard_at > BOT_ENDED_S:
            self._doing = Doing.THINKING
            self._speak_at = now + self._rng.uniform(*THINK_S)
        elif self._doing is Doing.THINKING and now >= self._speak_at:
            self._doing = Doing.SPEAKING
            if self._ended_at:
                self._tally.pauses.append(now - self._ended_at)
            self._answer, self._at, self._over_mine = self._rng.choice(self._sounds.answers), 0, 0
        elif self._doing is Doing.WAITING and self._asked_at and now - self._asked_at > PATIENCE_S:
            self._tally.missed.append(now)
            self._asked_at = 0.0

    def _next(self, now: float) -> bytes:
        answer = self._answer
        if answer is None:
            self._place = (self._place + 1) % len(self._sounds.noise)
            return self._sounds.noise[self._place]
        frame = answer.frames[self._at]
        self._at += 1
        if self._at == len(answer.frames):
            self._finished(answer, now)
        return frame

    def _finished(self, answer: Answer, now: float) -> None:
        # A frame is sent when its last sample has been spoken.
        self._asked_at = now - answer.tail_ms / 1000
        self._tally.spoken.append((now, len(answer.frames) * FRAME_MS))
        self._answer = None
        self._ended_at = now
        self._doing = Doing.WAITING
        if self._over_mine >= EARLY_FRAMES:
            self._tally.early.append(now)
            self._asked_at, self._doing, self._heard_at = 0.0, Doing.HEARING, now

    async def _listen(self, reader: asyncio.StreamReader) -> bool:
        while data := await reader.read(65536):
            self._take(data, time.perf_counter())
            if self._over():
                return True
        return True

    def _over(self) -> bool:
        return len(self._buffer) >= HEADER_BYTES and self._buffer[0] == KIND_HANG_UP

    def _take(self, data: bytes, now: float) -> None:
        if self._arrived_at:
            self._tally.gaps.append((now, (now - self._arrived_at) * 1000))
        self._arrived_at = now
        self._buffer += data
        size = HEADER_BYTES + 2 * SIZE
        while len(self._buffer) >= size and self._buffer[0] != KIND_HANG_UP:
            self._sound(bytes(self._buffer[HEADER_BYTES:size]), now)
            del self._buffer[:size]

    def _sound(self, pcm: bytes, now: float) -> None:
        if pcm == SILENCE:
            return
        loud = np.abs(np.frombuffer(pcm, "<i2")) > LOUD
        if loud.any():
            self._audible(now, int(loud.argmax()) * 1000 / LINE_RATE)

    def _audible(self, now: float, offset_ms: float) -> None:
        self._heard_at = now
        if self._doing is Doing.SPEAKING:
            self._over_mine += 1
            return
        if self._asked_at:
            self._tally.replies.append((now, (now - self._asked_at) * 1000 + offset_ms))
            self._asked_at = 0.0
        self._doing = Doing.HEARING
