"""One prompt on its way from text to the line."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from agi_bot.audio import FRAME_MS, Frame, Resampler, frame_bytes
from agi_bot.contracts import Voice
from agi_bot.errors import AgiBotError, SpeechError
from agi_bot.flow.events import Say, Span

_WORD = re.compile(r"[一-鿿]|[^\W_一-鿿]+", re.UNICODE)


def count_words(text: str) -> int:
    """Words of ``text``: every Chinese character is one, so is every run of other letters or digits."""
    return len(_WORD.findall(text))


class Part(Protocol):
    """A run of words of a prompt that is spoken at one go; a :class:`~agi_bot.flow.events.Span` is one."""

    @property
    def text(self) -> str:
        """The words."""

    @property
    def protected(self) -> bool:
        """Never cut by the caller."""


@runtime_checkable
class PlanningVoice(Protocol):
    """A voice that cuts prompts itself, where a speaker pauses (:class:`~agi_bot.speech.prompts.CachedVoice`)."""

    def plan(self, prompt: Sequence[Span]) -> list[Any]:
        """The parts in which ``prompt`` is spoken."""

    def speak_planned(self, todo: Sequence[Any]) -> AsyncIterator[tuple[int, Frame]]:
        """Frames of the parts, each with its part's index."""


async def _span_by_span(voice: Voice, spans: Sequence[Part]) -> AsyncIterator[tuple[int, Frame]]:
    for index, span in enumerate(spans):
        if count_words(span.text):
            async for frame in voice.speak(span.text):
                yield index, frame


_QUESTION = re.compile("[?？]")

_PAUSE_POWER = 32.0**2
"""Mean square (16-bit samples) below which nothing is said: -60 dBFS."""

VOICE_TIMEOUT_S = 20.0
"""A voice whose next sound does not come for this long is taken for dead; ours have shorter limits of their own."""

NOT_KNOWN_MS = 60_000
"""What is left of a prompt that is not rendered yet."""


@dataclass(slots=True)
class _Piece:
    """A part and the frames [start, end) that it became; ``end`` is None while it is rendered."""

    part: Part
    start: int
    end: int | None = None


