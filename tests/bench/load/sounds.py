"""What the callers of the load bench say: spoken answers as frames, made once and kept in a file."""

from __future__ import annotations

import asyncio
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agi_bot.audio import FRAME_MS, LINE_RATE, Frame, mulaw_decode, mulaw_encode
from tests.bench.lab import material
from tests.bench.speech import Floats, Speech

NOISE = 4.0
"""Level (rms, 16-bit) of the line's own noise."""

SIZE = LINE_RATE * FRAME_MS // 1000


@dataclass(frozen=True)
class Answer:
    """Frames of 20 ms PCM; the last sound ends ``tail_ms`` before the end of the last one."""

    text: str
    frames: tuple[bytes, ...]
    tail_ms: float


@dataclass(frozen=True)
class Sounds:
    """Answers, and a second of the line's noise."""

    answers: tuple[Answer, ...]
    noise: tuple[bytes, ...]


def make(recordings: list[Speech]) -> Sounds:
    """From given recordings, or espeak-ng's answers of the laboratory."""
    if recordings:
        spoken = [(each.text, each.samples) for each in recordings]
    else:
        stock = asyncio.run(material.speak_all("held-out"))
        spoken = [(each.text, each.samples) for kind in ("yes_no", "when") for each in stock[kind]]
    rng = np.random.default_rng(7)
    return Sounds(tuple(_answer(text, samples, rng) for text, samples in spoken), _frames(np.zeros(LINE_RATE), rng))


def _answer(text: str, samples: Floats, rng: np.random.Generator) -> Answer:
    missing = -len(samples) % SIZE
    padded = np.concatenate([samples, np.zeros(missing)])
    return Answer(text, _frames(padded, rng), missing * 1000 / LINE_RATE)


def _frames(samples: Floats, rng: np.random.Generator) -> tuple[bytes, ...]:
    """``samples`` with the line's noise, as mu-law carries them."""
    noisy = np.clip(np.rint(samples + rng.normal(0, NOISE, len(samples))), -32768, 32767).astype(np.int16)
    pcm = Frame(mulaw_decode(mulaw_encode(noisy)).astype("<i2").tobytes()).pcm
    return tuple(pcm[start : start + 2 * SIZE] for start in range(0, len(pcm), 2 * SIZE))


def save(sounds: Sounds, path: Path) -> None:
    path.write_bytes(pickle.dumps(sounds))


def load(path: Path) -> Sounds:
    return pickle.loads(path.read_bytes())  # type: ignore[no-any-return]
