"""The sound of a call over UDP: who is heard, what is sent, how it ends."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Digit
from agi_bot.errors import CallGone, PbxDown
from agi_bot.pbx.freeswitch.unicast import Unicast
from agi_bot.pbx.media.clock import LineClock

LOUD = bytes([0, 16]) * 160


@pytest.fixture
async def media() -> AsyncIterator[Unicast]:
    media = Unicast(LineClock(), inbox_frames=5)
    media.where = await media.open("127.0.0.1")  # type: ignore[attr-defined]
    media.expect(8000)
    yield media
    media.close("the test is over")


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


class Far:
    """A socket on the other side."""

    def __init__(self, media: Unicast) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.media = media
        self.where = media.where  # type: ignore[attr-defined]

    async def send(self, data: bytes, times: int = 1) -> None:
        """And wait until it has arrived, where it still can."""
        before = self.arrived()
        for _ in range(times):
            self.socket.sendto(data, self.where)
        if not self.media.reason:
            await until(lambda: self.arrived() >= before + times)

    def arrived(self) -> int:
        return self.media.counters.received + self.media.strangers

    async def receive(self) -> bytes:
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, 4000), 30)


async def test_the_first_datagram_opens_the_path_both_ways(media: Unicast) -> None:
    far = Far(media)
    assert not media.sounded.is_set()
    await far.send(LOUD)
    assert media.sounded.is_set()
    assert await anext(media.frames()) == Frame(LOUD, 8000)
    assert await far.receive() == bytes(320)


async def test_only_the_first_source_is_heard(media: Unicast) -> None:
    far, stranger = Far(media), Far(media)
    await far.send(LOUD)
    await stranger.send(b"\x7f" * 320, 3)
    await far.send(LOUD)
    media._inbox.close()
    heard = [item async for item in media.frames() if isinstance(item, Frame) and any(item.pcm)]
    assert heard == [Frame(LOUD, 8000)] * 2
    assert media.strangers == 3
    assert (media.counters.received, media.counters.dropped) == (2, 0)


async def test_a_datagram_that_is_no_sound_opens_nothing(media: Unicast) -> None:
    stranger, far = Far(media), Far(media)
    await stranger.send(b"GET / HTTP/1.1\r\n\r\n")
    assert not media.sounded.is_set()
    await far.send(LOUD)
    assert media.sounded.is_set()
    assert media.strangers == 1


async def test_what_is_played_leaves_in_order_and_silence_follows(media: Unicast) -> None:
    far = Far(media)
    await far.send(LOUD)
    await far.receive()

    async def frames() -> AsyncIterator[Frame]:
        for number in range(1, 6):
            yield Frame(bytes([number, 0]) * 160)

    await media.play(frames())
    loud: list[int] = []
    while 5 not in loud:
        loud += [datagram[0] for datagram in [await far.receive()] if any(datagram)]
    assert loud == [1, 2, 3, 4, 5]
    assert await far.receive() == bytes(320)


async def test_after_a_new_expectation_another_source_is_the_first(media: Unicast) -> None:
    before, after = Far(media), Far(media)
    await before.send(LOUD)
    media.expect(16000)
    await after.send(LOUD * 2)
    await before.send(LOUD)
    assert media.strangers == 1
    assert media.rate == 8000
    assert len(await after.receive()) == 640


async def test_a_bot_that_is_behind_loses_the_oldest_sound_but_no_key(media: Unicast) -> None:
    far = Far(media)
    media.press("7")
    for _ in range(4):
        await far.send(LOUD, 5)
    items = []
    media._inbox.close()
    async for item in media.frames():
        items.append(item)
    assert items[0] == Digit("7")
    assert len(items) == 5
    assert media.counters.received == 20
    assert media.counters.dropped == 16 + media.counters.filled


async def test_quiet_is_counted(media: Unicast) -> None:
    far = Far(media)
    await far.send(LOUD)
    await until(lambda: media.quiet_s > 0.2)
    before = media.quiet_s
    await far.send(LOUD)
    assert media.quiet_s < before


async def test_a_far_side_that_is_quiet_is_heard_as_silence(media: Unicast) -> None:
    far = Far(media)
    await far.send(LOUD)
    ear = media.frames()
    assert await anext(ear) == Frame(LOUD, 8000)
    for _ in range(10):
        assert await asyncio.wait_for(anext(ear), 30) == Frame(bytes(320), 8000)
    assert media.counters.received == 1


async def test_while_the_channel_is_busy_elsewhere_nothing_is_heard(media: Unicast) -> None:
    far = Far(media)
    await far.send(LOUD)
    media.away = True
    await asyncio.sleep(0.3)
    assert media.counters.filled == 0
    media.away = False
    await until(lambda: media.counters.filled > 0)


async def test_a_far_side_that_is_closed_is_noticed(media: Unicast) -> None:
    far = Far(media)
    await far.send(LOUD)
    assert not media.refused
    far.socket.close()
    await until(lambda: media.refused)
    media.expect(8000)
    assert not media.refused


async def test_the_end_ends_everything_once(media: Unicast) -> None:
    far = Far(media)
    await far.send(LOUD)
    media.close("hung up")
    media.close("again")
    assert media.reason == "hung up"
    assert [item async for item in media.frames()] == []
    with pytest.raises(CallGone, match="hung up"):
        await media.play(_nothing())
    await far.send(LOUD)


async def _nothing() -> AsyncIterator[Frame]:
    return
    yield


async def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(PbxDown, match="media_host"):
        await Unicast(LineClock()).open("192.0.2.1")
