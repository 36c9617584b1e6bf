"""The server of AudioSocket lines, with real sockets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

import pytest

from agi_bot.errors import CallGone, PbxDown
from agi_bot.pbx.audiosocket.line import MediaLimits
from agi_bot.pbx.audiosocket.protocol import HANG_UP, Hello, encode
from agi_bot.pbx.audiosocket.server import PROBE, MediaServer
from tests.unit.pbx.test_line import HELLO, SILENCE, UUID_7


@pytest.fixture
async def server() -> AsyncIterator[MediaServer]:
    media = MediaServer("127.0.0.1", 0, limits=MediaLimits(hello_s=0.3))
    await media.start()
    yield media
    media.close()


async def connect(server: MediaServer, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(data)
    return reader, writer


async def test_a_connection_finds_the_call_that_expects_it(server: MediaServer) -> None:
    arriving = server.expect(UUID_7)
    reader, writer = await connect(server, HELLO)
    line = await asyncio.wait_for(arriving, 30)
    assert (line.uuid, server.expected) == (UUID_7, 0)
    assert await reader.readexactly(323) == SILENCE
    line.close("done")
    assert (await asyncio.wait_for(reader.read(), 30)).endswith(HANG_UP)
    writer.close()


async def test_nobody_expects_this_uuid(server: MediaServer, caplog: pytest.LogCaptureFixture) -> None:
    reader, writer = await connect(server, HELLO)
    assert await asyncio.wait_for(reader.read(), 30) == HANG_UP
    assert [record.message for record in caplog.records] == ["audio.refused"]
    assert caplog.records[0].uuid == str(UUID_7)  # type: ignore[attr-defined]
    writer.close()


async def test_one_uuid_is_good_for_one_connection(server: MediaServer) -> None:
    arriving = server.expect(UUID_7)
    _, first = await connect(server, HELLO)
    await asyncio.wait_for(arriving, 30)
    reader, second = await connect(server, HELLO)
    assert await asyncio.wait_for(reader.read(), 30) == HANG_UP
    first.close()
    second.close()


async def test_the_question_whether_we_live_is_answered_without_a_warning(
    server: MediaServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    reader, writer = await connect(server, encode(Hello(PROBE)))
    assert await asyncio.wait_for(reader.read(), 30) == HANG_UP
    assert caplog.records == []
    writer.close()


async def test_a_forgotten_call_is_not_waited_for(server: MediaServer) -> None:
    arriving = server.expect(UUID_7)
    server.forget(UUID_7)
    server.forget(UUID_7)
    assert arriving.cancelled()


async def test_a_health_check_and_a_mute_client_leave_nothing(server: MediaServer) -> None:
    _, writer = await connect(server, b"")
    writer.close()
    reader, mute = await connect(server, b"\x01")
    with suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), 30)
    mute.close()
    async with asyncio.timeout(30):
        while server.lines:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_closing_the_server_ends_lines_and_waits(server: MediaServer) -> None:
    arriving = server.expect(UUID_7)
    other = server.expect(UUID(int=8))
    reader, writer = await connect(server, HELLO)
    line = await asyncio.wait_for(arriving, 30)
    server.close()
    assert line.ended.is_set()
    with pytest.raises(CallGone):
        await other
    await asyncio.wait_for(reader.read(), 30)
    writer.close()


async def test_a_taken_port_is_told(server: MediaServer) -> None:
    with pytest.raises(PbxDown, match="cannot listen for AudioSocket"):
        await MediaServer("127.0.0.1", server.port).start()
