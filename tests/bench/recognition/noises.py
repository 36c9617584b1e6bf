"""Sound that is no answer: music, babble, fax tones, coughs, bangs, other languages."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from agi_bot.audio import LINE_RATE
from agi_bot.shipped import shipped
from tests.bench.lab.material import bang, cough
from tests.bench.speech import Floats, trim

FOREIGN = {
    "de": ("Ich habe gerade keine Zeit", "Wer ist denn da am Apparat", "Rufen Sie bitte morgen wieder an"),
    "fr": ("Je ne comprends rien du tout", "Qui est à l'appareil", "Rappelez demain matin"),
    "es": ("No tengo tiempo ahora mismo", "Quién habla por favor", "Llame usted mañana"),
    "ru": ("У меня сейчас нет времени", "Кто это говорит", "Позвоните завтра утром"),
    "hi": ("मेरे पास अभी समय नहीं है", "कौन बोल रहा है", "कल सुबह फिर से फोन कीजिए"),
    "yue": ("我而家唔得闲", "边位呀", "听日再打过嚟啦"),
}
SPEAKERS = ("", "+f5", "+m7")


def sounds(count: int = 12) -> dict[str, list[Floats]]:
    """``count`` of each kind, of foreign sentences all."""
    rng = np.random.default_rng(23)
    foreign = [_said(tag, speaker, text) for tag, texts in FOREIGN.items() for text in texts for speaker in SPEAKERS]
    return {
        "music": [music(rng) for _ in range(count)],
        "babble": [babble(foreign, rng) for _ in range(count)],
        "fax": [fax(rng) for _ in range(count)],
        "coughs": [cough(rng) for _ in range(count)],
        "bangs": [bang(rng) for _ in range(count)],
        "other languages": foreign,
    }


def music(rng: np.random.Generator) -> Floats:
    """Five seconds of chords with overtones, a new one every 400 ms."""
    parts = []
    for _ in range(12):
        at = np.arange(int(LINE_RATE * 0.4)) / LINE_RATE
        root = 220 * 2 ** (rng.integers(0, 12) / 12)
        notes = (root * ratio * overtone for ratio in (1, 1.26, 1.5) for overtone in (1, 2, 3))
        chord = sum(np.sin(2 * np.pi * note * at + rng.uniform(0, 6)) / (note / root) for note in notes)
        parts.append(np.asarray(chord) * np.exp(-at * 3))
    return _levelled(np.concatenate(parts))


def babble(speech: Sequence[Floats], rng: np.random.Generator) -> Floats:
    """Five people speak at once for four seconds, none of them into the telephone."""
    mixed = np.zeros(LINE_RATE * 4)
    for _ in range(5):
        row = np.concatenate([speech[int(at)] for at in rng.integers(0, len(speech), 4)])
        mixed += np.roll(np.resize(row, len(mixed)), int(rng.integers(len(mixed))))
    return _levelled(mixed) / 2


def fax(rng: np.random.Generator) -> Floats:
    """A calling tone (1100 Hz, half a second) or the answer of a machine (2100 Hz, three seconds); ITU-T T.30."""
    hertz, seconds = (1100, 0.5) if rng.random() < 0.5 else (2100, 3.0)
    return _levelled(np.sin(2 * np.pi * hertz * np.arange(int(LINE_RATE * seconds)) / LINE_RATE))


def _levelled(samples: Floats) -> Floats:
    return np.asarray(samples * (8192 / np.abs(samples).max()), dtype=np.float64)


def _said(tag: str, speaker: str, text: str) -> Floats:
    sys.path.insert(0, str(shipped("models", "demo")))
    from recipe.espeak import Manner, espeak  # type: ignore[import-not-found, unused-ignore]

    spoken = espeak().say(text, Manner(f"{tag}{speaker}"))
    steps = np.arange(0, len(spoken.samples), spoken.rate / LINE_RATE)
    return trim(np.interp(steps, np.arange(len(spoken.samples)), spoken.samples.astype(np.float64)))
