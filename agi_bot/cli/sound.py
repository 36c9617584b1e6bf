"""Speech in and out without a telephone: the bot's sentences as WAV files, the caller's from sound files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile

from agi_bot.app.workshop import Workshop
from agi_bot.audio import Frame
from agi_bot.config import Settings
from agi_bot.contracts import Hints
from agi_bot.errors import SpeechError
from agi_bot.flow import Flow

CHUNK_MS = 100


class Studio:
    """The engines of this installation for one flow, used as ``async with``.

    What the bot says is written to ``folder`` as 01-bot.wav, 02-bot.wav and so on.
    """

    def __init__(self, settings: Settings, flow: Flow, folder: Path = Path()) -> None:
        self._workshop = Workshop(settings)
        self._flow = flow
        self._folder = folder
        self._spoken = 0

    async def __aenter__(self) -> Studio:
        self._folder.mkdir(parents=True, exist_ok=True)
        await self._workshop.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._workshop.close()

    async def speak(self, text: str) -> str:
        """Write ``text``, spoken, to the next file; its path.  Raises :class:`~agi_bot.errors.SpeechError`."""
        voice = self._workshop.voices.find(self._flow.voice, self._flow.language)
        pcm = b"".join([frame.pcm async for frame in voice.speak(text)])
        self._spoken += 1
        path = self._folder / f"{self._spoken:02d}-bot.wav"
        soundfile.write(path, np.frombuffer(pcm, dtype="<i2"), voice.rate)
        return str(path)

    async def hear(self, name: str) -> str:
        """The words in the file ``name``.  Raises :class:`~agi_bot.errors.SpeechError`."""
        return await self.hear_part(Path(name))

    async def hear_part(self, path: Path, from_ms: int = 0, to_ms: int | None = None, channel: int = 0) -> str:
        """The words between two times of one channel of a sound file."""
        interpreter = await self._workshop.understanding.of(self._flow)
        phrases = getattr(interpreter, "phrases", None)
        hints = Hints(phrases(self._flow.intents, self._flow.language) if phrases else ())
        ear = await self._workshop.recognizer.open(language=self._flow.language, hints=hints)
        try:
            for frame in _frames(path, from_ms, to_ms, channel):
                await ear.hear(frame)
            return (await ear.finish()).text
        finally:
            await ear.close()


def _frames(path: Path, from_ms: int, to_ms: int | None, channel: int) -> Iterator[Frame]:
    try:
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
            file.seek(min(from_ms * rate // 1000, file.frames))
            length = -1 if to_ms is None else max(0, (to_ms - from_ms) * rate // 1000)
            samples = file.read(length, dtype="int16", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise SpeechError(f"{path} cannot be heard: {error}", cure="give a WAV or FLAC file") from None
    one = np.ascontiguousarray(samples[:, min(channel, samples.shape[1] - 1)])
    size = rate * CHUNK_MS // 1000
    for start in range(0, len(one), size):
        yield Frame(one[start : start + size].tobytes(), rate)
