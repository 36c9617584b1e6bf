"""The embedded voice, the real library."""

import asyncio
import os
import signal
from contextlib import aclosing

import numpy as np
import pytest

from agi_bot.audio import Frame
from agi_bot.errors import ModelError, SpeechError
from agi_bot.speech.espeak import EspeakVoice, espeak_pool
from agi_bot.speech.line import active_level, to_wave
from agi_bot.speech.worker.voice import WorkerVoice


async def spoken(voice: WorkerVoice, text: str) -> Frame:
    return Frame(b"".join([frame.pcm async for frame in voice.speak(text)]), voice.rate)


@pytest.mark.parametrize(
    ("language", "text", "seconds"),
    [
        ("zh-CN", "您好，这里是市一医院。", (1.5, 4)),
        ("yue", "你好，我係市一醫院嘅護士。", (1.5, 4)),
        ("en", "Hello, this is the city hospital.", (1.2, 4)),
        ("zh-CN", "嗯", (0.1, 0.6)),
    ],
)
async def test_it_speaks_at_the_level_of_the_line(language: str, text: str, seconds: tuple[float, float]) -> None:
    voice = EspeakVoice(language)
    try:
        sound = await spoken(voice, text)
    finally:
        await voice.close()
    assert seconds[0] < sound.ms / 1000 < seconds[1]
    assert active_level(to_wave(sound), 8000) == pytest.approx(-20, abs=1.5)
    assert np.abs(sound.samples.astype(int)).max() <= 32768 * 10 ** (-3 / 20) + 1


async def test_frames_are_whole_multiples_of_20_ms() -> None:
    voice = EspeakVoice()
    try:
        lengths = {len(frame.pcm) async for frame in voice.speak("您好，我是小林。请问您是张先生吗？")}
    finally:
        await voice.close()
    assert all(length % 320 == 0 and 0 < length <= 5 * 1600 for length in lengths)


async def test_voices_share_one_helper_and_do_not_mix() -> None:
    pool = espeak_pool()
    voices = [
        EspeakVoice(language, variant=variant, pool=pool) for language in ("zh-CN", "en") for variant in ("f1", "m3")
    ]
    texts = ["您好，您能来吗？", "Good morning, can you come?"]
    try:
        alone = [(await spoken(voice, texts[i // 2])).ms for i, voice in enumerate(voices)]
        together = await asyncio.gather(
            *(spoken(voice, texts[i // 2]) for i, voice in enumerate(voices) for _ in range(5))
        )
    finally:
        await pool.close()
    for index, sound in enumerate(together):
        assert sound.ms == pytest.approx(alone[index // 5], abs=45)


async def test_speed_is_heard() -> None:
    pool = espeak_pool()
    try:
        slow = await spoken(EspeakVoice(speed=0.7, pool=pool), "今天天气很好我们去公园")
        fast = await spoken(EspeakVoice(speed=1.6, pool=pool), "今天天气很好我们去公园")
    finally:
        await pool.close()
    assert slow.ms > 1.5 * fast.ms


async def test_killed_in_mid_text_the_caller_hears_the_rest() -> None:
    voice = EspeakVoice()
    text = "第一句话。" * 12
    heard, killed = 0.0, False
    try:
        whole = (await spoken(voice, text)).ms
        async for frame in voice.speak(text):
            heard += frame.ms
            if not killed and heard > 2000:
                os.kill(voice._pool.pids[0], signal.SIGKILL)
                killed = True
                await asyncio.sleep(0)
    finally:
        await voice.close()
    assert heard == pytest.approx(whole, rel=0.05)


async def test_closing_in_mid_text_frees_the_voice() -> None:
    voice = EspeakVoice()
    try:
        async with aclosing(voice.speak("这句话没有人听完。" * 100)) as frames:  # type: ignore[type-var]
            async for _ in frames:
                break
        async with asyncio.timeout(30):
            assert (await spoken(voice, "好的")).ms > 100
    finally:
        await voice.close()


async def test_five_thousand_characters_are_spoken_a_sentence_ahead() -> None:
    voice = EspeakVoice(speed=2.5)
    try:
        sound = await spoken(voice, "一二三四五六七八九。" * 500)
    finally:
        await voice.close()
    assert sound.ms > 300_000


@pytest.mark.parametrize(
    "text",
    ["<speak>您好</speak>", "您好😀！", "[[_:_]]您好", "您好\x00\x01", "&lt;您好&gt;", "您好 'quoted' \"x\" `y`"],
)
async def test_odd_text_is_spoken(text: str) -> None:
    voice = EspeakVoice()
    try:
        assert (await spoken(voice, text)).ms > 200
    finally:
        await voice.close()


async def test_text_without_words_is_an_error() -> None:
    voice = EspeakVoice()
    try:
        with pytest.raises(SpeechError, match="nothing to speak"):
            await spoken(voice, "😀")
    finally:
        await voice.close()


async def test_an_unknown_variant_is_an_error_of_that_text_only() -> None:
    pool = espeak_pool()
    try:
        with pytest.raises(SpeechError, match="no voice variant 'nobody'"):
            await spoken(EspeakVoice(variant="nobody", pool=pool), "您好")
        with pytest.raises(SpeechError, match="no voice variant"):
            await spoken(EspeakVoice(variant="../../lang/roa/it", pool=pool), "您好")
        assert (await spoken(EspeakVoice(pool=pool), "您好")).ms > 200
    finally:
        await pool.close()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"language": "tlh"}, "does not speak 'tlh'"),
        ({"speed": 9.0}, "speed 9 is out of range"),
        ({"pitch": -1}, "pitch -1 is out"),
    ],
)
def test_settings_it_has_not(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SpeechError, match=message):
        EspeakVoice(**settings)  # type: ignore[arg-type]


async def test_after_close_and_a_kill_it_can_be_started_again() -> None:
    voice = EspeakVoice()
    try:
        await voice.start()
        await voice.close()
        assert (await spoken(voice, "您好")).ms > 200
    finally:
        await voice.close()


def test_the_key_tells_settings_apart() -> None:
    keys = {
        EspeakVoice(speed=s, variant=v, gain_db=g).key for s in (1.0, 1.2) for v in ("f1", "f2") for g in (0.0, 2.0)
    }
    assert len(keys) == 8


async def test_a_missing_library_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("espeakng_loader.get_library_path", lambda: "/nonexistent/libespeak-ng.so")
    with pytest.raises(ModelError, match="pip install"):
        EspeakVoice()
