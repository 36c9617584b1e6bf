"""A play cut into files: how long the pieces are, where they end, how far they read ahead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from agi_bot.audio import Frame
from agi_bot.pbx.freeswitch.pieces import LONGEST_S, Pieces

RATE = 8000


def loud(ms: int, level: int = 8000) -> Frame:
    return Frame(np.full(RATE * ms // 1000, level, dtype="<i2").tobytes())


async def source(*frames: Frame) -> AsyncIterator[Frame]:
    for frame in frames:
        yield frame


async def cut(frames: AsyncIterator[Frame], at_least_s: float = 0.6, rate: int = RATE) -> list[bytes]:
    pieces = Pieces(frames, rate)
    reading = asyncio.create_task(pieces.read())
    found = []
    while piece := await pieces.next(at_least_s):
        found.append(piece)
    await reading
    return found


async def test_nothing_is_lost_or_changed() -> None:
    noise = np.random.default_rng(7).integers(-9000, 9000, RATE * 5, dtype=np.int16).astype("<i2").tobytes()
    frames = [Frame(noise[start : start + 998]) for start in range(0, len(noise), 998)]
    assert b"".join(await cut(source(*frames))) == noise


async def test_a_short_play_is_one_piece() -> None:
    assert [len(piece) for piece in await cut(source(loud(30)))] == [480]


async def test_no_sound_is_no_piece() -> None:
    assert await cut(source()) == []


async def test_a_piece_ends_where_the_voice_pauses() -> None:
    frames = [loud(900), loud(20, 0), loud(2000)]
    first, *_ = await cut(source(*frames))
    assert len(first) == RATE * 920 // 1000 * 2


async def test_pieces_are_neither_tiny_nor_long() -> None:
    lengths = [len(piece) / 2 / RATE for piece in await cut(source(*[loud(20)] * 500))]
    assert max(lengths) <= LONGEST_S
    assert min(lengths[:-1]) >= 0.5
    assert sum(lengths) == pytest.approx(10)


async def test_it_does_not_read_far_ahead() -> None:
    taken = 0

    async def counted() -> AsyncIterator[Frame]:
        nonlocal taken
        while True:
            taken += 1
            yield loud(20)

    pieces = Pieces(counted(), RATE)
    reading = asyncio.create_task(pieces.read())
    await pieces.next(0.2)
    await asyncio.sleep(0.05)
    assert taken * 0.02 <= 2 * LONGEST_S + 0.1
    reading.cancel()


async def test_a_voice_that_is_slow_gives_what_it_has() -> None:
    pieces = Pieces(source(loud(250)), RATE)
    reading = asyncio.create_task(pieces.read())
    assert len(await asyncio.wait_for(pieces.next(0.2), 30)) == 4000
    await reading


async def test_another_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="carries 8000 Hz, not 16000 Hz"):
        await cut(source(Frame(bytes(640), 16000)))


async def test_what_the_source_raises_comes_out() -> None:
    async def broken() -> AsyncIterator[Frame]:
        yield loud(20)
        raise RuntimeError("the voice died")

    with pytest.raises(RuntimeError, match="voice died"):
        await cut(broken())
