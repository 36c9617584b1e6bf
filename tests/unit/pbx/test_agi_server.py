"""The FastAGI server with real sockets: health checks, mute and foolish peers, hang-ups, time-outs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from agi_bot.errors import CallGone, PbxDown, PbxError
from agi_bot.pbx.agi import commands
from agi_bot.pbx.agi.protocol import Reply
from agi_bot.pbx.agi.server import FastAgiServer, Session

HEADER = b"agi_network: yes\nagi_channel: PJSIP/a-1\nagi_arg_1: one\n\n"

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def serving(handler: Callable[[Session], Awaitable[None]], **options: float) -> AsyncIterator[FastAgiServer]:
    server = FastAgiServer(handler, "127.0.0.1", 0, **options)
    await server.start()
    try:
        yield server
    finally:
        await server.close()
        assert server.sessions == 0


async def connect(server: FastAgiServer, data: bytes = HEADER) -> Wire:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(data)
    return reader, writer


async def ended(reader: asyncio.StreamReader) -> bool:
    with suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), 30) == b""
    return True


async def nothing(session: Session) -> None:
    return


async def test_a_handler_talks_to_asterisk_and_the_connection_ends() -> None:
    got: list[Reply] = []

    async def handler(session: Session) -> None:
        assert session.request.arguments == ("one",)
        got.append(await session.send(commands.answer()))
        got.append(await session.send(commands.get_variable("NAME")))

    async with serving(handler) as server:
        reader, writer = await connect(server)
        assert await reader.readline() == b"ANSWER\n"
        writer.write(b"200 result=0\n")
        assert await reader.readline() == b"GET VARIABLE NAME\n"
        writer.write("200 result=1 (张伟)\n".encode())
        assert await ended(reader)
        writer.close()
    assert [reply.value for reply in got] == ["", "张伟"]


async def test_a_health_check_is_no_call_and_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    called: list[Session] = []

    async def handler(session: Session) -> None:
        called.append(session)

    async with serving(handler) as server:
        for _ in range(20):
            _, writer = await connect(server, b"")
            writer.close()
        reader, writer = await connect(server)
        assert await ended(reader)
        writer.close()
    assert len(called) == 1
    assert caplog.records == []


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\n", b"agi_a: b\nnonsense\n\n", b"\xff\xfe\n"])
async def test_something_else_than_agi_is_told_off(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(nothing) as server:
        reader, writer = await connect(server, data)
        assert await ended(reader)
        writer.close()
    assert [record.message for record in caplog.records] == ["agi.closed"]
    assert "AGI line" in caplog.records[0].reason  # type: ignore[attr-defined]


async def test_a_peer_that_says_nothing_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(nothing, header_timeout_s=0.1) as server:
        reader, writer = await connect(server, b"agi_network: yes\n")
        assert await ended(reader)
        writer.close()
    assert "no AGI header" in caplog.records[0].reason  # type: ignore[attr-defined]


async def test_a_peer_that_never_answers_a_command_is_closed() -> None:
    errors: list[BaseException] = []

    async def handler(session: Session) -> None:
        for timeout_s in (0.1, 5):
            try:
                await session.send(commands.answer(), timeout_s)
            except PbxError as error:
                errors.append(error)

    async with serving(handler) as server:
        reader, writer = await connect(server)
        assert await reader.readline() == b"ANSWER\n"
        assert await ended(reader)
        writer.close()
    assert "did not answer" in str(errors[0])
    assert len(errors) == 2, "a command after the time-out is refused, not sent out of step"


async def test_a_hang_up_is_no_reply_and_variables_can_still_be_set() -> None:
    seen: list[Reply] = []

    async def handler(session: Session) -> None:
        seen.append(await session.send(commands.answer()))
        await session.hung_up.wait()
        seen.append(await session.send(commands.set_variable("BOT_OUTCOME", "hung_up")))
        seen.append(await session.send(commands.answer()))

    async with serving(handler) as server:
        reader, writer = await connect(server)
        await reader.readline()
        writer.write(b"HANGUP\n200 result=-1\n")
        assert await reader.readline() == b"SET VARIABLE BOT_OUTCOME hung_up\n"
        writer.write(b"200 result=1\n")
        await reader.readline()
        writer.write(b"511 Command Not Permitted on a dead channel or intercept routine\n")
        assert await ended(reader)
        writer.close()
    assert [(reply.code, reply.result) for reply in seen] == [(200, "-1"), (200, "1"), (511, "")]


@pytest.mark.parametrize("cut", range(0, len(HEADER) + 1, 7))
async def test_a_connection_that_ends_anywhere_leaves_nothing(cut: int) -> None:
    async def handler(session: Session) -> None:
        with pytest.raises(CallGone):
            await session.send(commands.answer(), None)

    async with serving(handler) as server:
        _, writer = await connect(server, HEADER[:cut])
        writer.close()
        await asyncio.sleep(0.02)


async def test_a_reply_that_nobody_asked_for_ends_the_session(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(session: Session) -> None:
        await session.hung_up.wait()
        await session.send(commands.answer())

    async with serving(handler) as server:
        reader, writer = await connect(server, HEADER + b"200 result=0\n")
        assert await ended(reader)
        writer.close()
    assert "nothing was asked for" in caplog.records[0].reason  # type: ignore[attr-defined]


async def test_a_handler_that_fails_hurts_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(session: Session) -> None:
        await session.send(commands.answer())
        raise RuntimeError("a mistake")

    async with serving(handler) as server:
        other_reader, other = await connect(server)
        await other_reader.readline()
        reader, writer = await connect(server)
        await reader.readline()
        writer.write(b"200 result=0\n")
        assert await ended(reader)
        assert server.sessions == 1
        writer.close()
        other.close()
    assert "agi.failed" in caplog.text


async def test_commands_of_two_tasks_do_not_get_each_others_replies() -> None:
    values: dict[str, str] = {}

    async def ask(session: Session, name: str) -> None:
        values[name] = (await session.send(commands.get_variable(name))).value

    async def handler(session: Session) -> None:
        await asyncio.gather(*(ask(session, name) for name in ("A", "B", "C")))

    async with serving(handler) as server:
        reader, writer = await connect(server)
        for _ in range(3):
            name = (await reader.readline()).split()[-1]
            await asyncio.sleep(0.01)
            writer.write(b"200 result=1 (is " + name + b")\n")
        assert await ended(reader)
        writer.close()
    assert values == {"A": "is A", "B": "is B", "C": "is C"}


async def test_closing_the_server_ends_its_calls() -> None:
    started = asyncio.Event()

    async def handler(session: Session) -> None:
        started.set()
        await asyncio.Event().wait()

    server = FastAgiServer(handler, "127.0.0.1", 0)
    await server.start()
    reader, writer = await connect(server)
    await started.wait()
    await server.close()
    assert await ended(reader)
    assert server.sessions == 0
    writer.close()


async def test_a_taken_port_is_told() -> None:
    async with serving(nothing) as server:
        with pytest.raises(PbxDown, match="cannot listen for FastAGI"):
            await FastAgiServer(nothing, "127.0.0.1", server.port).start()
