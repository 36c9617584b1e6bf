"""A cached voice: rendered once, heard by all, nothing personal on the disk."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from scripted import ScriptedVoice, sound_of

from agi_bot.errors import EngineDown, SpeechError
from agi_bot.speech.prompts import CachedVoice, Part, Progress, Recording, Recordings

PAUSE = bytes(2 * 8 * 320)


async def heard(voice: CachedVoice, prompt: str | list[Part]) -> bytes:
    return b"".join([frame.pcm async for frame in voice.speak_parts(prompt)])


async def test_the_second_time_nothing_is_rendered(tmp_path: Path) -> None:
    inner = ScriptedVoice()
    voice = CachedVoice(inner, tmp_path)
    assert await heard(voice, "您好。") == await heard(voice, "您好。") == sound_of("您好。")
    assert inner.spoken == ["您好。"]
    assert voice.readiness.ready == 1
    assert voice.readiness.waited == 1
    assert voice.readiness.share == 0.5


async def test_a_rendered_prompt_is_ready_after_a_restart(tmp_path: Path) -> None:
    await CachedVoice(ScriptedVoice(), tmp_path).render(["您好。再见。"])
    inner = ScriptedVoice()
    voice = CachedVoice(inner, tmp_path)
    assert await voice.ready("您好。再见。")
    assert await heard(voice, "您好。再见。") == sound_of("您好。") + PAUSE + sound_of("再见。")
    assert inner.spoken == []


async def test_what_was_only_spoken_is_not_kept(tmp_path: Path) -> None:
    await heard(CachedVoice(ScriptedVoice(), tmp_path), "张伟您好。")
    assert list(tmp_path.rglob("*.pcm")) == []


async def test_of_a_mixed_prompt_the_fixed_part_is_kept(tmp_path: Path) -> None:
    prompt = [Part("您好，"), Part("张伟", fixed=False), Part("，这里是医院。")]
    voice = CachedVoice(ScriptedVoice(), tmp_path)
    await heard(voice, prompt)
    assert len(list(tmp_path.rglob("*.pcm"))) == 2
    inner = ScriptedVoice()
    await heard(CachedVoice(inner, tmp_path), [Part("您好，"), Part("李丽", fixed=False), Part("，这里是医院。")])
    assert inner.spoken == ["李丽，"]


async def test_rendering_for_one_call_keeps_nothing(tmp_path: Path) -> None:
    voice = CachedVoice(ScriptedVoice(), tmp_path)
    await voice.render(["张伟您好。"], keep=False)
    assert await voice.ready("张伟您好。")
    assert list(tmp_path.rglob("*.pcm")) == []


async def test_rendering_keeps_what_memory_already_holds(tmp_path: Path) -> None:
    inner = ScriptedVoice()
    voice = CachedVoice(inner, tmp_path)
    await heard(voice, "您好。")
    await voice.render(["您好。"])
    assert len(inner.spoken) == 1
    assert len(list(tmp_path.rglob("*.pcm"))) == 1


async def test_another_key_is_another_prompt(tmp_path: Path) -> None:
    await CachedVoice(ScriptedVoice("fast"), tmp_path).render(["您好。"])
    assert not await CachedVoice(ScriptedVoice("slow"), tmp_path).ready("您好。")


async def test_many_at_once_render_once() -> None:
    inner = ScriptedVoice(pause_s=0.002)
    voice = CachedVoice(inner, None)
    sounds = await asyncio.gather(*(heard(voice, "同一句话。") for _ in range(20)))
    assert set(sounds) == {sound_of("同一句话。")}
    assert inner.spoken == ["同一句话。"]


async def test_who_joins_late_hears_it_from_the_start() -> None:
    inner = ScriptedVoice(pause_s=0.01)
    voice = CachedVoice(inner, None)
    first = asyncio.create_task(heard(voice, "一二三四五六七八。"))
    await asyncio.sleep(0.04)
    assert await heard(voice, "一二三四五六七八。") == await first
    assert len(inner.spoken) == 1


async def test_the_first_frame_comes_before_the_last_is_made() -> None:
    inner = ScriptedVoice(pause_s=0.01)
    voice = CachedVoice(inner, None)
    async with aclosing(voice.speak("一" * 100)) as frames:  # type: ignore[type-var]
        assert (await anext(frames)).ms == 20
        assert voice._running, "the rest is still being made"


async def test_when_the_last_listener_leaves_the_work_stops() -> None:
    inner = ScriptedVoice(pause_s=0.005)
    voice = CachedVoice(inner, None)
    async with aclosing(voice.speak("一" * 100)) as frames:  # type: ignore[type-var]
        await anext(frames)
    async with asyncio.timeout(30):
        while voice._running:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    assert not await voice.ready("一" * 100)
    assert await heard(voice, "一" * 100) == sound_of("一" * 100)


async def test_when_one_of_two_leaves_the_other_hears_all() -> None:
    inner = ScriptedVoice(pause_s=0.002)
    voice = CachedVoice(inner, None)
    stays = asyncio.create_task(heard(voice, "一二三四五六。"))
    await asyncio.sleep(0.004)
    async with aclosing(voice.speak("一二三四五六。")) as frames:  # type: ignore[type-var]
        await anext(frames)
    assert await stays == sound_of("一二三四五六。")


async def test_who_comes_while_a_cancelled_rendering_dies_gets_a_new_one() -> None:
    inner = ScriptedVoice(pause_s=0.002)
    voice = CachedVoice(inner, None)
    frames = voice.speak("一二三四五六。")
    await anext(frames)
    await frames.aclose()  # type: ignore[attr-defined]
    assert await heard(voice, "一二三四五六。") == sound_of("一二三四五六。")
    assert len(inner.spoken) == 2


async def test_the_next_sentence_is_made_while_the_first_is_spoken() -> None:
    inner = ScriptedVoice()
    async with aclosing(CachedVoice(inner, None).speak("一。二。三。四。")) as frames:  # type: ignore[type-var]
        await anext(frames)
        async with asyncio.timeout(30):
            while len(inner.spoken) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert inner.spoken == ["一。", "二。"]


async def test_a_failure_reaches_everybody_and_is_not_kept(tmp_path: Path) -> None:
    voice = CachedVoice(ScriptedVoice(fail_on="坏", pause_s=0.001), tmp_path)
    results = await asyncio.gather(*(heard(voice, "好坏。") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(result, EngineDown) for result in results)
    assert not await voice.ready("好坏。")


async def test_render_reports_progress_what_was_new_and_what_failed(tmp_path: Path) -> None:
    voice = CachedVoice(ScriptedVoice(fail_on="坏"), tmp_path)
    await voice.render(["您好。"])
    seen: list[Progress] = []
    report = await voice.render(["您好。", "再见。", "坏。", "😀"], progress=seen.append)
    assert (report.rendered, report.already) == (1, 1)
    assert [text for text, _ in report.failed] == ["坏。", "😀"]
    assert "nothing to speak" in report.failed[1][1]
    assert [(p.index, p.total, p.was_ready) for p in seen] == [
        (1, 4, True),
        (2, 4, False),
        (3, 4, False),
        (4, 4, False),
    ]


async def test_rendering_does_not_count_as_waiting() -> None:
    voice = CachedVoice(ScriptedVoice(), None)
    await voice.render(["您好。"])
    assert voice.readiness.share == 1.0
    assert voice.readiness.ready == 0


async def test_an_own_recording_takes_the_place_of_a_prompt() -> None:
    inner = ScriptedVoice()
    pcm = b"\1\0" * 800
    voice = CachedVoice(inner, None, recordings=Recordings({"您好！": Recording(pcm)}))
    assert await heard(voice, "您好。") == pcm
    assert await voice.ready("您好")
    assert await heard(voice, "您好。再见。") == pcm + PAUSE + sound_of("再见。")
    assert (await voice.render(["您好", "您好。再见。"])).already == 2
    assert inner.spoken == ["再见。"]


async def test_text_that_cannot_be_spoken_is_an_error() -> None:
    with pytest.raises(SpeechError, match="nothing to speak"):
        await heard(CachedVoice(ScriptedVoice(), None), "。")


async def test_start_and_close_go_to_the_inner_voice() -> None:
    inner = ScriptedVoice()
    voice = CachedVoice(inner, None)
    await voice.start()
    await voice.close()
    assert (inner.started, inner.closed) == (1, 1)
    assert (voice.name, voice.rate, voice.language) == ("scripted", 8000, "zh-CN")


async def test_frames_tell_their_unit() -> None:
    voice = CachedVoice(ScriptedVoice(), None)
    plan = voice.plan([Part("您好。"), Part("请注意。", protected=True)])
    told = [(index, frame.pcm) async for index, frame in voice.speak_planned(plan)]
    assert b"".join(pcm for index, pcm in told if index == 0) == sound_of("您好。") + PAUSE
    assert b"".join(pcm for index, pcm in told if index == 1) == sound_of("请注意。")
    assert [unit.protected for unit in plan] == [False, True]


async def test_rendering_for_keeps_leaves_out_what_differs_in_every_call(tmp_path: Path) -> None:
    inner = ScriptedVoice()
    await CachedVoice(inner, tmp_path).render([[Part("您好，"), Part("某", fixed=False), Part("，请来。")]])
    assert inner.spoken == ["您好，", "请来。"]


async def test_a_recording_of_the_whole_prompt_is_one_unit() -> None:
    voice = CachedVoice(ScriptedVoice(), None, recordings=Recordings({"您好。再见。": Recording(bytes(320))}))
    assert [(unit.text, unit.pause_ms) for unit in voice.plan("您好。再见。")] == [("您好。再见。", 0)]
