"""The mouth on a line that reads ahead: a false interruption loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator

import numpy as np

from agi_bot.audio import FRAME_MS, Frame
from agi_bot.conversation.mouth import REWIND_MS, Mouth
from agi_bot.conversation.prompt import Prompt
from agi_bot.flow.events import PromptCut, PromptEnded, Say, Span
from agi_bot.testing import FakeCall, VirtualTimeLoop

COUNT = 200
AHEAD = 60
"""Frames that the line takes before the caller hears them: 1.2 s."""


class Counting:
    """A voice whose frames can be told apart by their level."""

    name = "counting"
    rate = 8000

    async def speak(self, text: str) -> AsyncIterator[Frame]:
        for number in range(1, COUNT + 1):
            yield Frame(np.full(160, number, dtype="<i2").tobytes())


class FarCall(FakeCall):
    """Takes :data:`AHEAD` frames at once; what the caller has not heard is lost with a cancelled play."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[int] = []
        self._held: list[Frame] = []

    async def play(self, frames: AsyncIterable[Frame]) -> None:
        try:
            async for frame in frames:
                self._held.append(frame)
                self.unheard_ms = len(self._held) * FRAME_MS
                if len(self._held) >= AHEAD:
                    await self._pass_one()
            while self._held:
                await self._pass_one()
        finally:
            self._held.clear()
            self.unheard_ms = 0

    async def _pass_one(self) -> None:
        await asyncio.sleep(FRAME_MS / 1000)
        self.heard.append(int(self._held.pop(0).samples[0]))
        self.unheard_ms = len(self._held) * FRAME_MS


def talk(work) -> None:
    loop = VirtualTimeLoop()
    try:
        loop.run_until_complete(work())
    finally:
        loop.close()


def begun(call: FarCall, *spans: Span) -> tuple[Mouth, Prompt, list[object], asyncio.Task[None]]:
    reports: list[object] = []
    mouth = Mouth(call, reports.append, lambda *_: None)
    prompt = Prompt(Say(1, spans or (Span("您好"),)), Counting(), 8000)
    prompt.start()
    mouth.say(prompt)
    return mouth, prompt, reports, asyncio.create_task(mouth.run())


def test_after_a_false_interruption_every_frame_is_heard() -> None:
    async def work() -> None:
        call = FarCall()
        mouth, _, reports, running = begun(call)
        await asyncio.sleep(0.5)
        last = call.heard[-1]
        assert mouth.pause()
        await asyncio.sleep(0.3)
        assert call.heard[-1] == last
        mouth.resume()
        await mouth.quiet()
        assert set(call.heard) == set(range(1, COUNT + 1))
        again = call.heard[call.heard.index(last) + 1 :][0]
        assert last - REWIND_MS // FRAME_MS <= again <= last + 1
        assert reports == [PromptEnded(1)]
        running.cancel()

    talk(work)


def test_a_cut_tells_the_words_that_were_heard_not_those_that_were_sent() -> None:
    async def work() -> None:
        call = FarCall()
        mouth, prompt, _, running = begun(call, Span("一二三四五六七八九十"))
        await asyncio.sleep(1.0)
        assert prompt.position > AHEAD + 40
        assert mouth.cut() == PromptCut(1, round(10 * len(call.heard) / COUNT))
        running.cancel()

    talk(work)


def test_what_is_protected_is_heard_to_its_end_although_it_was_sent_before() -> None:
    async def work() -> None:
        call = FarCall()
        mouth, _, reports, running = begun(call, Span("一二", protected=True), Span("三四"))
        await asyncio.sleep(COUNT * 0.02 - 0.5)
        assert not mouth.pause()
        assert mouth.cut() is None
        await mouth.quiet()
        assert set(range(1, COUNT + 1)) <= set(call.heard[:COUNT])
        assert reports == [PromptEnded(1)]
        running.cancel()

    talk(work)


def test_a_pause_and_a_cut_in_one_go_leave_what_is_protected() -> None:
    async def work() -> None:
        call = FarCall()
        mouth, _, reports, running = begun(call, Span("一二"), Span("三四", protected=True))
        await asyncio.sleep(0.5)
        assert mouth.pause()
        assert mouth.cut() is None
        await mouth.quiet()
        assert call.heard[-COUNT:] == list(range(1, COUNT + 1))
        assert reports == [PromptEnded(1)]
        running.cancel()

    talk(work)


def test_a_pause_just_after_the_last_frame_does_not_mute_the_next_prompt() -> None:
    async def work() -> None:
        call = FarCall()
        mouth, _, reports, running = begun(call)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        playing = mouth._playing
        assert playing is not None
        paused: list[bool] = []
        playing.add_done_callback(lambda _: paused.append(mouth.pause()))
        await mouth.quiet()
        assert paused == [True]
        again = Prompt(Say(2, (Span("再见"),)), Counting(), 8000)
        again.start()
        mouth.say(again)
        async with asyncio.timeout(60):
            await mouth.quiet()
        assert len(call.heard) == 2 * COUNT
        assert reports == [PromptEnded(1), PromptEnded(2)]
        running.cancel()

    talk(work)
