"""A Voice on top of a pool of workers: sentence by sentence, one sentence ahead of the line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from typing import Any

import numpy as np

from agi_bot.audio import FRAME_MS, LINE_RATE, Frame, silence
from agi_bot.speech.line import Leveller, ToBand, Trimmer, Wave, begun, ended, gained, to_frame, trimmed
from agi_bot.speech.text import Piece, pieces, prepared
from agi_bot.speech.worker.pool import WorkerPool

_FRAME = LINE_RATE * FRAME_MS // 1000
_CUT = 5 * _FRAME
_ENOUGH = LINE_RATE // 10
_FAINT = 0.001
_REHEARSAL = {"zh": "您好，请您稍等一下，谢谢。", "en": "Hello, one moment please, thank you."}


class WorkerVoice:
    """Keeps the promise Voice with an engine that runs in worker processes.

    ``key`` names everything that shapes the sound; prompts are cached under it.  An engine
    that is quick renders each piece ``whole``; else its sound goes out as it comes.
    """

    whole = True

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
        """Start the engine and learn how loud it is.  Raises :class:`EngineDown` or :class:`ModelError`."""
        await self._pool.start()
        if not self.whole and not self._leveller.knows:
            await self._rehearse()

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

    async def _rehearse(self) -> None:
        """Speak a sentence to nobody: the engine is warm and its level known when a caller comes."""
        family = self._language.lower().split("-")[0]
        async with aclosing(self._say_streaming(_REHEARSAL.get(family, _REHEARSAL["en"]))) as frames:  # type: ignore[type-var]
            async for _ in frames:
                pass

    def _say(self, text: str) -> AsyncIterator[Frame]:
        return self._say_whole(text) if self.whole else self._say_streaming(text)

    async def _say_whole(self, text: str) -> AsyncIterator[Frame]:
        """One piece, rendered whole, so that its level is exact."""
        sound = bytearray()
        async with aclosing(self._pool.run(self.request(text))) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                sound += chunk
        band = ToBand(int(self._pool.info["rate"]))
        wave = trimmed(band.push(bytes(sound), last=True))
        for frame in framed(gained(wave, self._leveller.for_whole(wave))):
            yield frame

    async def _say_streaming(self, text: str) -> AsyncIterator[Frame]:
        """One piece as it comes, at the level that the pieces before it had."""
        stream = Stream(self._leveller)
        async with aclosing(self._pool.run(self.request(text))) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                for frame in stream.push(chunk, int(self._pool.info["rate"])):
                    yield frame
        for frame in stream.end():
            yield frame

    def request(self, text: str) -> Mapping[str, Any]:
        """What the worker is asked for ``text``."""
        raise NotImplementedError


class Stream:
    """Sound of one sentence on its way: band, level, silence cut at both ends, whole 20 ms frames."""

    def __init__(self, leveller: Leveller) -> None:
        self._leveller = leveller
        self._band: ToBand | None = None
        self._heard: list[Wave] = []
        self._gain: float | None = None
        self._trimmer = Trimmer()
        self._left = np.zeros(0, np.float32)
        self._unlevelled = np.zeros(0, np.float32)
        self._begun = False

    def push(self, pcm: bytes, rate: int) -> Iterator[Frame]:
        """Frames that are complete after ``pcm`` at ``rate`` Hz."""
        self._band = self._band or ToBand(rate)
        yield from self._frames(self._trimmer.push(self._levelled(self._band.push(pcm))))

    def end(self) -> Iterator[Frame]:
        """The rest, faded; the leveller learns how loud the sentence was."""
        if self._band is None:
            return
        rest = self._trimmer.push(self._levelled(self._band.push(b"", last=True), last=True), last=True)
        rest = begun(rest) if not self._begun else rest
        yield from framed(ended(np.concatenate((self._left, rest))))
        self._leveller.learn(np.concatenate([*self._heard, np.zeros(0, np.float32)]))

    def _levelled(self, wave: Wave, *, last: bool = False) -> Wave:
        """``wave`` at the right level; held back until 100 ms tell what that is, if nothing else does."""
        self._heard.append(wave)
        if self._gain is not None:
            return gained(wave, self._gain)
        self._unlevelled = np.concatenate((self._unlevelled, wave))
        active = np.count_nonzero(np.abs(self._unlevelled) > _FAINT)
        if not (self._leveller.knows or active >= _ENOUGH or last):
            return wave[:0]
        self._gain = self._leveller.for_piece(self._unlevelled)
        return gained(self._unlevelled, self._gain)

    def _frames(self, wave: Wave) -> Iterator[Frame]:
        if not self._begun and len(wave):
            self._begun, wave = True, begun(wave)
        joined = np.concatenate((self._left, wave))
        keep = len(joined) // _FRAME * _FRAME
        keep = max(0, keep - _FRAME)  # the last frame may have to be faded
        self._left = joined[keep:]
        yield from framed(joined[:keep])


def framed(wave: Wave) -> Iterator[Frame]:
    """``wave`` at 8 kHz in frames of at most 100 ms, filled up to whole 20 ms."""
    missing = -len(wave) % _FRAME
    whole = np.concatenate((wave, np.zeros(missing, np.float32)))
    for start in range(0, len(whole), _CUT):
        yield to_frame(whole[start : start + _CUT])
