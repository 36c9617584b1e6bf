"""Fakes of hearing: a recogniser that hears what the test wrote into the sound, and sounds to feed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from agi_bot.audio import FRAME_MS, LINE_RATE, Frame
from agi_bot.contracts import Hints, Transcript, Word
from agi_bot.errors import ModelError, SpeechError


def spoken(text: str, *, ms: int = 600, rate: int = LINE_RATE, level: int = 8000) -> list[Frame]:
    """Frames of 20 ms that :class:`FakeRecognizer` hears as ``text``, word by word.

    The sound is a buzz at about -12 dBFS whose first samples carry the number of the text,
    so that it passes through any room unharmed that does not change samples.
    """
    number = _remember(text)
    count = max(1, ms // FRAME_MS)
    return [_buzz(number, index, count, rate, level) for index in range(count)]


def hush(ms: int, rate: int = LINE_RATE) -> list[Frame]:
    """Frames of line noise, far below speech."""
    noise = np.random.default_rng(7).integers(-3, 4, rate * FRAME_MS // 1000).astype("<i2").tobytes()
    return [Frame(noise, rate) for _ in range(ms // FRAME_MS)]


_TEXTS: list[str] = []


def _remember(text: str) -> int:
    if text not in _TEXTS:
        _TEXTS.append(text)
    return _TEXTS.index(text)


def _buzz(number: int, index: int, count: int, rate: int, level: int) -> Frame:
    size = rate * FRAME_MS // 1000
    samples = np.where(np.arange(size) // 20 % 2, level, -level).astype("<i2")
    samples[:4] = [-32768, number, index, count]
    return Frame(samples.tobytes(), rate)


class FakeRecognizer:
    """Hears :func:`spoken` sound; everything else is silence.

    ``fails_after``: number of frames after which every ear raises SpeechError (None: never).
    """

    def __init__(self, *languages: str, fails_after: int | None = None) -> None:
        self.languages = languages or ("zh-CN", "en")
        self.fails_after = fails_after
        self.open_ears = 0
        self.hints: list[Hints] = []

    @property
    def name(self) -> str:
        return "fake"

    async def start(self) -> None:
        """Nothing to load."""

    async def stop(self) -> None:
        """Nothing to free."""

    async def open(self, *, language: str, hints: Hints = Hints()) -> FakeHearing:  # noqa: B008
        if language not in self.languages:
            raise ModelError(f"no speech model for the language {language}")
        self.open_ears += 1
        self.hints.append(hints)
        return FakeHearing(self)


class FakeHearing:
    """One ear of :class:`FakeRecognizer`."""

    def __init__(self, home: FakeRecognizer) -> None:
        self._home = home
        self._ms = 0.0
        self._frames = 0
        self._words: list[Word] = []
        self._heard: Mapping[int, int] = {}
        self._closed = False

    async def hear(self, frame: Frame) -> Transcript:
        self._count()
        started, self._ms = self._ms, self._ms + frame.ms
        samples = frame.samples
        if len(samples) > 4 and samples[0] == -32768 and 0 <= samples[1] < len(_TEXTS):
            self._take(int(samples[1]), int(samples[2]), int(samples[3]), started)
        return Transcript(_join([word.text for word in self._words]))

    def skip(self, ms: float) -> None:
        self._ms += ms

    async def settle(self) -> Transcript:
        self._count()
        return Transcript(_join([word.text for word in self._words]))

    async def expect(self, hints: Hints) -> None:
        self._home.hints.append(hints)

    async def finish(self) -> Transcript:
        self._count()
        words, self._words, self._heard = tuple(self._words), [], {}
        text = _join([word.text for word in words])
        return Transcript(text, final=True, confidence=0.9 if text else 0.0, words=words)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._home.open_ears -= 1

    def _count(self) -> None:
        if self._closed:
            raise SpeechError("this ear is closed")
        self._frames += 1
        if self._home.fails_after is not None and self._frames > self._home.fails_after:
            raise SpeechError("the fake recogniser was told to fail")

    def _take(self, number: int, index: int, count: int, started: float) -> None:
        """Word k of n is heard when k/n of the frames have come."""
        pieces = _split(_TEXTS[number])
        known = self._heard.get(number, 0)
        due = -(-(index + 1) * len(pieces) // count)
        for piece in pieces[known:due]:
            self._words.append(Word(piece, round(started), round(self._ms), 0.9))
        self._heard = {number: max(known, due)} if index + 1 < count else {}


def _split(text: str) -> list[str]:
    return text.split() if text.isascii() else list(text.replace(" ", ""))


def _join(words: list[str]) -> str:
    return (" " if all(word.isascii() for word in words) else "").join(words)
