"""The simulated person: lines of a scenario as sound, and a telephone that plays them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import soundfile as sf

from agi_bot.audio import LINE_RATE, Frame, Samples
from agi_bot.demo.phone.patient import Patient, Say
from agi_bot.demo.phone.softphone import Softphone
from agi_bot.demo.scenario import Scenario
from agi_bot.speech.espeak import EspeakVoice


async def record_lines(scenario: Scenario, folder: Path) -> list[Say]:
    """Speak the person's lines into WAV files in ``folder`` (8 kHz, 16 bit) and load them as acts."""
    voice = EspeakVoice(scenario.language, variant=scenario.variant, speed=0.95)
    folder.mkdir(parents=True, exist_ok=True)
    await voice.start()
    try:
        return [await _record(voice, line, folder / f"person-{n}.wav") for n, line in enumerate(scenario.lines, 1)]
    finally:
        await voice.close()


async def _record(voice: EspeakVoice, line: str, path: Path) -> Say:
    pcm = b"".join([frame.pcm async for frame in voice.speak(line)])
    sound = Frame(pcm, LINE_RATE)
    sf.write(path, sound.samples, LINE_RATE, subtype="PCM_16")
    return Say(sound, line)


@asynccontextmanager
async def answering_once(phone: Softphone, patient: Patient, tape: Path) -> AsyncIterator[None]:
    """The next call that rings on ``phone`` inside the block is answered; at its end ``tape`` is written."""
    answering = asyncio.create_task(answer_one_call(phone, patient, tape))
    try:
        yield
        await asyncio.wait_for(answering, 10)
    finally:
        answering.cancel()


def quiet_room(level: float = 12.0) -> Callable[[int], Samples]:
    """Soft noise (rms ``level`` of 32768): a line of digital silence is taken for a dead one, and is none."""
    noise = np.random.default_rng(0)
    return lambda size: noise.normal(0.0, level, size).astype(np.int16)


async def answer_one_call(phone: Softphone, patient: Patient, tape: Path) -> None:
    """Take the next call that rings on ``phone``, play ``patient``, and keep both sides on ``tape``."""
    call = await phone.incoming()
    call.line.background = quiet_room()
    await call.answer()
    await patient.talk(call)
    call.save(tape)
