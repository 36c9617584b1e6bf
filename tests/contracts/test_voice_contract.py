"""The promise Voice, kept by every voice there is."""

import asyncio
import importlib.util
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from agi_bot.contracts import Voice
from agi_bot.errors import SpeechError
from agi_bot.shipped import shipped
from agi_bot.speech.coqui.onnx import OnnxVoice
from agi_bot.speech.coqui.voice import CoquiVoice
from agi_bot.speech.espeak import EspeakVoice
from agi_bot.speech.prompts import CachedVoice
from agi_bot.speech.worker.voice import WorkerVoice

pytestmark = pytest.mark.asyncio(loop_scope="module")

MISSING = [name for name in ("torch", "TTS") if importlib.util.find_spec(name) is None]
COQUI = (
    pytest.mark.coqui,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (pip install 'agi-bot[coqui]')"),
)


def espeak(_folder: Path) -> WorkerVoice:
    return EspeakVoice("zh-CN")


def onnx(_folder: Path) -> WorkerVoice:
    return OnnxVoice(shipped("models", "coqui-fixture", "onnx"))


def coqui(folder: Path) -> WorkerVoice:
    recipe = shipped("models", "coqui-fixture", "build.py")
    subprocess.run([sys.executable, str(recipe), str(folder / "model"), "zh"], check=True, capture_output=True)
    return CoquiVoice(folder / "model")


PAIRS = [
    pytest.param((espeak, False), id="espeak"),
    pytest.param((espeak, True), id="cached espeak"),
    pytest.param((onnx, False), id="onnx"),
    pytest.param((coqui, False), id="coqui", marks=COQUI),
    pytest.param((coqui, True), id="cached coqui", marks=COQUI),
]


@pytest_asyncio.fixture(params=PAIRS, scope="module", loop_scope="module")
async def voice(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Voice]:
    make, cached = request.param
    inner = make(tmp_path_factory.mktemp("voice"))
    await inner.start()
    try:
        yield CachedVoice(inner, tmp_path_factory.mktemp("cache")) if cached else inner
    finally:
        await inner.close()


async def ms_of(voice: Voice, text: str) -> float:
    return sum([frame.ms async for frame in voice.speak(text)])


async def test_it_tells_its_name_and_rate(voice: Voice) -> None:
    assert voice.name
    assert voice.rate == 8000


async def test_every_frame_has_its_rate_and_is_not_empty(voice: Voice) -> None:
    frames = [frame async for frame in voice.speak("您好，我是小林。您能来吗？")]
    assert all(frame.rate == voice.rate and frame.pcm for frame in frames)
    assert any(frame.samples.any() for frame in frames)


async def test_more_words_take_longer(voice: Voice) -> None:
    assert await ms_of(voice, "您好。") < await ms_of(voice, "您好，这里是市第一人民医院。")


async def test_the_same_text_can_be_spoken_again(voice: Voice) -> None:
    first = await ms_of(voice, "请稍等。")
    assert await ms_of(voice, "请稍等。") == pytest.approx(first, abs=60)


async def test_several_calls_at_once_each_hear_their_own(voice: Voice) -> None:
    texts = ["好。", "请您稍等一下。", "您好，这里是市第一人民医院的护士站。"]
    together = await asyncio.gather(*(ms_of(voice, text) for text in texts * 4))
    for index, text in enumerate(texts):
        alone = await ms_of(voice, text)
        assert together[index::3] == pytest.approx([alone] * 4, abs=60)


async def test_closing_the_iterator_ends_it_and_the_voice_goes_on(voice: Voice) -> None:
    for _ in range(10):
        async with aclosing(voice.speak("这是一段没有人会听完的话。" * 20)) as frames:  # type: ignore[type-var]
            assert (await anext(frames)).pcm
    async with asyncio.timeout(30):
        assert await ms_of(voice, "好。") > 100


async def test_cancelling_the_one_who_listens_ends_it(voice: Voice) -> None:
    listener = asyncio.create_task(ms_of(voice, "".join(f"第{n}句没有人会听完的话。" for n in range(200))))
    await asyncio.sleep(0.02)
    listener.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listener
    assert await ms_of(voice, "好。") > 100


REFUSED = {
    "nothing": "",
    "blank": " \n\t",
    "emoji": "😀👍🏽",
    "only marks": "……！？",
    "only a tag": "<break time='2s'/>",
    "control characters": "\x00\x07\x1b\x7f",
    "invisible characters": "\u200b\u200d\u2060\ufeff",
    "half a surrogate pair": "\ud83d",
    "not of Unicode": "\U0010ffff\ue000",
    "10,000 characters": "好" * 10_000,
    "5,001 characters": "a" * 5_001,
}
SPOKEN = {
    "words and emoji": "您好😀，请👍来",
    "words in tags": "<speak version='1.0'><prosody rate='slow'>您好</prosody></speak>",
    "a tag that is not closed": "您好<break time='",
    "something like a formula": "如果3<5并且7>2",
    "control characters": "您\x00好\x07，A/B\x1b[31m",
    "half a surrogate pair": "您好\ud83d，请稍等",
    "right to left marks": "您好\u202e，请稍等\u202c",
    "mixed scripts": "请看 Wi-Fi 和 café、привет、こんにちは",
    "full-width": "ＡＢＣ１２３，您好",
    "signs": "100%，第2个，¥2,350，A&B",
    "marks around": "！！您好！！",
    "a long number": "12345678901234567890123456789",
    "one letter": "a",
    "one digit": "7",
    "many marks": "您好" + "。" * 300 + "再见",
    "many lines": "您好\n" * 20,
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
async def test_text_that_cannot_be_spoken_is_refused_in_one_line(voice: Voice, text: str) -> None:
    with pytest.raises(SpeechError) as refused:
        await ms_of(voice, text)
    assert "too long" in refused.value.message if len(text) > 1000 else "nothing to speak" in refused.value.message
    assert "\n" not in refused.value.message
    assert len(refused.value.message) < 200


@pytest.mark.parametrize("text", SPOKEN.values(), ids=SPOKEN)
async def test_odd_text_is_spoken(voice: Voice, text: str) -> None:
    assert await ms_of(voice, text) > 50


async def test_the_longest_text_that_is_taken_begins_at_once_and_can_be_given_up(voice: Voice) -> None:
    async with asyncio.timeout(30), aclosing(voice.speak("一二三四五六七八九。" * 500)) as frames:  # type: ignore[type-var]
        assert (await anext(frames)).pcm
    async with asyncio.timeout(30):
        assert await ms_of(voice, "好。") > 100
