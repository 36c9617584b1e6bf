"""One prompt on its way from text to the line."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from agi_bot.audio import FRAME_MS, Frame, Resampler, frame_bytes
from agi_bot.contracts import Voice
from agi_bot.errors import AgiBotError, SpeechError
from agi_bot.flow.events import Say, Span

_WORD = re.compile(r"[一-鿿]|[^\W_一-鿿]+", re.UNICODE)


def count_words(text: str) -> int:
    """Words of ``text``: every Chinese character is one, so is every run of other letters or digits."""
    return len(_WORD.findall(text))


@dataclass(slots=True)
class _Piece:
    """A span and the frames [start, end) that it became; ``end`` is None while it is rendered."""

    span: Span
    start: int
    end: int | None = None


class Prompt:
    """The frames of one :class:`~agi_bot.flow.events.Say`, at ``rate`` Hz, 20 ms each.

    Rendering starts with :meth:`start` and runs ahead of the line.  ``position`` counts the
    frames that were given out.
    """

    def __init__(self, say: Say, voice: Voice, rate: int) -> None:
        self.say = say
        self.number = say.prompt
        self.position = 0
        self.begun = False
        self._voice = voice
        self._rate = rate
        self._frames: list[Frame] = []
        self._pieces: list[_Piece] = []
        self._rendered = False
        self._error: AgiBotError | None = None
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stop_at: int | None = None
        self._stop_after_protected = False

    def start(self) -> None:
        """Begin to render."""
        self._task = asyncio.create_task(self._render())

    def close(self) -> None:
        """Stop rendering."""
        if self._task is not None:
            self._task.cancel()

    def renumber(self, say: Say) -> None:
        """Take the number and the manner of ``say``, which has the same words."""
        self.say = say
        self.number = say.prompt

    @property
    def finished(self) -> bool:
        """Whether all of it has been given out."""
        return self._rendered and self.position >= len(self._frames)

    @property
    def protected_now(self) -> bool:
        """Whether the sound going out belongs to a protected span, or must not be cut at all."""
        if not self.say.barge_in:
            return True
        piece = self._piece_at(self.position)
        return piece is not None and piece.span.protected

    @property
    def protected_left(self) -> bool:
        """Whether a protected span has not been spoken to its end."""
        if not self.say.barge_in:
            return True
        return any(self._unspoken(span, index) for index, span in enumerate(self.say.spans) if span.protected)

    def _unspoken(self, span: Span, index: int) -> bool:
        if index >= len(self._pieces):
            return True
        end = self._pieces[index].end
        return end is None or self.position < end

    @property
    def words_spoken(self) -> int:
        """About how many words (characters in Chinese) have been spoken."""
        return sum(self._words_of(piece) for piece in self._pieces)

    def _words_of(self, piece: _Piece) -> int:
        words = count_words(piece.span.text)
        end = piece.end if piece.end is not None else len(self._frames)
        if self.position >= end > piece.start and piece.end is not None:
            return words
        share = (self.position - piece.start) / max(1, end - piece.start)
        return round(words * min(1.0, max(0.0, share)))

    def _piece_at(self, position: int) -> _Piece | None:
        for piece in self._pieces:
            if piece.start <= position and (piece.end is None or position < piece.end):
                return piece
        return None

    def stop_after_protected(self) -> None:
        """Speak on only until the last protected span has ended."""
        self._stop_after_protected = True

    def rewind(self, frames: int | None) -> None:
        """Go back by ``frames``, or to the start (None); never back into a protected span that is done."""
        floor = max((p.end or 0 for p in self._pieces if p.span.protected), default=0)
        target = 0 if frames is None else self.position - frames
        self.position = max(target, floor if floor <= self.position else 0, 0)

    async def next_frame(self) -> Frame | None:
        """The next frame, as soon as it is rendered; ``None`` at the end.

        Raises :class:`~agi_bot.errors.SpeechError` when the voice failed.
        """
        while self.position >= len(self._frames):
            if self._error is not None:
                raise self._error
            if self._rendered:
                return None
            self._more.clear()
            await self._more.wait()
        if self._stop_after_protected and not self.protected_left:
            return None
        self.position += 1
        return self._frames[self.position - 1]

    async def _render(self) -> None:
        try:
            for span in self.say.spans:
                await self._render_span(span)
        except AgiBotError as error:
            self._error = error
        except Exception as error:
            self._error = SpeechError(f"the voice {self._voice.name} failed: {error!r}")
        finally:
            self._rendered = True
            self._more.set()

    async def _render_span(self, span: Span) -> None:
        piece = _Piece(span, len(self._frames))
        self._pieces.append(piece)
        cutter = _Cutter(self._voice.rate, self._rate)
        if count_words(span.text):
            async for sound in self._voice.speak(span.text):
                self._add(cutter.push(sound))
            self._add(cutter.rest())
        piece.end = len(self._frames)

    def _add(self, frames: list[Frame]) -> None:
        self._frames.extend(frames)
        if frames:
            self._more.set()


class _Cutter:
    """Frames of any length and rate in, 20 ms frames of the line's rate out."""

    def __init__(self, source: int, rate: int) -> None:
        self._resampler = Resampler(source, rate) if source != rate else None
        self._source = source
        self._rate = rate
        self._size = frame_bytes(rate, FRAME_MS)
        self._left = b""

    def push(self, sound: Frame, *, last: bool = False) -> list[Frame]:
        if self._resampler is not None:
            sound = self._resampler.push(sound, last=last)
        data = self._left + sound.pcm
        whole = len(data) - len(data) % self._size
        self._left = data[whole:]
        return [Frame(data[at : at + self._size], self._rate) for at in range(0, whole, self._size)]

    def rest(self) -> list[Frame]:
        frames = self.push(Frame(b"", self._source), last=True)
        if self._left:
            frames.append(Frame(self._left.ljust(self._size, b"\0"), self._rate))
        return frames
