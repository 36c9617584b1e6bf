"""Text that is still being written, spoken sentence by sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from agi_bot.audio import Frame, silence
from agi_bot.contracts import Voice
from agi_bot.speech.text import SENTENCE_LONGEST, SENTENCE_PAUSE_MS, clause_spans, sayable, sentence_spans


class Gatherer:
    """Pieces of text in any cut to whole sentences; a long one is given out at a comma.  Pure."""

    def __init__(self) -> None:
        self._text = ""

    def push(self, text: str) -> list[str]:
        """The sentences that ``text`` completes."""
        self._text += text
        spans = sentence_spans(self._text)
        if len(spans) < 2 and len(self._text) > SENTENCE_LONGEST // 2:
            spans = clause_spans(self._text)
        return self._take(spans[-1][0] if spans else 0)

    def rest(self) -> list[str]:
        """What is left at the end."""
        return self._take(len(self._text))

    def _take(self, end: int) -> list[str]:
        done, self._text = self._text[:end], self._text[end:]
        return [done] if sayable(done) else []


async def speak_stream(voice: Voice, chunks: AsyncIterator[str]) -> AsyncIterator[Frame]:
    """Speak what ``chunks`` bring, from the first whole sentence on, while more is being written.

    Raises what ``chunks`` and ``voice`` raise; closing it stops both.
    """
    inbox: asyncio.Queue[str | None] = asyncio.Queue()
    reader = asyncio.create_task(_read(chunks, inbox))
    spoken = False
    try:
        while (text := await inbox.get()) is not None:
            if spoken:
                yield silence(SENTENCE_PAUSE_MS, voice.rate)
            spoken = True
            async with aclosing(voice.speak(text)) as frames:  # type: ignore[type-var]
                async for frame in frames:
                    yield frame
        await reader
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)


async def _read(chunks: AsyncIterator[str], inbox: asyncio.Queue[str | None]) -> None:
    gatherer = Gatherer()
    try:
        async for chunk in chunks:
            for sentence in gatherer.push(chunk):
                inbox.put_nowait(sentence)
        for sentence in gatherer.rest():
            inbox.put_nowait(sentence)
    finally:
        inbox.put_nowait(None)
