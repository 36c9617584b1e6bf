"""Real Vosk hears what our voice says: through the line's codec, in both languages."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio

from agi_bot.audio import Frame, mulaw_decode, mulaw_encode, silence, split
from agi_bot.contracts import Hints
from agi_bot.shipped import shipped
from agi_bot.speech.espeak import EspeakVoice, espeak_pool
from agi_bot.speech.vosk import VoskRecognizer
from agi_bot.speech.worker.pool import WorkerPool
from agi_bot.speech.worker.voice import WorkerVoice
from agi_bot.spoken import say_value

CHINESE = (
    "可以",
    "明天上午十点",
    "我没时间",
    "改时间",
    "打错了",
    "请再说一遍",
    "后天下午三点",
    "再见",
    "不感兴趣",
    "好的谢谢",
)
ENGLISH = ("yes", "goodbye", "i am busy", "wrong number", "tomorrow morning", "can you repeat that", "no thanks")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ears() -> AsyncIterator[VoskRecognizer]:
    model = shipped("models", "demo")
    recognizer = VoskRecognizer({"zh-CN": model, "en": model})
    await recognizer.start()
    yield recognizer
    await recognizer.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mouth() -> AsyncIterator[WorkerPool]:
    pool = espeak_pool()
    yield pool
    await pool.close()


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def heard(ears: VoskRecognizer, voice: WorkerVoice, text: str, hints: Hints = Hints()) -> str:  # noqa: B008
    hearing = await ears.open(language=voice.language, hints=hints)
    spoken = b"".join([frame.pcm async for frame in voice.speak(text)])
    line = mulaw_decode(mulaw_encode(Frame(spoken).samples)).astype("<i2").tobytes()
    for frame in split(Frame(silence(300).pcm + line + silence(600).pcm)):
        await hearing.hear(frame)
    result = (await hearing.finish()).text
    await hearing.close()
    return result.replace(" ", "") if voice.language.startswith("zh") else result


@pytest.mark.parametrize("variant", ["f3", "m3"])
async def test_mandarin_is_understood(ears: VoskRecognizer, mouth: WorkerPool, variant: str) -> None:
    voice = EspeakVoice("zh-CN", variant=variant, pool=mouth)
    right = [text for text in CHINESE if await heard(ears, voice, text) == text]
    assert len(right) >= len(CHINESE) - 1, right


@pytest.mark.parametrize("variant", ["f3", "m3"])
async def test_english_is_understood(ears: VoskRecognizer, mouth: WorkerPool, variant: str) -> None:
    voice = EspeakVoice("en", variant=variant, pool=mouth)
    right = [text for text in ENGLISH if await heard(ears, voice, text) == text]
    assert len(right) >= len(ENGLISH) - 1, right


async def test_the_next_one_is_not_heard_in_its_place(ears: VoskRecognizer, mouth: WorkerPool) -> None:
    voice = EspeakVoice("zh-CN", pool=mouth)
    assert await heard(ears, voice, "不可以") != await heard(ears, voice, "可以")


async def test_a_said_number_is_heard_digit_by_digit(ears: VoskRecognizer, mouth: WorkerPool) -> None:
    voice = EspeakVoice("zh-CN", speed=0.9, pool=mouth)
    said = say_value("13802457", "phone", "zh-CN")
    assert (await heard(ears, voice, said)).replace("一", "幺") == said.replace("，", "")


async def test_a_said_amount_is_heard(ears: VoskRecognizer, mouth: WorkerPool) -> None:
    voice = EspeakVoice("zh-CN", speed=0.9, pool=mouth)
    said = say_value(Decimal(350), "money", "zh-CN")
    assert await heard(ears, voice, said) in (said, said.replace("元", "块"), said.replace("两", "二"))
