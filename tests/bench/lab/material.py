"""What the laboratory's callers say: answers, interruptions, backchannels, coughs; two parts of it.

One third of all voices and sentences is kept aside (``held-out``): limits are chosen on the
other two thirds (``tune``), reports are made of the third.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

import numpy as np

from agi_bot.audio import LINE_RATE, Frame
from agi_bot.speech.espeak import EspeakVoice, espeak_pool
from tests.bench.speech import Floats, Speech, trim

Part = Literal["tune", "held-out"]
Kind = Literal["yes_no", "when", "interrupt", "backchannel", "cough", "noise", "nothing"]

VOICES: dict[Part, tuple[str, ...]] = {"tune": ("m3", "f2", "m1", "f4"), "held-out": ("m7", "f5")}
SPEEDS: dict[Part, tuple[float, ...]] = {"tune": (0.9, 1.05), "held-out": (0.97,)}

TEXTS: dict[Kind, dict[Part, tuple[str, ...]]] = {
    "yes_no": {
        "tune": ("可以", "好的", "对", "没问题", "不行", "我没时间", "我那天没空，能改到后天下午三点吗", "是的"),
        "held-out": ("可以的", "好的没问题", "能来", "我明天没空", "不行，我那天要上班"),
    },
    "when": {
        "tune": ("后天下午三点", "明天上午十点", "下周二下午两点", "嗯……后天上午九点", "星期五下午四点"),
        "held-out": ("明天下午三点", "后天上午十点", "下周一上午九点"),
    },
    "interrupt": {
        "tune": ("我没空", "等一下", "我要改时间", "你是谁", "可以改时间吗"),
        "held-out": ("不行我没时间", "我想改时间", "我那天没空"),
    },
    "backchannel": {"tune": ("嗯", "好的", "对"), "held-out": ("嗯嗯", "好", "是的")},
}


@dataclass(frozen=True)
class Utterance:
    """Sound to be spoken, trimmed to its first and last sound."""

    kind: Kind
    text: str
    voice: str
    samples: Floats

    @property
    def ms(self) -> float:
        return len(self.samples) * 1000 / LINE_RATE

    @property
    def frame(self) -> Frame:
        whole = np.clip(np.rint(self.samples), -32768, 32767).astype("<i2")
        return Frame(whole.tobytes())


async def speak_all(part: Part, *, language: str = "zh-CN") -> dict[Kind, list[Utterance]]:
    """Every text in every voice and speed of ``part``, and the wordless sounds."""
    made: dict[Kind, list[Utterance]] = {kind: [] for kind in TEXTS}
    pool = espeak_pool()
    for variant in VOICES[part]:
        for speed in SPEEDS[part]:
            voice = EspeakVoice(language, variant=variant, speed=speed, pool=pool)
            for kind, texts in TEXTS.items():
                made[kind] += [await _speak(voice, kind, text, f"{variant} {speed}") for text in texts[part]]
    await pool.close()
    return made | wordless(part)


async def _speak(voice: EspeakVoice, kind: Kind, text: str, name: str) -> Utterance:
    pcm = b"".join([frame.pcm async for frame in voice.speak(text)])
    return Utterance(kind, text, name, trim(Frame(pcm).samples.astype(np.float64)))


def given(speech: list[Speech]) -> dict[Kind, list[Utterance]]:
    """Recordings that were given, those in the language of the flows: answers to any question."""
    own = [Utterance("yes_no", each.text, each.name, each.samples) for each in speech if each.language[:2] == "zh"]
    return {"yes_no": own, "when": own}


def wordless(part: Part) -> dict[Kind, list[Utterance]]:
    """Coughs and bangs, made of shaped noise."""
    rng = np.random.default_rng(17 if part == "tune" else 18)
    coughs = [Utterance("cough", "(cough)", "noise", cough(rng)) for _ in range(6)]
    bangs = [Utterance("noise", "(bang)", "noise", bang(rng)) for _ in range(6)]
    return {"cough": coughs, "noise": bangs}


def cough(rng: np.random.Generator) -> Floats:
    """Two bursts of coloured noise, 120-200 ms each, that fall off."""
    bursts = []
    for _ in range(2):
        size = int(LINE_RATE * rng.uniform(0.12, 0.2))
        noise = np.convolve(rng.normal(0, 1, size), np.ones(5) / 5, "same")
        bursts += [noise * np.exp(-np.linspace(0, 4, size)), np.zeros(int(LINE_RATE * 0.12))]
    sound = np.concatenate(bursts[:-1])
    return np.asarray(sound * 9000 / np.abs(sound).max(), dtype=np.float64)


def bang(rng: np.random.Generator) -> Floats:
    """Something falls: 300 ms of noise with a hard beginning."""
    size = int(LINE_RATE * 0.3)
    sound = rng.normal(0, 1, size) * np.exp(-np.linspace(0, 7, size))
    return np.asarray(sound * 12_000 / np.abs(sound).max(), dtype=np.float64)


def load(part: Part, speech: list[Speech]) -> dict[Kind, list[Utterance]]:
    """espeak-ng's material, or the given recordings with espeak-ng's interruptions."""
    made = asyncio.run(speak_all(part))
    return made | given(speech) if speech else made


__all__ = ["Kind", "Part", "Utterance", "load"]
