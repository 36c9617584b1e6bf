"""Text that is still being written."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import ScriptedVoice, sound_of

from agi_bot.speech.streaming import Gatherer, speak_stream


async def written(*chunks: str, pause_s: float = 0.0) -> AsyncIterator[str]:
    for chunk in chunks:
        await asyncio.sleep(pause_s)
        yield chunk


def test_sentences_are_given_out_when_the_next_one_begins() -> None:
    gatherer = Gatherer()
    assert gatherer.push("您好，我") == []
    assert gatherer.push("是小林。请") == ["您好，我是小林。"]
    assert gatherer.rest() == ["请"]
    assert gatherer.rest() == []


def test_a_long_sentence_is_given_out_at_a_comma() -> None:
    gatherer = Gatherer()
    assert gatherer.push("这是一句" * 20) == []
    assert gatherer.push("，后面") == ["这是一句" * 20 + "，"]


@given(st.lists(st.text(alphabet="好a1 ，。.!\n", max_size=80), max_size=8))
def test_no_letter_is_lost(chunks: list[str]) -> None:
    gatherer = Gatherer()
    made = [sentence for chunk in chunks for sentence in gatherer.push(chunk)] + gatherer.rest()
    assert "".join(c for s in made for c in s if c.isalnum()) == "".join(c for s in chunks for c in s if c.isalnum())


async def test_the_first_sentence_is_spoken_before_the_last_is_written() -> None:
    voice = ScriptedVoice()
    async with aclosing(speak_stream(voice, written("您好。", "今天", "天气", "好。", pause_s=0.03))) as frames:  # type: ignore[type-var]
        await anext(frames)
        assert voice.spoken == ["您好。"]


async def test_all_of_it_is_spoken() -> None:
    voice = ScriptedVoice()
    sound = b"".join([frame.pcm async for frame in speak_stream(voice, written("您", "好。再", "见。"))])
    assert sound == sound_of("您好。") + bytes(2 * 8 * 320) + sound_of("再见。")


async def test_what_the_writer_raises_comes_after_what_it_wrote() -> None:
    async def breaks() -> AsyncIterator[str]:
        yield "您好。再"
        raise ConnectionError("gone")

    voice = ScriptedVoice()
    with pytest.raises(ConnectionError):
        async for _ in speak_stream(voice, breaks()):
            pass
    assert voice.spoken == ["您好。"]


async def test_closing_stops_the_writer() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[str]:
        try:
            while True:
                yield "一句话。"
                await asyncio.sleep(0.001)
        finally:
            closed.set()

    async with aclosing(speak_stream(ScriptedVoice(), endless())) as frames:  # type: ignore[type-var]
        await anext(frames)
    async with asyncio.timeout(30):
        await closed.wait()
