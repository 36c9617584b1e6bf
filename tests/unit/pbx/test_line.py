"""A whole line with a transport that the test looks into."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Digit
from agi_bot.errors import CallGone
from agi_bot.pbx.audiosocket.line import Line, MediaLimits
from agi_bot.pbx.audiosocket.protocol import HANG_UP, Failure, HangUp, Hello, encode
from agi_bot.pbx.media.clock import LineClock

UUID_7 = UUID(int=7)
HELLO = encode(Hello(UUID_7))
SILENCE = b"\x10\x01\x40" + bytes(320)


def frame(number: int) -> Frame:
    return Frame(bytes((number, 0)) * 160)


async def source(*frames: Frame) -> AsyncIterator[Frame]:
    for each in frames:
        yield each


class FakeTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.stuck = 0
        self.end = ""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 5000) if name == "peername" else self

    def setsockopt(self, *_: Any) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return self.stuck

    def write(self, data: Any) -> None:
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.end = self.end or "closed"

    def abort(self) -> None:
        self.end = self.end or "aborted"


class StoppedClock(LineClock):
    """Keeps the lines; time passes when a test says so."""

    def _schedule(self) -> None:
        """Never."""


class Stage:
    """A line, and its owner who keeps it."""

    def __init__(self, **limits: float) -> None:
        self.arrivals: list[Line] = []
        self.departures: list[Line] = []
        self.transport = FakeTransport()
        self.clock = StoppedClock()
        self.line = Line(self, self.clock, MediaLimits(**limits))  # type: ignore[arg-type]
        self.line.connection_made(self.transport)

    def arrived(self, line: Line) -> None:
        self.arrivals.append(line)

    def left(self, line: Line) -> None:
        self.departures.append(line)

    def tick(self, count: int = 1) -> None:
        for _ in range(count):
            if not self.line.ended.is_set():
                self.line.tick()


async def test_a_line_is_silent_until_its_call_is_known_and_then_lives() -> None:
    stage = Stage()
    stage.tick(3)
    assert stage.transport.sent == []
    stage.line.data_received(HELLO)
    assert stage.arrivals == [stage.line]
    assert stage.line.uuid == UUID_7
    stage.tick(2)
    assert stage.transport.sent == [SILENCE, SILENCE]


async def test_each_frame_is_one_write_of_323_bytes() -> None:
    stage = Stage()
    stage.line.data_received(HELLO)
    playing = asyncio.create_task(stage.line.play(source(frame(1), frame(2))))
    for _ in range(3):
        await asyncio.sleep(0)
        stage.tick()
    await playing
    stage.tick()
    assert stage.transport.sent[-1] == SILENCE
    assert b"\x10\x01\x40" + frame(1).pcm in stage.transport.sent
    assert {len(data) for data in stage.transport.sent} == {323}


async def test_the_rate_of_the_first_sound_is_the_rate_of_the_call() -> None:
    stage = Stage()
    stage.line.data_received(HELLO + encode(Frame(bytes(640), 16000)))
    assert stage.line.rate == 16000
    assert stage.line.sounded.is_set()
    stage.tick()
    assert stage.transport.sent == [b"\x12\x02\x80" + bytes(640)]


async def test_a_tap_hears_what_goes_out() -> None:
    stage = Stage()
    heard: list[bytes | None] = []
    stage.line.tap = heard.append
    stage.line.data_received(HELLO)
    stage.tick()
    playing = asyncio.create_task(stage.line.play(source(frame(1))))
    await asyncio.sleep(0)
    stage.tick()
    await playing
    assert heard == [None, frame(1).pcm]


async def test_what_is_heard_and_what_is_to_be_played_bear_the_lines_own_time() -> None:
    stage = Stage()
    stage.clock.remove(stage.line)
    stage.line.data_received(HELLO + encode(frame(1)))
    stage.tick(3)
    due: list[int] = []

    async def told() -> AsyncIterator[Frame]:
        for number in range(2, 8):
            due.append(stage.line.due_ms)
            yield frame(number)

    playing = asyncio.create_task(stage.line.play(told()))
    await asyncio.sleep(0)
    while not playing.done():
        stage.tick()
        for _ in range(5):
            await asyncio.sleep(0)
    stage.line.data_received(encode(frame(9)))
    stage.line.close("over")
    sent = [data[3] for data in stage.transport.sent if data[0] == 0x10]
    assert [sent[at // 20] for at in due] == [2, 3, 4, 5, 6, 7]
    assert stage.line.due_ms == 20 * len(sent)


async def test_a_frame_tells_how_much_had_been_sent_when_it_came() -> None:
    stage = Stage()
    stage.clock.remove(stage.line)
    stage.line.data_received(HELLO)
    for count in (2, 1, 0):
        stage.tick(count)
        stage.line.data_received(encode(frame(count)))
    stage.line.eof_received()
    assert [item.at_ms async for item in stage.line.frames() if isinstance(item, Frame)] == [40, 60, 60]


async def test_sound_that_asterisk_does_not_take_is_dropped_and_at_last_the_line_too() -> None:
    stage = Stage(stuck_s=0.1)
    stage.line.data_received(HELLO)
    stage.transport.stuck = 100
    stage.tick(3)
    assert stage.transport.sent == []
    stage.tick(10)
    assert stage.transport.end == "aborted"
    assert "took no sound" in stage.line.reason
    assert stage.line.counters.skipped == 6


async def test_a_client_that_says_nothing_is_closed() -> None:
    stage = Stage(hello_s=0.1)
    stage.tick(10)
    assert (stage.transport.end, len(stage.clock)) == ("aborted", 0)
    assert stage.departures == [stage.line]
    assert "nothing came" in stage.line.reason


async def test_a_line_that_falls_quiet_is_closed_and_sound_keeps_it_open() -> None:
    stage = Stage(quiet_s=0.1)
    stage.line.data_received(HELLO)
    for _ in range(20):
        stage.tick()
        stage.line.data_received(encode(frame(1)))
    assert stage.transport.end == ""
    assert stage.line.lost == ""
    stage.tick(10)
    assert stage.transport.end == "aborted"
    assert stage.line.lost == "nothing came for 0.1 s", "nobody hung up"


async def heard(line: Line) -> list[Frame | Digit]:
    """Everything so far."""
    items: list[Frame | Digit] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(0.02):
            async for item in line.frames():
                items.append(item)
    return items


async def test_a_caller_whose_telephone_sends_nothing_is_heard_as_silence() -> None:
    stage = Stage()
    stage.line.data_received(HELLO + encode(frame(1)))
    stage.tick(50)
    stage.line.data_received(encode(frame(2)))
    items = await heard(stage.line)
    assert (items[0], items[-1]) == (frame(1), frame(2))
    assert items[1:-1] == [Frame(bytes(320))] * (len(items) - 2)
    assert len(items) == pytest.approx(51, abs=2)
    assert (stage.line.counters.received, stage.line.counters.filled) == (2, len(items) - 2)


VOICE = Frame(np.full(160, 2000, "<i2").tobytes())


async def test_a_voice_that_breaks_off_for_a_moment_is_no_pause() -> None:
    stage = Stage()
    stage.line.data_received(HELLO + encode(VOICE))
    stage.tick(12)
    for _ in range(12):
        stage.line.data_received(encode(VOICE))
    stage.tick(4)
    assert await heard(stage.line) == [VOICE] * 13
    assert stage.line.counters.filled == 0


async def test_a_voice_that_breaks_off_for_good_is_followed_by_silence_for_the_whole_time() -> None:
    stage = Stage()
    stage.line.data_received(HELLO + encode(VOICE))
    stage.tick(50)
    assert stage.line.counters.filled == pytest.approx(50, abs=2)


async def test_silence_is_heard_at_the_rate_of_the_call() -> None:
    stage = Stage()
    stage.line.data_received(HELLO + encode(Frame(bytes(640), 16000)))
    stage.tick(20)
    assert {item.rate for item in await heard(stage.line) if isinstance(item, Frame)} == {16000}


async def test_a_caller_of_whom_nothing_is_heard_from_the_beginning_is_silent() -> None:
    stage = Stage()
    stage.line.data_received(HELLO)
    stage.tick(60)
    assert len(await heard(stage.line)) > 30
    assert not stage.line.sounded.is_set()


async def test_sound_that_goes_on_is_left_as_it_is() -> None:
    stage = Stage()
    stage.line.data_received(HELLO)
    for number in range(1, 60):
        stage.line.data_received(encode(frame(number)))
        stage.tick()
    assert await heard(stage.line) == [frame(number) for number in range(1, 60)]


async def test_silence_pushes_no_sound_out_of_a_full_inbox() -> None:
    stage = Stage(inbox_frames=5)
    stage.line.data_received(HELLO + b"".join(encode(frame(number)) for number in range(1, 6)))
    stage.tick(50)
    assert await heard(stage.line) == [frame(number) for number in range(1, 6)]


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", HELLO + b"\x10\x00\x00", HELLO + HELLO])
async def test_garbage_closes_the_line_with_a_log_line(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    stage.line.data_received(data)
    assert stage.transport.end == "aborted"
    assert [record.message for record in caplog.records] == ["audio.closed"]
    assert "AudioSocket message" in caplog.records[0].reason  # type: ignore[attr-defined]


async def test_a_connection_that_breaks_in_mid_message_is_told(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    stage.line.data_received(HELLO + b"\x10\x01")
    stage.line.eof_received()
    assert "ended after 2 bytes" in caplog.records[0].reason  # type: ignore[attr-defined]


async def test_an_error_of_asterisk_is_told(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    stage.line.data_received(HELLO + encode(Failure(4)))
    assert "error 4" in stage.line.reason


async def test_a_hang_up_message_ends_the_line() -> None:
    stage = Stage()
    stage.line.data_received(HELLO + encode(HangUp()))
    assert (stage.line.reason, stage.transport.end) == ("hung up", "closed")


async def test_what_was_heard_before_the_hang_up_is_still_given_out() -> None:
    stage = Stage()
    stage.line.data_received(HELLO + encode(frame(1)) + encode(Digit("9")))
    stage.line.eof_received()
    stage.line.connection_lost(None)
    assert [item async for item in stage.line.frames()] == [frame(1), Digit("9")]
    with pytest.raises(CallGone, match="hung up"):
        await stage.line.play(source(frame(1)))


async def test_closing_is_in_good_order_and_idempotent() -> None:
    stage = Stage()
    stage.line.data_received(HELLO + encode(frame(1)))
    stage.line.close("released")
    stage.line.close("again")
    stage.line.data_received(encode(frame(2)))
    assert (stage.transport.sent, stage.transport.end) == ([HANG_UP], "closed")
    assert stage.line.reason == "released"
    assert [item async for item in stage.line.frames()] == []


async def test_a_stuck_line_is_not_waited_for_when_it_is_closed() -> None:
    stage = Stage()
    stage.line.data_received(HELLO)
    stage.transport.stuck = 1
    stage.line.close("released")
    assert stage.transport.end == "aborted"


async def test_a_bot_that_is_behind_loses_the_oldest_sound() -> None:
    stage = Stage(inbox_frames=5)
    stage.line.data_received(HELLO + b"".join(encode(frame(number)) for number in range(1, 11)))
    stage.line.connection_lost(None)
    assert [item async for item in stage.line.frames()] == [frame(number) for number in range(6, 11)]
    assert (stage.line.counters.received, stage.line.counters.dropped) == (10, 5)
