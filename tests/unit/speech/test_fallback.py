"""When a voice fails, another one speaks on."""

from contextlib import aclosing

import pytest
from scripted import ScriptedVoice, sound_of

from agi_bot.errors import EngineDown
from agi_bot.speech.fallback import FallbackVoice
from agi_bot.speech.prompts import CachedVoice, Part

PAUSE = bytes(2 * 8 * 320)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def pair(fail_on: str = "坏", second_fails_on: str = "") -> tuple[FallbackVoice, ScriptedVoice, ScriptedVoice, Clock]:
    first, second, clock = (
        ScriptedVoice("first", fail_on=fail_on),
        ScriptedVoice("second", fail_on=second_fails_on),
        Clock(),
    )
    voice = FallbackVoice(CachedVoice(first, None), CachedVoice(second, None), rest_s=10, clock=clock)
    return voice, first, second, clock


async def heard(voice: FallbackVoice, prompt: str | list[Part]) -> bytes:
    return b"".join([frame.pcm async for frame in voice.speak_parts(prompt)])


async def test_while_the_first_is_well_the_second_is_silent() -> None:
    voice, _, second, _ = pair()
    assert await heard(voice, "您好。再见。") == sound_of("您好。") + PAUSE + sound_of("再见。")
    assert second.spoken == []


async def test_the_second_speaks_on_from_the_sentence_that_failed() -> None:
    voice, _, second, _ = pair()
    assert await heard(voice, "您好。坏了。再见。") == sound_of("您好。") + PAUSE + sound_of(
        "坏了。"
    ) + PAUSE + sound_of("再见。")
    assert second.spoken == ["坏了。", "再见。"]
    assert voice.failures == 1


async def test_a_voice_that_failed_rests_and_comes_back() -> None:
    voice, first, second, clock = pair()
    await heard(voice, "坏。")
    await heard(voice, "好。")
    assert second.spoken == ["坏。", "好。"]
    clock.now += 11
    await heard(voice, "行。")
    assert first.spoken == ["坏。", "行。"]


async def test_what_the_first_has_in_its_cache_it_speaks_while_it_rests() -> None:
    voice, _, second, _ = pair()
    await heard(voice, "您好。")
    await heard(voice, "坏。")
    await heard(voice, "您好。")
    assert second.spoken == ["坏。"]


async def test_when_both_fail_it_is_an_error() -> None:
    voice, _, _, _ = pair(second_fails_on="坏")
    with pytest.raises(EngineDown):
        await heard(voice, "坏。")


async def test_frames_tell_their_unit_across_the_change() -> None:
    voice, _, _, _ = pair()
    plan = voice.plan([Part("好。"), Part("坏。"), Part("行。")])
    told = [(index, frame.pcm) async for index, frame in voice.speak_planned(plan)]
    assert sorted({index for index, _ in told}) == [0, 1, 2]
    assert b"".join(pcm for index, pcm in told if index == 2) == sound_of("行。")


async def test_closing_closes_whoever_speaks() -> None:
    voice, _, second, _ = pair()
    async with aclosing(voice.speak("坏" + "一" * 50)) as frames:  # type: ignore[type-var]
        await anext(frames)
    assert second.spoken == ["坏" + "一" * 50]


async def test_a_first_voice_that_does_not_start_is_no_error() -> None:
    voice, first, second, _ = pair()

    async def broken() -> None:
        raise EngineDown("no model")

    first.start = broken  # type: ignore[method-assign]
    await voice.start()
    assert second.started == 1
    await heard(voice, "好。")
    assert second.spoken == ["好。"]
    await voice.close()
    assert (first.closed, second.closed) == (1, 1)


async def test_a_voice_that_is_too_slow_has_failed() -> None:
    slow, quick = ScriptedVoice("slow", pause_s=5), ScriptedVoice("quick")
    voice = FallbackVoice(CachedVoice(slow, None), CachedVoice(quick, None), wait_s=0.05)
    assert await heard(voice, "您好。") == sound_of("您好。")
    assert quick.spoken == ["您好。"]
    assert voice.failures == 1
