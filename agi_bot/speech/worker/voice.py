"""A Voice on top of a pool of workers: sentence by sentence, one sentence ahead of the line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from typing import Any

import numpy as np

from agi_bot.audio import FRAME_MS, LINE_RATE, Frame, silence
from agi_bot.speech.line import Leveller, ToBand, Wave, gained, to_frame, trimmed
from agi_bot.speech.text import Piece, pieces, prepared
from agi_bot.speech.worker.pool import WorkerPool

_FRAME = LINE_RATE * FRAME_MS // 1000
_CUT = 5 * _FRAME


class WorkerVoice:
    """Keeps the promise Voice with an engine that runs in worker processes.

    ``key`` names everything that shapes the sound; prompts are cached under it.
    """

    def __init__(self, pool: WorkerPool, *, name: str, key: str, language: str, gain_db: float = 0.0) -> None:
        self._pool = pool
        self._name = name
        self._key = key
        self._language = language
        self._leveller = Leveller(gain_db)

    @property
    def name(self) -> str:
        """Engine and speaker, as reports show it."""
        return self._name

    @property
    def key(self) -> str:
        """Engine, model, speaker, speed, gain: the same key, the same sound."""
        return self._key

    @property
    def language(self) -> str:
        """BCP 47 tag of what it speaks (``zh-CN``)."""
        return self._language

    @property
    def rate(self) -> int:
        """Sampling rate of the frames, Hz."""
        return LINE_RATE

    async def start(self) -> None:
        """Start the engine.  Raises :class:`EngineDown` or :class:`ModelError`."""
        await self._pool.start()

    async def close(self) -> None:
        """End the engine's processes; idempotent."""
        await self._pool.close()

    async def speak(self, text: str) -> AsyncIterator[Frame]:
        """Frames of at most 100 ms, a sentence ahead of whoever takes them.

        Raises :class:`SpeechError` for text that cannot be spoken, :class:`EngineDown`.
        """
        parts = pieces(prepared(text, self._language))
        inbox: asyncio.Queue[Frame | None] = asyncio.Queue()
        ahead = asyncio.Semaphore(2)
        producer = asyncio.create_task(self._produce(parts, inbox, ahead))
        try:
            while (frame := await inbox.get()) is not None:
                if not frame.pcm:
                    ahead.release()
                    continue
                yield frame
            await producer
        finally:
            producer.cancel()
            await asyncio.gather(producer, return_exceptions=True)

    async def _produce(self, parts: list[Piece], inbox: asyncio.Queue[Frame | None], ahead: asyncio.Semaphore) -> None:
        """Fill ``inbox``: an empty frame ends a piece, None ends all."""
        try:
            for index, piece in enumerate(parts):
                await ahead.acquire()
                async with aclosing(self._say(piece.text)) as frames:  # type: ignore[type-var]
                    async for frame in frames:
                        inbox.put_nowait(frame)
                if index + 1 < len(parts):
                    inbox.put_nowait(silence(piece.pause_ms))
                inbox.put_nowait(Frame(b""))
        finally:
            inbox.put_nowait(None)

    async def _say(self, text: str) -> AsyncIterator[Frame]:
        """One piece, rendered whole, so that its level is exact."""
        sound = bytearray()
        async with aclosing(self._pool.run(self.request(text))) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                sound += chunk
        band = ToBand(int(self._pool.info["rate"]))
        wave = trimmed(band.push(bytes(sound), last=True))
        for frame in framed(gained(wave, self._leveller.for_whole(wave))):
            yield frame

    def request(self, text: str) -> Mapping[str, Any]:
        """What the worker is asked for ``text``."""
        raise NotImplementedError


def framed(wave: Wave) -> Iterator[Frame]:
    """``wave`` at 8 kHz in frames of at most 100 ms, filled up to whole 20 ms."""
    missing = -len(wave) % _FRAME
    whole = np.concatenate((wave, np.zeros(missing, np.float32)))
    for start in range(0, len(whole), _CUT):
        yield to_frame(whole[start : start + _CUT])
