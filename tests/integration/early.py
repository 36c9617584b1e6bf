"""What the tests of early media share: announcements as sound, and the real ear that hears them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import soundfile as sf

from agi_bot.app.answering import EarlyMedia
from agi_bot.audio import LINE_RATE, Frame
from agi_bot.contracts import EARLY_MEDIA, Disposition, Pbx
from agi_bot.conversation import Engines, HttpHooks
from agi_bot.shipped import shipped
from agi_bot.speech.answering import AnswerRules
from agi_bot.speech.espeak import EspeakVoice
from agi_bot.speech.vad import VadBatcher
from agi_bot.speech.vad.model import find_model
from agi_bot.speech.vosk import VoskRecognizer
from agi_bot.testing import FakeInterpreter

EMPTY = "您好，您拨打的号码是空号，请核对后再拨。"
OFF = "您好，您拨打的用户已关机，请稍后再拨。"


async def announcement(text: str, folder: Path) -> Path:
    """``text`` spoken into a WAV file."""
    voice = EspeakVoice("zh-CN", variant="f2")
    await voice.start()
    try:
        pcm = b"".join([frame.pcm async for frame in voice.speak(text)])
    finally:
        await voice.close()
    path = folder / "announcement.wav"
    sf.write(path, Frame(pcm).samples, LINE_RATE, subtype="PCM_16")
    return path


@asynccontextmanager
async def ears() -> AsyncIterator[Engines]:
    """Real voice activity and the real recogniser with the demo model."""
    recognizer = VoskRecognizer({"zh-CN": shipped("models", "demo")})
    await recognizer.start()
    try:
        yield Engines(recognizer, FakeInterpreter({}), _mute, VadBatcher(find_model()[0]), HttpHooks({}))
    finally:
        await recognizer.stop()


def _mute(name: str, language: str):  # type: ignore[no-untyped-def]
    raise AssertionError("nothing is said here")


async def call(pbx: Pbx, number: str, folder: Path, engines: Engines, ring_s: float = 15) -> tuple[Disposition, Path]:
    """Place a call and listen to what comes before its answer: how it ended, and the file."""
    early = EarlyMedia(folder)
    call_id = str(uuid4())
    file = early.file(call_id, AnswerRules())
    assert file is not None
    attempt = await pbx.originate(
        number, call_id=call_id, ring_timeout_s=ring_s, variables={EARLY_MEDIA: str(file), "BOT_FLOW": "contract"}
    )
    ended = await asyncio.wait_for(attempt.outcome(), ring_s + 10)
    return await early.corrected(ended, file, engines, "zh-CN"), file