class Prompt:
    """The frames of one :class:`~agi_bot.flow.events.Say`, at ``rate`` Hz, 20 ms each.

    Rendering starts with :meth:`start` and runs ahead of the line.  ``position`` counts the
    frames that were given out, ``unheard`` those of them that have not reached the caller yet.
    """

    def __init__(self, say: Say, voice: Voice, rate: int) -> None:
        self.say = say
        self.number = say.prompt
        self.position = 0
        self.unheard = 0
        self.begun = False
        self._voice = voice
        self._rate = rate
        self._frames: list[Frame] = []
        self._parts: Sequence[Part] = ()
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
        """Whether the caller has heard all of it."""
        return self._rendered and self._heard >= len(self._frames)

    @property
    def _heard(self) -> int:
        return max(0, self.position - self.unheard)

    @property
    def left_ms(self) -> int:
        """How much is still unspoken, ms; far too much while that is not rendered."""
        return (len(self._frames) - self._heard) * FRAME_MS if self._rendered else NOT_KNOWN_MS

    @property
    def left_of_question_ms(self) -> int:
        """The same up to the end of its last question; a prompt without one is all question."""
        asked = [end for piece in self._pieces if (end := _end_of_question(piece)) is not None]
        if not self._rendered or not asked:
            return self.left_ms
        return max(0, asked[-1] - self._heard) * FRAME_MS

    @property
    def protected_now(self) -> bool:
        """Whether the sound going out belongs to a protected span, or must not be cut at all."""
        if not self.say.barge_in:
            return True
        piece = self._piece_at(self._heard)
        return piece is not None and piece.part.protected

    @property
    def protected_left(self) -> bool:
        """Whether a protected span has not been heard to its end."""
        return self._protected_from(self._heard)

    def _protected_from(self, position: int) -> bool:
        if not self.say.barge_in:
            return True
        if not self._parts:
            return any(span.protected for span in self.say.spans)
        return any(self._ends_after(position, index) for index, part in enumerate(self._parts) if part.protected)

    def _ends_after(self, position: int, index: int) -> bool:
        if index >= len(self._pieces):
            return True
        end = self._pieces[index].end
        return end is None or position < end

    @property
    def words_spoken(self) -> int:
        """About how many words (characters in Chinese) have been heard."""
        return sum(self._words_of(piece) for piece in self._pieces)

    def _words_of(self, piece: _Piece) -> int:
        words = count_words(piece.part.text)
        end = piece.end if piece.end is not None else len(self._frames)
        if self._heard >= end > piece.start and piece.end is not None:
            return words
        share = (self._heard - piece.start) / max(1, end - piece.start)
        return round(words * min(1.0, max(0.0, share)))

    def _piece_at(self, position: int) -> _Piece | None:
        for piece in self._pieces:
            if piece.start <= position and (piece.end is None or position < piece.end):
                return piece
        return None

    def stop_after_protected(self) -> None:
        """Speak on only what is protected."""
        self._stop_after_protected = True

    def take_back(self) -> None:
        """What has not been heard will not be: it is to be given out again."""
        self.position, self.unheard = self._heard, 0

    def rewind(self, frames: int | None) -> None:
        """Go back to the end of the quietest pause in the last ``frames``, or to the start (None).

        There a syllable begins, so that none is cut and nobody waits for a pause that was
        had.  Never back into a protected span that is done.
        """
        floor = max((p.end or 0 for p in self._pieces if p.part.protected), default=0)
        target = 0 if frames is None else self.position - frames
        first = max(target, floor if floor <= self.position else 0, 0)
        last = first if frames is None else min(self.position, len(self._frames) - 1)
        self.position = first + _end_of_pause([_power(frame) for frame in self._frames[first : last + 1]])

    async def next_frame(self) -> Frame | None:
        """The next frame, as soon as it is rendered; ``None`` at the end.

        Raises :class:`~agi_bot.errors.SpeechError` when the voice failed, or says nothing any more.
        """
        while True:
            if self._stop_after_protected and not self._skip_to_protected():
                return None
            if self.position < len(self._frames):
                self.position += 1
                return self._frames[self.position - 1]
            if self._error is not None:
                raise self._error
            if self._rendered:
                return None
            await self._wait_for_more()

    async def _wait_for_more(self) -> None:
        self._more.clear()
        try:
            async with asyncio.timeout(VOICE_TIMEOUT_S):
                await self._more.wait()
        except TimeoutError as error:
            raise SpeechError(f"the voice {self._voice.name} gave no sound for {VOICE_TIMEOUT_S:g} s") from error

    def _skip_to_protected(self) -> bool:
        """Leave out what is not protected from here on, as far as rendered; ``False``: nothing protected is left."""
        if not self._protected_from(self.position):
            return False
        if self.say.barge_in:
            piece = self._piece_at(self.position)
            while piece is not None and not piece.part.protected:
                self.position = len(self._frames) if piece.end is None else piece.end
                piece = self._piece_at(self.position) if piece.end is not None else None
        return True

    async def _render(self) -> None:
        try:
            async with aclosing(self._speak()) as sounds:  # type: ignore[type-var]
                await self._take(sounds)
        except AgiBotError as error:
            self._error = error
        except Exception as error:
            self._error = SpeechError(f"the voice {self._voice.name} failed: {error!r}")
        finally:
            self._rendered = True
            self._more.set()

    def _speak(self) -> AsyncIterator[tuple[int, Frame]]:
        if isinstance(self._voice, PlanningVoice):
            self._parts = self._voice.plan(self.say.spans)
            return self._voice.speak_planned(self._parts)
        self._parts = list(self.say.spans)
        return _span_by_span(self._voice, self._parts)

    async def _take(self, sounds: AsyncIterator[tuple[int, Frame]]) -> None:
        cutter = _Cutter(self._voice.rate, self._rate)
        async for index, sound in sounds:
            if index >= len(self._pieces):
                self._add(cutter.rest())
                self._begin_pieces(index)
                cutter = _Cutter(self._voice.rate, self._rate)
            self._add(cutter.push(sound))
        self._add(cutter.rest())
        self._begin_pieces(len(self._parts))

    def _begin_pieces(self, index: int) -> None:
        """End the piece that was rendered, and begin the one at ``index``; parts without sound get none."""
        here = len(self._frames)
        if self._pieces:
            self._pieces[-1].end = here
        while len(self._pieces) < min(index, len(self._parts)):
            self._pieces.append(_Piece(self._parts[len(self._pieces)], here, here))
        if index < len(self._parts):
            self._pieces.append(_Piece(self._parts[index], here))

    def _add(self, frames: list[Frame]) -> None:
        self._frames.extend(frames)
        if frames:
            self._more.set()


def _end_of_question(piece: _Piece) -> int | None:
    """The frame at which about its last question ends; ``None``: it asks nothing."""
    questions = _QUESTION.split(piece.part.text)
    if len(questions) == 1 or piece.end is None:
        return None
    words = count_words(piece.part.text)
    share = 1 - count_words(questions[-1]) / max(1, words)
    return piece.start + round((piece.end - piece.start) * share)


def _end_of_pause(powers: Sequence[float]) -> int:
    """Index of the last frame of the pause that the quietest one is in; 0 where there are none."""
    quietest = min(range(len(powers)), key=powers.__getitem__, default=0)
    limit = min(max(_PAUSE_POWER, 4 * powers[quietest]), max(powers) / 20) if powers else 0.0
    loud = (at for at, power in enumerate(powers) if at > quietest and power > limit)
    return next(loud, max(len(powers), 1)) - 1


def _power(frame: Frame) -> float:
    """Mean square of the samples."""
    samples = frame.samples.astype(np.float64)
    return float(samples @ samples) / max(1, len(samples))


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
