"""Speech to measure with: given files (``--speech DIR`` with ``speech.tsv``), or espeak-ng's.

The table has the columns ``path``, ``language`` and ``transcript``; other columns are ignored.
Files are WAV of any rate; they are brought to 8 kHz mono.
"""

from __future__ import annotations

import asyncio
import csv
import os
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from agi_bot.audio import LINE_RATE, Frame, mulaw_decode, mulaw_encode, resample
from agi_bot.speech.espeak import EspeakVoice

Floats = npt.NDArray[np.float64]

SENTENCES = {
    "zh": (
        "我那天没空能改到后天下午三点吗",
        "可以",
        "不行",
        "好的",
        "明天上午十点",
        "我要改时间",
        "不用了谢谢",
        "再见",
    ),
    "en": (
        "yes",
        "no thank you",
        "can it be the day after tomorrow at three in the afternoon",
        "i have no time that day",
        "tomorrow morning",
        "who are you",
        "goodbye",
    ),
}
VARIANTS = ("f3", "m3", "f5", "m7")


@dataclass(frozen=True)
class Speech:
    """One utterance at 8 kHz, peak at a quarter of full scale, without silence around it."""

    name: str
    language: str
    text: str
    samples: Floats

    @property
    def ms(self) -> float:
        return len(self.samples) * 1000 / LINE_RATE


def given_folder() -> Path | None:
    """The folder of AGI_BOT_SPEECH, if one is named."""
    name = os.environ.get("AGI_BOT_SPEECH", "")
    return Path(name) if name else None


def load(folder: Path | None, *, count: int = 0, seed: int = 1) -> list[Speech]:
    """All of the folder's speech, or ``count`` drawn from it; espeak-ng's without a folder."""
    if folder is None:
        return asyncio.run(synthetic())
    with (folder / "speech.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    chosen = random.Random(seed).sample(rows, count) if 0 < count < len(rows) else rows
    return [_read(folder, row) for row in chosen]


async def synthetic() -> list[Speech]:
    """Every sentence in every voice."""
    made = []
    for language, sentences in SENTENCES.items():
        for variant in VARIANTS:
            voice = EspeakVoice(language, variant=variant)
            for text in sentences:
                pcm = b"".join([frame.pcm async for frame in voice.speak(text)])
                made.append(Speech(f"{variant} {text}", language, text, trim(_floats(Frame(pcm)))))
            await voice.close()
    return made


def trim(samples: Floats, depth_db: float = 35.0) -> Floats:
    """Without what is ``depth_db`` softer than the loudest 10 ms at both ends; levelled."""
    size = LINE_RATE // 100
    blocks = samples[: len(samples) // size * size].reshape(-1, size)
    levels = 10 * np.log10(np.mean(blocks**2, axis=1) + 1e-9)
    loud = np.flatnonzero(levels > levels.max() - depth_db)
    kept = samples[loud[0] * size : (loud[-1] + 1) * size]
    return np.asarray(kept * (8192 / np.abs(kept).max()), dtype=np.float64)


def on_the_line(samples: Floats, *, noise_db: float | None = None, seed: int = 0) -> Frame:
    """As mu-law carries it, with white noise ``noise_db`` below the speech's level where given."""
    if noise_db is not None:
        loud = np.abs(samples) > 80
        level = np.sqrt(np.mean(samples[loud] ** 2)) * 10 ** (-noise_db / 20)
        samples = samples + np.random.default_rng(seed).normal(0, level, len(samples))
    whole = np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
    return Frame(mulaw_decode(mulaw_encode(whole)).astype("<i2").tobytes())


def _read(folder: Path, row: dict[str, str]) -> Speech:
    samples, rate = soundfile.read(folder / row["path"], dtype="int16", always_2d=True)
    frame = resample(Frame(samples[:, 0].astype("<i2").tobytes(), rate), LINE_RATE)
    return Speech(row["path"], row["language"], row["transcript"], trim(_floats(frame)))


def _floats(frame: Frame) -> Floats:
    return frame.samples.astype(np.float64)
