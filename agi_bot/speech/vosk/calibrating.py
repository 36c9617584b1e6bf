"""Hears speech whose words are known, to calibrate a model with it.  Blocks."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from agi_bot.audio import LINE_RATE, Frame, resample
from agi_bot.errors import ModelError
from agi_bot.speech.vosk import engine, results
from agi_bot.speech.vosk.calibration import Trial
from agi_bot.speech.vosk.folder import inspect_folder
from agi_bot.speech.vosk.vocabulary import join

TABLE = "speech.tsv"
NOISES_DB = (None, 20.0, 10.0)
"""Each file is heard as it is, and with noise so far below the speech."""

_SILENCE_MS = 250
_LOUD = 80


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sound file and the words in it."""

    path: Path
    transcript: str


def read_table(folder: Path, language: str) -> list[Spoken]:
    """The rows of ``folder/speech.tsv`` (path, language, transcript) in ``language``.

    Raises :class:`~agi_bot.errors.ModelError` with file and line.
    """
    table = folder / TABLE
    try:
        rows = list(csv.DictReader(table.read_text("utf-8").splitlines(), delimiter="\t"))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{table} cannot be read: {error}", cure="give a folder with speech.tsv in UTF-8") from None
    for number, row in enumerate(rows, 2):
        if not all(row.get(name) for name in ("path", "language", "transcript")):
            raise ModelError(f"{table}:{number} lacks path, language or transcript", cure="columns are set off by tabs")
    own = [row for row in rows if row["language"].split("-")[0] == language.split("-")[0]]
    return [Spoken(folder / row["path"], row["transcript"]) for row in own]


def hear_all(model: Path, spoken: list[Spoken]) -> Iterator[Trial]:
    """What ``model`` makes of each file on each line.  Raises :class:`~agi_bot.errors.ModelError`."""
    folder = inspect_folder(model)
    loaded, rate = engine.load(model), folder.decoding_rate(LINE_RATE)
    rng = np.random.default_rng(5)
    for one in spoken:
        samples = _samples(one.path)
        for noise_db in NOISES_DB:
            pcm = resample(Frame(_on_the_line(samples, noise_db, rng)), rate).pcm
            words = results.parse_words(engine.Decoder(loaded, rate, "").whole(pcm))
            text = join(results.known([word.text for word in words]))
            yield Trial(words, plain(text) == plain(one.transcript))


def plain(text: str) -> str:
    """``text`` as two transcripts are compared: without case and blanks."""
    return "".join(text.lower().split())


def _samples(path: Path) -> np.ndarray:
    try:
        samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise ModelError(f"{path} cannot be heard: {error}", cure="give WAV or FLAC files") from None
    return resample(Frame(samples[:, 0].astype("<i2").tobytes(), rate), LINE_RATE).samples.astype(np.float64)


def _on_the_line(samples: np.ndarray, noise_db: float | None, rng: np.random.Generator) -> bytes:
    silence = np.zeros(LINE_RATE * _SILENCE_MS // 1000)
    sound = np.concatenate([silence, samples, silence])
    loud = samples[np.abs(samples) > _LOUD]
    if noise_db is not None and len(loud):
        sound = sound + rng.normal(0, np.sqrt(np.mean(loud**2)) * 10 ** (-noise_db / 20), len(sound))
    return bytes(np.clip(np.rint(sound), -32768, 32767).astype("<i2").tobytes())
