"""What is said to the bot at which step, in voices that the demo model never learnt from; two parts of it.

Of sentences, voices and speeds a part is kept aside (``held-out``): limits and calibrations are made on
``tune``, figures on the rest.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile

from agi_bot.audio import LINE_RATE, Frame
from agi_bot.flow import Flow, load, load_text
from agi_bot.shipped import shipped
from agi_bot.speech.espeak import EspeakVoice, espeak_pool
from agi_bot.speech.worker.pool import WorkerPool
from tests.bench.speech import Floats, trim

Part = Literal["tune", "held-out"]
PARTS: tuple[Part, ...] = ("tune", "held-out")

VOICES: dict[Part, tuple[str, ...]] = {
    "tune": ("m3", "f2", "Andy", "klatt2", "max", "rob"),
    "held-out": ("m7", "f5", "Annie", "steph", "belinda", "caleb"),
}
"""Speakers of espeak-ng that the demo model's recipe keeps from training (HELD_OUT_VARIANTS)."""
SPEEDS: dict[Part, tuple[float, ...]] = {"tune": (0.9, 1.1), "held-out": (0.95, 1.05)}

NUMBERS = """
flow: numbers
language: {language}
start: phone
steps:
  phone: {{ask: "?", collect: {{phone: {{type: phone, length: 11}}}}, next: money}}
  money: {{ask: "?", collect: {{amount: money}}, next: bye}}
  bye: {{say: "!", end: done}}
"""

_STEPS = {
    "zh": {
        "greet": ("hospital/appointment_reminder.yaml", "greet"),
        "keyword": ("hospital/appointment_reminder.yaml", "greet"),
        "other": ("hospital/appointment_reminder.yaml", "greet"),
        "time": ("hospital/appointment_reminder.yaml", "ask_new_time"),
        "item": ("shop/stock_line.yaml", "greet"),
        "colour": ("shop/stock_line.yaml", "colour"),
        "tail": ("finance/fraud_check.yaml", "identity"),
        "phone": ("", "phone"),
        "money": ("", "money"),
    },
    "en": {
        "greet": ("hospital/appointment_reminder_en.yaml", "greet"),
        "other": ("hospital/appointment_reminder_en.yaml", "greet"),
        "time": ("hospital/appointment_reminder_en.yaml", "ask_new_time"),
        "phone": ("", "phone"),
        "money": ("", "money"),
    },
}


@dataclass(frozen=True)
class Said:
    """A sentence, at ``step`` of ``flow``; ``kind`` is the step's name in the reports."""

    language: str
    kind: str
    flow: Flow
    step: str
    text: str
    voice: str
    samples: Floats


def flow_of(language: str, kind: str) -> tuple[Flow, str]:
    """The flow and the step of a kind of sentence."""
    file, step = _STEPS[language][kind]
    tag = "zh-CN" if language == "zh" else language
    if not file:
        flow = load_text(NUMBERS.format(language=tag), str(shipped("flows", "shared") / "numbers.yaml"))
        return flow, step
    return load(shipped("flows") / file), step


async def speak_all(language: str, part: Part, *, times: int = 1) -> list[Said]:
    """Every sentence of ``part`` by ``times`` of its voices."""
    rng = random.Random(f"{language} {part}")
    pool = espeak_pool()
    tag = "zh-CN" if language == "zh" else language
    flows = {kind: flow_of(language, kind) for kind in _STEPS[language]}
    made = []
    for kind, text in [*_written(language, part), *_drawn(language, rng)]:
        for variant in rng.sample(VOICES[part], times):
            speed = rng.choice(SPEEDS[part])
            samples = await _speak(tag, variant, speed, rng.randrange(35, 66), text, pool)
            made.append(Said(language, kind, *flows[kind], text, variant, samples))
    await pool.close()
    return made


async def _speak(tag: str, variant: str, speed: float, pitch: int, text: str, pool: WorkerPool) -> Floats:
    voice = EspeakVoice(tag, variant=variant, speed=speed, pitch=pitch, pool=pool)
    pcm = b"".join([frame.pcm async for frame in voice.speak(text)])
    return trim(Frame(pcm).samples.astype(np.float64))


def _written(language: str, part: Part) -> Iterator[tuple[str, str]]:
    kind = ""
    for line in Path(__file__).with_name(f"said.{language}.txt").read_text("utf-8").splitlines():
        if line.startswith("## "):
            owner, name = line[3:].split()
            kind = name if owner == part else ""
        elif kind and line and not line.startswith("#"):
            yield kind, line


def _drawn(language: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Digits, telephone numbers, dates and amounts."""
    for _ in range(30):
        if language == "zh":
            yield "tail", "".join(rng.choices("零幺二三四五六七八九", k=4))
            yield "phone", "幺" + rng.choice("三五七八") + "".join(rng.choices("零幺二三四五六七八九", k=9))
            yield "time", _time_zh(rng)
            yield "money", _money_zh(rng)
        else:
            yield "phone", " ".join(rng.choices(_DIGITS, k=11))
            yield "time", _time_en(rng)
            yield "money", f"{rng.choice(_TENS)} {rng.choice(_DIGITS[1:])} dollars"


_DIGITS = ("oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ONES = "一二三四五六七八九"


def _time_zh(rng: random.Random) -> str:
    day = rng.choice(["明天", "后天", "下周" + rng.choice("一二三四五"), "星期" + rng.choice("一二三四五六")])
    clock = rng.choice(["上午九点", "上午十点半", "下午两点", "下午三点", "下午四点半", "上午八点", "下午五点"])
    return rng.choice(["", "改到", "那就", "我想改到"]) + day + clock


def _money_zh(rng: random.Random) -> str:
    amount = rng.choice(["{}百{}十块", "{}千{}百块", "{}百块", "{}十{}块", "{}万块"])
    return amount.format(rng.choice(_ONES[2:]), rng.choice(_ONES[1:]))


def _time_en(rng: random.Random) -> str:
    day = rng.choice(["tomorrow", "the day after tomorrow", "next monday", "on friday", "next wednesday"])
    clock = rng.choice(["at nine in the morning", "at two in the afternoon", "at half past three", "at ten o'clock"])
    return f"{day} {clock}"


def write_speech(folder: Path, part: Part) -> None:
    """Both languages' sentences of ``part`` as WAV files with ``speech.tsv``, for ``agi-bot models calibrate``."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["path\tlanguage\ttranscript"]
    for language in _STEPS:
        for number, said in enumerate(asyncio.run(speak_all(language, part, times=2))):
            name = f"{language}-{number:04d}.wav"
            soundfile.write(folder / name, np.clip(np.rint(said.samples), -32768, 32767).astype(np.int16), LINE_RATE)
            rows.append(f"{name}\t{language}\t{said.text}")
    (folder / "speech.tsv").write_text("\n".join(rows) + "\n", "utf-8")


if __name__ == "__main__":
    write_speech(Path(sys.argv[1]), "tune")
