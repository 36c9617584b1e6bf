"""What reaches the recogniser, and what does not."""

from __future__ import annotations

import numpy as np

from agi_bot.audio import Frame
from agi_bot.contracts import Hints, Transcript
from agi_bot.conversation.ear import Ear
from agi_bot.speech.signals import Signal
from agi_bot.speech.vad import EnergyModel, VadBatcher

LOUD = np.random.default_rng(4).normal(0, 6000, 160).astype("<i2").tobytes()
QUIET = np.random.default_rng(5).integers(-3, 4, 160).astype("<i2").tobytes()


class Listening:
    """A recogniser that keeps what it was given."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.skipped_ms = 0.0
        self.settled = 0

    async def hear(self, frame: Frame) -> Transcript:
        self.heard += [frame.pcm[start : start + 320] for start in range(0, len(frame.pcm), 320)]
        return Transcript("喂" if frame.pcm == LOUD else "")

    async def settle(self) -> Transcript:
        self.settled += 1
        return Transcript("喂")

    async def finish(self) -> Transcript:
        return Transcript("喂", final=True)

    def skip(self, ms: float) -> None:
        self.skipped_ms += ms

    async def expect(self, hints: Hints) -> None:
        """Nothing to expect."""

    async def close(self) -> None:
        """Nothing to close."""


def ear() -> tuple[Ear, Listening]:
    hearing = Listening()
    return Ear(hearing, VadBatcher(EnergyModel()).stream()), hearing


async def feed(one: Ear, *pieces: tuple[bytes, int], bot: bytes = b"") -> None:
    for pcm, count in pieces:
        for _ in range(count):
            if bot:
                one.spoke(Frame(bot))
            await one.hear(Frame(pcm))


async def test_silence_does_not_reach_the_recogniser_but_its_time_does() -> None:
    one, hearing = ear()
    await feed(one, (QUIET, 100))
    assert hearing.heard == []
    assert hearing.skipped_ms == 2000 - 300
    assert one.now_ms == 2000


async def test_speech_comes_with_a_little_before_it_and_settles_once() -> None:
    one, hearing = ear()
    await feed(one, (QUIET, 100), (LOUD, 20), (QUIET, 20))
    assert 5 <= hearing.heard.index(LOUD) <= 15
    assert hearing.heard.count(LOUD) == 20
    assert hearing.settled == 1
    withheld_ms = one.now_ms - hearing.skipped_ms - 20 * len(hearing.heard)
    assert 100 <= withheld_ms <= 300


async def test_nothing_is_decoded_after_the_caller_fell_silent() -> None:
    one, hearing = ear()
    await feed(one, (QUIET, 20), (LOUD, 20))
    while not hearing.settled:
        await feed(one, (QUIET, 1))
    until = len(hearing.heard)
    await feed(one, (QUIET, 8))
    await one.finish()
    assert len(hearing.heard) == until


async def test_who_goes_on_at_once_is_heard_without_a_gap() -> None:
    one, hearing = ear()
    await feed(one, (QUIET, 20), (LOUD, 20))
    while not hearing.settled:
        await feed(one, (QUIET, 1))
    skipped = hearing.skipped_ms
    await feed(one, (QUIET, 3), (LOUD, 10))
    assert hearing.skipped_ms == skipped
    assert hearing.heard.count(LOUD) == 30


async def test_silence_within_an_utterance_is_withheld_but_for_a_little_before_the_caller_goes_on() -> None:
    one, hearing = ear()
    await feed(one, (QUIET, 20), (LOUD, 20), (QUIET, 50))
    until = len(hearing.heard)
    assert hearing.heard[-1] == QUIET
    await feed(one, (LOUD, 20), (QUIET, 50))
    assert hearing.heard.count(LOUD) == 40
    assert 5 <= hearing.heard[until:].index(LOUD) <= 15
    assert hearing.settled == 2
    assert (await one.finish()).text == "喂"
    assert hearing.skipped_ms + 20 * len(hearing.heard) + 300 == one.now_ms


async def test_who_speaks_on_when_an_utterance_was_finished_begins_another() -> None:
    one, hearing = ear()
    await feed(one, (QUIET, 20), (LOUD, 20))
    assert (await one.finish()).text == "喂"
    await feed(one, (LOUD, 20))
    assert hearing.heard.count(LOUD) == 40
    assert (await one.finish()).text == "喂"


async def test_after_the_end_of_an_utterance_the_gate_is_shut() -> None:
    one, hearing = ear()
    await feed(one, (QUIET, 20), (LOUD, 20), (QUIET, 20))
    assert (await one.finish()).text == "喂"
    count = len(hearing.heard)
    await feed(one, (QUIET, 50))
    assert len(hearing.heard) == count
    assert (await one.finish()).text == ""


async def test_the_bots_echo_never_reaches_the_recogniser() -> None:
    one, hearing = ear()
    echo = (np.frombuffer(LOUD, "<i2") // 8).astype("<i2").tobytes()
    for turn in range(30):
        await feed(one, (echo, 3 + turn % 4), bot=LOUD)
        await feed(one, (QUIET, 2 + turn % 3), bot=QUIET)
    assert hearing.heard == []
    caller = np.random.default_rng(99).normal(0, 6000, 160).astype("<i2").tobytes()
    await feed(one, (caller, 10), bot=echo)
    levels = [np.abs(np.frombuffer(frame, "<i2")).mean() for frame in hearing.heard]
    assert max(levels) > 0.7 * np.abs(np.frombuffer(caller, "<i2")).mean()
    assert echo not in hearing.heard


async def test_signals_of_the_line_are_handed_on_once() -> None:
    one, _ = ear()
    tone = (8000 * np.sin(2 * np.pi * 1100 * np.arange(160) / 8000)).astype("<i2").tobytes()
    found = [signal for _ in range(50) for signal in (await one.hear(Frame(tone))).signals]
    assert found == [Signal.FAX]
