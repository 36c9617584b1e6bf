"""Sound over WebSockets: who may connect, what is malformed, how mod_audio_fork is spoken to."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agi_bot.audio import Frame
from agi_bot.contracts import Digit
from agi_bot.errors import CallGone, PbxDown, PbxError
from agi_bot.pbx.freeswitch.socket_sound import GROUP, PREBUFFER, ForkSound
from agi_bot.pbx.freeswitch.stream_sound import file_of, stream_audio
from agi_bot.pbx.freeswitch.websocket import MAX_MESSAGE_BYTES, SoundServer
from agi_bot.pbx.media import LineClock
from esl import Event, Headers

SILENCE = bytes(320)
LOUD = b"\x10\x20" * 160


@pytest.fixture
async def server() -> AsyncIterator[SoundServer]:
    server = SoundServer("127.0.0.1", 0, {"127.0.0.1"})
    await server.start()
    yield server
    await server.close()


@pytest.fixture
def sound() -> ForkSound:
    return ForkSound(LineClock(), 100)


def at(server: SoundServer, path: str) -> str:
    return f"ws://127.0.0.1:{server.port}{path}"


async def joined(server: SoundServer, sound: ForkSound) -> ClientConnection:
    return await connect(at(server, server.expect(sound)), compression=None, max_size=None, close_timeout=1)


async def refused(where: str) -> int:
    with pytest.raises(InvalidStatus) as caught:
        await connect(where)
    return caught.value.response.status_code


async def told(connection: ClientConnection, count: int) -> list[bytes | str]:
    return [await asyncio.wait_for(connection.recv(), 30) for _ in range(count)]


# --- who may connect


async def test_only_the_secret_opens_and_only_once(server: SoundServer, sound: ForkSound) -> None:
    path = server.expect(sound)
    assert await refused(at(server, "/")) == 403
    assert await refused(at(server, path[:-1])) == 403
    async with connect(at(server, path)):
        assert await refused(at(server, path)) == 403
    assert (server.refused, server.expected) == (3, 0)


async def test_a_secret_that_is_forgotten_opens_nothing(server: SoundServer, sound: ForkSound) -> None:
    path = server.expect(sound)
    server.forget(path)
    assert await refused(at(server, path)) == 403


async def test_two_calls_have_two_secrets(server: SoundServer, sound: ForkSound) -> None:
    paths = {server.expect(sound) for _ in range(100)}
    assert len(paths) == 100
    assert min(map(len, paths)) == 33


async def test_another_host_may_not_connect(sound: ForkSound) -> None:
    server = SoundServer("127.0.0.1", 0, {"192.0.2.1"})
    await server.start()
    assert await refused(at(server, server.expect(sound))) == 403
    await server.close()


async def test_a_port_that_is_taken(server: SoundServer) -> None:
    with pytest.raises(PbxDown, match="cannot listen for WebSockets"):
        await SoundServer("127.0.0.1", server.port, ()).start()


async def test_the_subprotocol_of_mod_audio_fork_is_confirmed(server: SoundServer, sound: ForkSound) -> None:
    async with connect(at(server, server.expect(sound)), subprotocols=["audio.drachtio.org"]) as connection:  # type: ignore[list-item]
        assert connection.subprotocol == "audio.drachtio.org"


# --- what comes


async def heard(sound: ForkSound, count: int) -> list[Frame | Digit]:
    items = sound.frames()
    return [await asyncio.wait_for(anext(items), 30) for _ in range(count)]


async def test_messages_of_any_length_become_frames_of_20_ms(server: SoundServer, sound: ForkSound) -> None:
    pcm = bytes(range(256)) * 10
    async with await joined(server, sound) as connection:
        await connection.send('{"any": "metadata"}')
        for start, end in ((0, 2), (2, 1000), (1000, 2560)):
            await connection.send(pcm[start:end])
        async with asyncio.timeout(30):
            while sound.counters.received < 8:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        got = await heard(sound, 8 + sound.counters.filled)
    loud = b"".join(frame.pcm for frame in got if isinstance(frame, Frame) and any(frame.pcm))
    assert loud == pcm, "silence between them, where the machine was slow"


async def test_a_module_that_sends_nothing_is_heard_as_silence(server: SoundServer, sound: ForkSound) -> None:
    async with await joined(server, sound) as connection:
        await connection.send(LOUD)
        assert await heard(sound, 12) == [Frame(LOUD), *[Frame(SILENCE)] * 11]
    assert sound.counters.received == 1


async def test_half_a_sample_ends_the_sound(server: SoundServer, sound: ForkSound) -> None:
    async with await joined(server, sound) as connection:
        await connection.send(b"abc")
        await asyncio.wait_for(sound.broken.wait(), 30)
        with suppress(ConnectionClosed):
            while True:
                await asyncio.wait_for(connection.recv(), 30)
        assert connection.close_code == 1007
    assert "3 bytes, which is not a number of 16-bit samples" in sound.reason


async def test_a_message_without_end_ends_the_sound(server: SoundServer, sound: ForkSound) -> None:
    async with await joined(server, sound) as connection:
        with suppress(ConnectionClosed):
            await connection.send(bytes(MAX_MESSAGE_BYTES + 2))
        await asyncio.wait_for(sound.broken.wait(), 30)
    assert "1009" in sound.reason


async def test_the_end_of_the_connection_ends_frames_and_play(server: SoundServer, sound: ForkSound) -> None:
    connection = await joined(server, sound)
    await connection.send(SILENCE)
    await sound.sounded.wait()
    playing = asyncio.create_task(sound.play(_endless()))
    await asyncio.sleep(0.05)
    await connection.close()
    await asyncio.wait_for(sound.broken.wait(), 30)
    assert not sound.ended.is_set(), "the leg has to find out whether the caller hung up"
    sound.lose(sound.reason)
    with pytest.raises(CallGone):
        await asyncio.wait_for(playing, 30)
    assert sound.lost.startswith("the connection broke") or sound.lost == "FreeSWITCH closed the connection"
    assert [item async for item in sound.frames()] == []


# --- what goes out to mod_audio_fork


async def _endless() -> AsyncIterator[Frame]:
    while True:
        yield Frame(LOUD)


async def test_its_buffer_is_opened_and_emptied_first(server: SoundServer, sound: ForkSound) -> None:
    async with await joined(server, sound) as connection:
        first, kill, *rest = await told(connection, 6)
    assert first == bytes(PREBUFFER * 2)
    assert json.loads(kill) == {"type": "killAudio"}
    assert set(rest) == {SILENCE}


async def test_a_cut_leaves_nothing_where_it_cannot_be_forgotten(server: SoundServer, sound: ForkSound) -> None:
    """Between two killAudio lies a whole number of groups, and after it nothing of the play."""
    async with await joined(server, sound) as connection:
        await told(connection, 2)
        for count in (1, 2, 3, 4):
            playing = asyncio.create_task(sound.play(_endless()))
            before: list[bytes] = []
            while before.count(LOUD) < count:
                before += await told(connection, 1)
            playing.cancel()
            before += await until_kill(connection)
            assert sum(map(len, before)) // 2 % GROUP == 0
        assert set(await told(connection, 5)) == {SILENCE}


async def until_kill(connection: ClientConnection) -> list[bytes]:
    messages = []
    while isinstance(message := await asyncio.wait_for(connection.recv(), 30), bytes):
        messages.append(message)
    assert json.loads(message) == {"type": "killAudio"}
    return messages


async def test_a_peer_that_takes_nothing_gets_no_growing_delay(server: SoundServer, sound: ForkSound) -> None:
    async with await joined(server, sound) as connection:
        connection.transport.pause_reading()
        connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        assert sound._wire is not None
        while not sound._wire.backlog_bytes:
            sound._wire.send(bytes(65536))
        before = sound._wire.backlog_bytes
        async with asyncio.timeout(30):
            while sound.counters.skipped < 5:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert sound._wire.backlog_bytes <= before


# --- what mod_audio_stream is told


def test_the_message_for_a_file() -> None:
    message = json.loads(stream_audio(b"\x01\x02", 16000))
    assert message == {
        "type": "streamAudio",
        "data": {"audioDataType": "raw", "sampleRate": 16000, "audioData": "AQI="},
    }


def test_the_file_in_its_event() -> None:
    assert file_of(Event(Headers({}), '{"audioDataType": "raw", "file": "/tmp/x_0.tmp.r8"}')) == "/tmp/x_0.tmp.r8"


@pytest.mark.parametrize("body", ["", "nonsense", "{}", "[]", "7"])
def test_an_event_without_a_file(body: str) -> None:
    with pytest.raises(PbxError, match="tells no file"):
        file_of(Event(Headers({}), body))


class Ticks:
    """A wire that notes what was sent in which tick."""

    backlog_bytes = 0

    def __init__(self) -> None:
        self.now = 0
        self.loud: list[int] = []

    def send(self, message: str | bytes) -> None:
        if message == LOUD:
            self.loud.append(self.now)

    def abort(self) -> None:
        pass


async def test_after_a_break_the_lines_time_knows_when_sound_goes_out_again(sound: ForkSound) -> None:
    clock, wire = sound._clock, Ticks()
    sound.connected(wire)  # type: ignore[arg-type]
    clock.remove(sound)
    for _ in range(2):
        due, count = sound.due_ms, len(wire.loud)
        playing = asyncio.create_task(sound.play(_endless()))
        for _ in range(8):
            await asyncio.sleep(0)
            sound.tick()
            wire.now += 20
        playing.cancel()
        with suppress(asyncio.CancelledError):
            await playing
        assert wire.loud[count] == due
