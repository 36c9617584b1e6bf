"""An admin's own recordings in place of rendered prompts.

``recordings.yml`` lists them, beside the sound files::

    - text: 您好，这里是市一医院。
      file: welcome.mp3

A file may be WAV or, where ffmpeg or libsndfile can read it, MP3, FLAC or OGG, of any
rate from 8 kHz up; it is mixed to mono, band-limited and levelled like every voice.
The only module that names pydub and the reader of sound files for prompts.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from agi_bot.audio import LINE_RATE
from agi_bot.errors import ConfigError, SpeechError
from agi_bot.speech.line import Leveller, ToBand, Wave, active_level, gained, to_frame, trimmed
from agi_bot.speech.listing import read_list
from agi_bot.speech.text import clean

SHORTEST_S, LONGEST_S = 0.1, 120.0
_FAINT_DBFS = -50.0


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording fit for the line: 16-bit PCM at 8 kHz; ``notes`` say what was odd about the file."""

    pcm: bytes
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / LINE_RATE


class Recordings:
    """Recordings by their text; punctuation, spaces and case do not matter."""

    def __init__(self, found: Mapping[str, Recording]) -> None:
        self._found = {_plain(text): recording for text, recording in found.items()}

    @classmethod
    def none(cls) -> Recordings:
        """No recordings at all."""
        return cls({})

    @classmethod
    def load(cls, path: Path) -> Recordings:
        """Read ``recordings.yml`` and every file in it.

        Raises :class:`ConfigError` with file and line for the first entry that is wrong.
        """
        return cls(dict(_entry(path, line, entry) for line, entry in read_list(path, "recording")))

    def __len__(self) -> int:
        return len(self._found)

    def find(self, text: str) -> bytes | None:
        """The recording of ``text`` as PCM; None where there is none."""
        found = self._found.get(_plain(text)) if self._found else None
        return found.pcm if found else None


def load_recording(path: Path) -> Recording:
    """A sound file made fit for the line.

    Raises :class:`SpeechError` when it cannot be read, is slower than 8 kHz, shorter than
    0.1 s, longer than 120 s, or silent.
    """
    wave, rate = _read(path)
    seconds = len(wave) / rate
    if rate < LINE_RATE:
        raise SpeechError(f"{path} has {rate} Hz", cure="record with 8000 Hz or more")
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise SpeechError(f"{path} is {seconds:.2f} s long", cure=f"{SHORTEST_S:g} to {LONGEST_S:g} s")
    level = active_level(wave, rate)
    if level < _FAINT_DBFS:
        raise SpeechError(f"{path} is silent ({level:.0f} dBFS)", cure="record it louder")
    line = trimmed(ToBand(rate).push(to_frame(wave * np.float32(0.7), rate).pcm, last=True))
    fit = gained(line, Leveller().for_whole(line))
    return Recording(to_frame(fit).pcm, _notes(wave, rate, len(line) / LINE_RATE))


def _notes(wave: Wave, rate: int, kept_s: float) -> tuple[str, ...]:
    notes = []
    if float(np.mean(np.abs(wave) > 0.99)) > 0.001:
        notes.append("it is overdriven: record it at a lower level")
    if active_level(wave, rate) < -35:
        notes.append("it is faint: noise may be heard")
    if len(wave) / rate - kept_s > 1.0:
        notes.append(f"{len(wave) / rate - kept_s:.1f} s of silence were cut off its ends")
    return tuple(notes)


def _read(path: Path) -> tuple[Wave, int]:
    """Mono samples and rate, by pydub; by libsndfile what pydub has no ffmpeg for."""
    if not path.is_file():
        raise SpeechError(f"there is no file {path}")
    try:
        return _by_pydub(path)
    except Exception as first:
        try:
            samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, OSError):
            reason = str(first).splitlines()[0] if str(first) else type(first).__name__
            cure = "use WAV, or install ffmpeg for other formats"
            raise SpeechError(f"{path} cannot be read as sound: {reason}", cure=cure) from None
        return samples.mean(axis=1), int(rate)


def _by_pydub(path: Path) -> tuple[Wave, int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about a missing ffmpeg at its import
        from pydub import AudioSegment

        sound: Any = AudioSegment.from_file(path)
    full_scale = float(1 << (8 * sound.sample_width - 1))
    samples = np.array(sound.get_array_of_samples(), np.float64).reshape(-1, sound.channels)
    return (samples.mean(axis=1) / full_scale).astype(np.float32), int(sound.frame_rate)


def _entry(path: Path, line: int, entry: dict[str, Any]) -> tuple[str, Recording]:
    if set(entry) != {"text", "file"}:
        raise ConfigError(f"{path}:{line}: an entry has a text and a file, and nothing else")
    text, file = str(entry["text"]), path.parent / str(entry["file"])
    if not _plain(text):
        raise ConfigError(f"{path}:{line}: the text is empty")
    try:
        return text, load_recording(file)
    except SpeechError as error:
        raise ConfigError(f"{path}:{line}: {error.message}", cure=error.cure) from None


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", clean(text)).casefold()
