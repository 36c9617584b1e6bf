"""The parts of a line: the clock of all calls, what was heard, what is to be played."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Digit
from agi_bot.errors import CallGone, PbxError
from agi_bot.pbx.media.clock import LineClock
from agi_bot.pbx.media.gaps import Gaps
from agi_bot.pbx.media.inbox import Inbox
from agi_bot.pbx.media.playout import Playout
from agi_bot.testing import VirtualTimeLoop


def frame(number: int) -> Frame:
    return Frame(bytes((number, 0)) * 160)


async def source(*frames: Frame) -> AsyncIterator[Frame]:
    for each in frames:
        yield each


async def all_of(inbox: Inbox) -> list[Frame | Digit]:
    return [item async for item in inbox.items()]


# --- inbox ---


async def test_an_inbox_keeps_order_and_ends() -> None:
    inbox = Inbox(10)
    reading = asyncio.create_task(all_of(inbox))
    for item in (frame(1), Digit("5"), frame(2)):
        inbox.put(item)
        await asyncio.sleep(0)
    inbox.close()
    inbox.put(frame(3))
    assert await reading == [frame(1), Digit("5"), frame(2)]


async def test_a_full_inbox_drops_the_oldest_sound_but_no_key() -> None:
    inbox = Inbox(3)
    for item in (Digit("1"), frame(1), frame(2), frame(3), Digit("2"), frame(4)):
        inbox.put(item)
    inbox.close()
    assert await all_of(inbox) == [Digit("1"), Digit("2"), frame(4)]
    assert inbox.dropped == 3


async def test_even_keys_alone_cannot_fill_the_memory() -> None:
    inbox = Inbox(3)
    for key in "123456":
        inbox.put(Digit(key))
    inbox.close()
    assert await all_of(inbox) == [Digit("4"), Digit("5"), Digit("6")]


async def test_a_discarded_inbox_is_empty() -> None:
    inbox = Inbox(3)
    inbox.put(frame(1))
    inbox.close(discard=True)
    assert await all_of(inbox) == []


# --- playout ---


async def drain(playout: Playout, playing: asyncio.Task[None]) -> list[bytes | None]:
    """What the clock would send, one chunk at a time, until the play is over."""
    sent = []
    while not playing.done():
        await asyncio.sleep(0)
        sent.append(playout.next())
    return [chunk for chunk in sent if chunk is not None]


async def test_frames_of_any_length_become_chunks_of_20_ms() -> None:
    playout = Playout(8000)
    pcm = bytes(range(200)) * 8
    uneven = [Frame(pcm[0:2]), Frame(pcm[2:1002]), Frame(b""), Frame(pcm[1002:])]
    sent = await drain(playout, asyncio.create_task(playout.play(source(*uneven))))
    assert all(len(chunk) == 320 for chunk in sent if chunk)
    assert b"".join(chunk for chunk in sent if chunk) == pcm
    assert len(sent) == 5


async def test_the_last_chunk_is_filled_up_with_silence() -> None:
    playout = Playout(8000)
    sent = await drain(playout, asyncio.create_task(playout.play(source(Frame(b"\1\2" * 10)))))
    assert sent == [b"\1\2" * 10 + bytes(300)]


async def test_only_a_little_is_taken_ahead_of_the_line() -> None:
    taken = 0

    async def endless() -> AsyncIterator[Frame]:
        nonlocal taken
        while True:
            taken += 1
            yield frame(taken % 100)

    playout = Playout(8000)
    playing = asyncio.create_task(playout.play(endless()))
    await asyncio.sleep(0.01)
    assert taken <= 5
    playing.cancel()
    with suppress(asyncio.CancelledError):
        await playing
    assert playout.next() is None


async def test_a_cancelled_play_closes_its_source() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[Frame]:
        try:
            while True:
                yield frame(1)
        finally:
            closed.set()

    playout = Playout(8000)
    playing = asyncio.create_task(playout.play(endless()))
    await asyncio.sleep(0)
    playing.cancel()
    with suppress(asyncio.CancelledError):
        await playing
    assert closed.is_set()


async def test_two_plays_at_once_are_refused() -> None:
    playout = Playout(8000)
    first = asyncio.create_task(playout.play(source(frame(1))))
    await asyncio.sleep(0)
    with pytest.raises(PbxError, match="playing already"):
        await playout.play(source(frame(2)))
    assert await drain(playout, first) == [frame(1).pcm]


async def test_a_closed_playout_ends_its_play_with_the_reason() -> None:
    playout = Playout(8000)
    playing = asyncio.create_task(playout.play(source(*map(frame, range(1, 9)))))
    await asyncio.sleep(0)
    playout.close(CallGone("hung up"))
    with pytest.raises(CallGone, match="hung up"):
        await playing


async def test_a_source_that_fails_leaves_the_line_silent_and_usable() -> None:
    async def broken() -> AsyncIterator[Frame]:
        yield frame(1)
        raise RuntimeError("no voice")

    playout = Playout(8000)
    with pytest.raises(RuntimeError):
        await playout.play(broken())
    assert playout.next() is None
    assert await drain(playout, asyncio.create_task(playout.play(source(frame(2))))) == [frame(2).pcm]


# --- clock ---


class Counting:
    def __init__(self, fail: bool = False) -> None:
        self.ticks = 0
        self.fail = fail

    def tick(self) -> None:
        self.ticks += 1
        if self.fail:
            raise RuntimeError("broken line")


def in_virtual_time(work: Callable[[VirtualTimeLoop], Awaitable[None]]) -> None:
    async def play() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        await work(loop)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(play())


def test_every_line_is_ticked_as_often_as_the_others() -> None:
    in_virtual_time(_all_alike)


async def _all_alike(_: VirtualTimeLoop) -> None:
    clock = LineClock()
    lines = [Counting() for _ in range(10)]
    for line in lines:
        clock.add(line)
    await asyncio.sleep(0.5)
    for line in lines:
        clock.remove(line)
    counts = [line.ticks for line in lines]
    assert min(counts) >= 24, "20 ms each"
    assert max(counts) - min(counts) <= 1


async def test_a_clock_without_lines_has_no_timer() -> None:
    clock = LineClock()
    line = Counting()
    clock.add(line)
    clock.remove(line)
    clock.remove(line)
    await asyncio.sleep(0.05)
    assert (len(clock), line.ticks, clock._timer) == (0, 0, None)


def test_a_line_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    in_virtual_time(_one_fails)
    assert "clock.line_failed" in caplog.text


async def _one_fails(_: VirtualTimeLoop) -> None:
    clock = LineClock()
    broken, healthy = Counting(fail=True), Counting()
    clock.add(broken)
    clock.add(healthy)
    await asyncio.sleep(0.15)
    clock.remove(healthy)
    assert broken.ticks == 1
    assert healthy.ticks > 2


def test_a_long_stall_is_not_caught_up_in_a_burst() -> None:
    in_virtual_time(_stalls)


async def _stalls(loop: VirtualTimeLoop) -> None:
    clock = LineClock()
    line = Counting()
    clock.add(line)
    await asyncio.sleep(0.1)
    before = line.ticks
    loop.skip(0.5)
    await asyncio.sleep(0)
    await asyncio.sleep(0.03)
    clock.remove(line)
    assert line.ticks - before <= 8
    assert clock.restarts == 1


# --- gaps


def silences(gaps: Gaps, ticks: int, *, begun: bool = True) -> int:
    """Frames of silence that are put in while ``ticks`` pass."""
    count = 0
    for _ in range(ticks):
        gap = gaps.passed(begun=begun)
        while gap and gaps.due:
            gaps.filled(20)
            count += 1
    return count


def test_a_gap_is_filled_for_its_whole_length() -> None:
    gaps = Gaps()
    gaps.heard(20)
    assert silences(gaps, 4) == 0
    assert silences(gaps, 46) == pytest.approx(50, abs=1)


def test_a_gap_that_was_waited_out_is_filled_for_its_whole_length() -> None:
    gaps = Gaps()
    gaps.heard(20)
    for _ in range(15):
        gaps.passed(begun=True)
    assert not gaps.may_be_stall
    assert silences(gaps, 1) == pytest.approx(16, abs=1)


@pytest.mark.parametrize("packet_ms", [10, 20, 30, 60])
def test_sound_in_packets_of_any_length_has_no_gaps(packet_ms: int) -> None:
    gaps = Gaps()
    put_in = 0
    for ms in range(0, 3000, 10):
        if ms % packet_ms == 0:
            gaps.heard(packet_ms)
        if ms % 20 == 0:
            put_in += silences(gaps, 1)
    assert put_in == 0


def test_sound_that_comes_late_after_all_is_counted_against_the_next_gap() -> None:
    gaps = Gaps()
    gaps.heard(20)
    assert silences(gaps, 15) == pytest.approx(15, abs=1)
    for _ in range(15):
        gaps.heard(20)
    assert silences(gaps, 40) == pytest.approx(25, abs=1)


def test_the_first_sound_may_take_longer() -> None:
    gaps = Gaps()
    assert silences(gaps, 24, begun=False) == 0
    assert silences(gaps, 10, begun=False) > 5
