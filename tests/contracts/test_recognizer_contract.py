"""What every recogniser promises: the fake one, and Vosk with the demo model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from agi_bot.audio import Frame, resample, split
from agi_bot.contracts import Hearing, Hints, Recognizer, Transcript
from agi_bot.errors import ModelError
from agi_bot.shipped import shipped
from agi_bot.speech.espeak import EspeakVoice
from agi_bot.speech.vosk import VoskRecognizer, VoskSettings
from agi_bot.testing import FakeRecognizer, hush, spoken

SENTENCE = "我那天没空"
ANSWER = "好的"


@dataclass(frozen=True)
class Bench:
    """A recogniser, and how speech sounds that it can hear."""

    recognizer: Recognizer
    say: Callable[[str], Awaitable[list[Frame]]]


async def fake() -> AsyncIterator[Bench]:
    async def say(text: str) -> list[Frame]:
        return [*hush(200), *spoken(text), *hush(300)]

    yield Bench(FakeRecognizer("zh-CN", "en"), say)


async def vosk() -> AsyncIterator[Bench]:
    async for bench in vosk_with(VoskSettings()):
        yield bench


async def vosk_with_hints() -> AsyncIterator[Bench]:
    async for bench in vosk_with(VoskSettings(hints="prefer")):
        yield bench


async def vosk_with(settings: VoskSettings) -> AsyncIterator[Bench]:
    demo = shipped("models", "demo")
    recognizer = VoskRecognizer({"zh-CN": demo, "en": demo}, settings)
    await recognizer.start()
    voice = EspeakVoice("zh-CN")

    async def say(text: str) -> list[Frame]:
        sound = b"".join([frame.pcm async for frame in voice.speak(text)])
        return [*hush(200), *split(Frame(sound)), *hush(300)]

    yield Bench(recognizer, say)
    await voice.close()
    await recognizer.stop()


@pytest.fixture(params=[fake, vosk, vosk_with_hints], ids=["fake", "vosk", "vosk-hints"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async for made in request.param():
        yield made


async def hear(ear: Hearing, frames: list[Frame]) -> list[Transcript]:
    return [await ear.hear(frame) for frame in frames]


async def test_it_has_a_name(bench: Bench) -> None:
    assert bench.recognizer.name


async def test_partials_grow_into_the_final_text(bench: Bench) -> None:
    ear = await bench.recognizer.open(language="zh-CN")
    partials = await hear(ear, await bench.say(SENTENCE))
    final = await ear.finish()
    assert not any(partial.final for partial in partials)
    assert partials[0].text == ""
    assert len({partial.text for partial in partials}) > 2
    assert (final.text, final.final, partials[-1].text) == (SENTENCE, True, SENTENCE)
    assert 0.5 < final.confidence <= 1.0
    await ear.close()


async def test_words_carry_times_of_the_calls_sound(bench: Bench) -> None:
    ear = await bench.recognizer.open(language="zh-CN")
    first, second = await bench.say(SENTENCE), await bench.say(ANSWER)
    await hear(ear, first)
    before = await ear.finish()
    ear.skip(5000)
    await hear(ear, second)
    after = await ear.finish()
    length = sum(frame.ms for frame in first)
    assert 100 <= before.words[0].start_ms <= 400
    assert before.words[-1].end_ms <= length
    assert length + 5000 + 100 <= after.words[0].start_ms <= length + 5000 + 400
    assert all(word.start_ms <= word.end_ms for word in (*before.words, *after.words))
    await ear.close()


async def test_the_text_settles_when_the_caller_falls_silent_and_may_go_on(bench: Bench) -> None:
    ear = await bench.recognizer.open(language="zh-CN")
    first, second = await bench.say(SENTENCE), await bench.say(ANSWER)
    await hear(ear, first[:-5])
    settled = await ear.settle()
    assert (settled.text, settled.final) == (SENTENCE, False)
    await hear(ear, first[-5:] + second)
    final = await ear.finish()
    assert final.text == SENTENCE + ANSWER
    start = sum(frame.ms for frame in first) + 200
    assert abs(final.words[-1].end_ms - start) < sum(frame.ms for frame in second)
    assert start - 150 <= next(word for word in final.words if ANSWER.startswith(word.text)).start_ms <= start + 200
    await ear.close()


async def test_nothing_settles_before_anything_was_heard(bench: Bench) -> None:
    ear = await bench.recognizer.open(language="zh-CN")
    assert (await ear.settle()).text == ""
    await ear.close()


async def test_the_ear_is_ready_for_the_next_utterance(bench: Bench) -> None:
    ear = await bench.recognizer.open(language="zh-CN")
    heard = []
    for text in (ANSWER, SENTENCE, ANSWER):
        await hear(ear, await bench.say(text))
        heard.append((await ear.finish()).text)
    assert heard == [ANSWER, SENTENCE, ANSWER]
    await ear.close()


async def test_silence_is_no_text(bench: Bench) -> None:
    ear = await bench.recognizer.open(language="zh-CN")
    partials = await hear(ear, hush(2000))
    final = await ear.finish()
    assert {partial.text for partial in partials} == {""}
    assert (final.text, final.final, final.words) == ("", True, ())
    await ear.close()


async def test_nothing_at_all_is_no_text(bench: Bench) -> None:
    ear = await bench.recognizer.open(language="zh-CN")
    assert (await ear.finish()).text == ""
    assert (await ear.finish()).text == ""
    await ear.close()


async def test_hints_may_change_between_utterances_and_in_the_middle(bench: Bench) -> None:
    ear = await bench.recognizer.open(language="zh-CN", hints=Hints((ANSWER,)))
    await ear.expect(Hints((SENTENCE, "听不懂的话")))
    frames = await bench.say(SENTENCE)
    await hear(ear, frames[:30])
    await ear.expect(Hints())
    await hear(ear, frames[30:])
    assert (await ear.finish()).text == SENTENCE
    await ear.close()


async def test_ears_do_not_mix_what_they_hear(bench: Bench) -> None:
    async def listen(text: str) -> str:
        ear = await bench.recognizer.open(language="zh-CN")
        await hear(ear, await bench.say(text))
        text = (await ear.finish()).text
        await ear.close()
        return text

    texts = [SENTENCE, ANSWER, SENTENCE, ANSWER, SENTENCE, ANSWER]
    assert await asyncio.gather(*map(listen, texts)) == texts


async def test_an_ear_may_be_closed_twice_and_in_the_middle(bench: Bench) -> None:
    ear = await bench.recognizer.open(language="zh-CN")
    await hear(ear, (await bench.say(SENTENCE))[:20])
    await ear.close()
    await ear.close()


async def test_an_unknown_language_is_told(bench: Bench) -> None:
    with pytest.raises(ModelError, match="tlh"):
        await bench.recognizer.open(language="tlh")


async def test_hearing_can_be_cancelled_and_the_ear_closed(bench: Bench) -> None:
    ear = await bench.recognizer.open(language="zh-CN")
    frames = await bench.say(SENTENCE)
    listening = asyncio.create_task(hear(ear, frames * 20))
    await asyncio.sleep(0.01)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await ear.close()


async def test_vosk_hears_sound_of_any_rate() -> None:
    async for bench in vosk():
        ear = await bench.recognizer.open(language="zh-CN")
        whole = Frame(b"".join(frame.pcm for frame in await bench.say(SENTENCE)))
        await hear(ear, list(split(resample(whole, 16000))))
        assert (await ear.finish()).text == SENTENCE
        await ear.close()
