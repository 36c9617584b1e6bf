"""The asyncio link and client against peers that are silent, gone or lying.  Both transports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest

import esl
from esl.testing import FakeCall, FakeFreeSwitch, encode_event, encode_reply


@pytest.fixture(params=esl.BACKENDS)
def transport(request: pytest.FixtureRequest) -> esl.Backend:
    if request.param == "greenswitch":
        pytest.importorskip("greenswitch")
    return esl.backend(request.param)


@pytest.fixture
async def fake() -> AsyncIterator[FakeFreeSwitch]:
    async with FakeFreeSwitch(answers={"status": "UP\n", "hostname": "here\n"}) as fake:
        yield fake


def client_of(fake: FakeFreeSwitch, transport: esl.Backend, **options: float) -> esl.Client:
    quick = esl.Backoff(first=0.02, limit=0.05)
    options = {"timeout": 5.0, **options}
    return esl.Client("127.0.0.1", fake.port, fake.password, transport=transport, backoff=quick, **options)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_server_that_never_greets(transport: esl.Backend) -> None:
    async with FakeFreeSwitch(greeting=b"") as fake:
        with pytest.raises(esl.ConnectFailed, match=r"did not greet in 0\.2 s"):
            await client_of(fake, transport, timeout=0.2).connect()


async def test_a_server_that_never_answers_the_login(transport: esl.Backend) -> None:
    async with FakeFreeSwitch(silent=True) as fake:
        with pytest.raises((esl.CommandTimeout, esl.ConnectFailed)):
            await client_of(fake, transport, timeout=0.2).connect()


async def test_an_access_list_that_refuses_us(transport: esl.Backend) -> None:
    rude = b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
    async with FakeFreeSwitch(greeting=rude) as fake:
        with pytest.raises(esl.AccessDenied, match="go away"):
            await client_of(fake, transport).connect()


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad\r\n\r\n", b"SSH-2.0-x\n\n", encode_reply("+OK")])
async def test_something_that_is_no_freeswitch(transport: esl.Backend, greeting: bytes) -> None:
    async with FakeFreeSwitch(greeting=greeting) as fake:
        with pytest.raises(esl.ConnectFailed):
            await client_of(fake, transport, timeout=0.5).connect()


async def test_the_end_with_commands_pending(fake: FakeFreeSwitch, transport: esl.Backend) -> None:
    async with client_of(fake, transport) as client:
        fake.silent = True
        asked = [asyncio.create_task(client.api(f"slow {n}")) for n in range(3)]
        await asyncio.sleep(0.1)
        await fake.drop()
        for outcome in await asyncio.gather(*asked, return_exceptions=True):
            assert isinstance(outcome, esl.LinkLost)


async def test_the_end_with_a_job_pending(fake: FakeFreeSwitch, transport: esl.Backend) -> None:
    fake.answers["originate"] = _never
    async with client_of(fake, transport) as client:
        job = await client.bgapi("originate user/1000 &park()")
        await fake.drop()
        with pytest.raises(esl.LinkLost, match="job"):
            await job.result(2)


async def _never(_: str) -> str:
    await asyncio.Event().wait()
    return ""


async def test_a_lost_link_comes_back_with_its_subscriptions(fake: FakeFreeSwitch, transport: esl.Backend) -> None:
    async with client_of(fake, transport) as client:
        events = await client.subscribe("CUSTOM", "a::b")
        await client.filter("Event-Subclass", "a::b")
        await fake.drop()
        await until(lambda: client.generation == 2)
        said = fake.lines()
        again = said[len(said) - 1 - said[::-1].index("auth secret") :]
        assert again == [
            "auth secret",
            "event plain BACKGROUND_JOB",
            "event plain CUSTOM a::b",
            "filter Event-Name BACKGROUND_JOB",
            "filter Event-Subclass a::b",
        ]
        fake.fire({"Event-Name": "CUSTOM", "Event-Subclass": "a::b"})
        assert (await asyncio.wait_for(anext(events), 30)).subclass == "a::b"


async def test_without_a_link_a_command_is_surely_not_sent(fake: FakeFreeSwitch, transport: esl.Backend) -> None:
    async with client_of(fake, transport) as client:
        await fake.stop()
        await until(lambda: not client.connected)
        with pytest.raises(esl.NotConnected, match="not sent"):
            await client.api("status")
        with pytest.raises(esl.NotConnected):
            await client.wait_connected(0.1)


async def test_a_frozen_server_is_found_by_the_keep_alive(
    fake: FakeFreeSwitch, transport: esl.Backend, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_of(fake, transport, keep_alive=0.1, timeout=0.2) as client:
        fake.silent = True
        with caplog.at_level(logging.WARNING, "esl"):
            await until(lambda: "lost" in caplog.text)
        assert not client.connected
        assert "no reply" in caplog.text
        fake.silent = False
        await client.wait_connected(30)


async def test_bytes_that_are_no_protocol_end_the_link_with_a_reason(
    fake: FakeFreeSwitch, transport: esl.Backend, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_of(fake, transport) as client:
        with caplog.at_level(logging.WARNING, "esl"):
            fake.send(b"Content-Length: minus one\n\n")
            await until(lambda: client.generation == 2)
        assert "minus one" in caplog.text
        assert await client.api("status") == "UP\n"


LIES = {
    "no Content-Type": (b"Reply-Text: +OK\n\n", "Content-Type"),
    "a length that is too short": (b"Content-Type: api/response\nContent-Length: 2\n\n+OK over\n\n", "colon"),
    "a length beyond reason": (b"Content-Type: api/response\nContent-Length: 99999999999\n\n", "99999999999"),
    "a line that is no header": (b"Content-Type: api/response\nforged\n\n", "colon"),
}


@pytest.mark.parametrize("what", LIES)
async def test_what_the_protocol_forbids_fails_what_waits_with_a_reason(
    fake: FakeFreeSwitch, transport: esl.Backend, what: str
) -> None:
    lie, reason = LIES[what]
    async with client_of(fake, transport, timeout=5) as client:
        fake.silent = True
        asked = [asyncio.create_task(client.api(f"slow {n}")) for n in range(3)]
        await asyncio.sleep(0.1)
        fake.send(lie)
        outcomes = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 30)
        assert isinstance(outcomes[-1], esl.LinkLost)
        assert reason in str(outcomes[-1])
        fake.silent = False
        await client.wait_connected(30)
        assert await client.api("status") == "UP\n"


async def test_a_length_that_is_too_long_ends_in_a_reason_not_in_a_wait(
    fake: FakeFreeSwitch, transport: esl.Backend
) -> None:
    async with client_of(fake, transport, timeout=0.3) as client:
        fake.silent = True
        asked = asyncio.create_task(client.api("slow"))
        await asyncio.sleep(0.1)
        fake.send(b"Content-Type: api/response\nContent-Length: 500\n\n+OK\n")
        with pytest.raises(esl.CommandTimeout):
            await asked
        await fake.drop()
        fake.silent = False
        await until(lambda: client.generation == 2)
        assert await client.api("status") == "UP\n"


async def test_a_password_that_was_changed_meanwhile_is_told_as_a_warning(
    fake: FakeFreeSwitch, transport: esl.Backend, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_of(fake, transport):
        fake.password = "another"
        with caplog.at_level(logging.WARNING, "esl"):
            await fake.drop()
            await until(lambda: "refused the password" in caplog.text)
        assert "refused the password" in caplog.text


async def test_a_damaged_event_is_counted_and_the_next_one_arrives(
    fake: FakeFreeSwitch, transport: esl.Backend
) -> None:
    async with client_of(fake, transport) as client:
        events = await client.subscribe("HEARTBEAT")
        fake.send(b"Content-Length: 8\nContent-Type: text/event-plain\n\nno colon")
        fake.send(encode_event({"Event-Name": "HEARTBEAT", "Name": "M\u00fcller"}))
        event = await asyncio.wait_for(anext(events), 30)
        assert event["Name"] == "Müller"
        assert client.malformed == 1


async def test_an_event_flood_drops_the_oldest_and_counts_it(fake: FakeFreeSwitch, transport: esl.Backend) -> None:
    async with client_of(fake, transport) as client:
        events = await client.subscribe("DTMF", size=100)
        fake.send(b"".join(encode_event({"Event-Name": "DTMF", "n": str(n)}) for n in range(1000)))
        assert await client.api("status") == "UP\n"
        assert events.dropped == 900
        assert [(await anext(events))["n"] for _ in range(100)] == [str(n) for n in range(900, 1000)]


async def test_streams_end_when_the_client_is_closed(fake: FakeFreeSwitch, transport: esl.Backend) -> None:
    client = client_of(fake, transport)
    await client.connect()
    events = await client.subscribe("DTMF")
    await client.close()
    assert [event async for event in events] == []


async def test_a_user_of_the_directory_can_log_in(fake: FakeFreeSwitch, transport: esl.Backend) -> None:
    client = esl.Client("127.0.0.1", fake.port, "secret", user="bot@pbx", transport=transport, timeout=1)
    async with client:
        assert fake.lines()[0] == "userauth bot@pbx:secret"


# --- outbound


async def test_over_the_limit_the_socket_is_closed_at_once(transport: esl.Backend) -> None:
    release = asyncio.Event()

    async def handler(_: esl.Session) -> None:
        await release.wait()

    server = esl.Server(handler, port=0, max_sessions=1, transport=transport)
    host, port = await server.start()
    first = await FakeCall().connect(host, port)
    second = await FakeCall().connect(host, port)
    await asyncio.wait_for(second.closed.wait(), 30)
    assert not first.closed.is_set()
    await server.close()


async def test_a_handler_that_fails_ends_its_own_call_only(
    transport: esl.Backend, caplog: pytest.LogCaptureFixture
) -> None:
    good = asyncio.Event()

    async def handler(session: esl.Session) -> None:
        if session.variable("kind") == "bad":
            raise ZeroDivisionError
        good.set()
        await session.wait_ended()

    async with esl.Server(handler, port=0, transport=transport) as server:
        host, port = await server.start()
        bad = await FakeCall({"variable_kind": "bad"}).connect(host, port)
        await asyncio.wait_for(bad.closed.wait(), 30)
        await FakeCall().connect(host, port)
        await asyncio.wait_for(good.wait(), 30)
    assert "ZeroDivisionError" in caplog.text


async def test_a_caller_who_is_gone_before_connect(transport: esl.Backend) -> None:
    called = asyncio.Event()

    async def handler(_: esl.Session) -> None:
        called.set()

    async with esl.Server(handler, port=0, transport=transport, timeout=0.5) as server:
        host, port = await server.start()
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        await asyncio.sleep(0.2)
        await until(lambda: server.sessions == 0)
        assert not called.is_set()


async def test_a_peer_that_connects_and_says_nothing(transport: esl.Backend) -> None:
    async with esl.Server(_unused, port=0, transport=transport, timeout=0.2) as server:
        host, port = await server.start()
        reader, writer = await asyncio.open_connection(host, port)
        assert await asyncio.wait_for(reader.read(), 30) == b"connect\n\n"
        writer.close()


async def _unused(_: esl.Session) -> None:
    raise AssertionError("no session was opened")


async def test_a_socket_that_ends_without_a_word_ends_the_session(transport: esl.Backend) -> None:
    ended = asyncio.Event()

    async def handler(session: esl.Session) -> None:
        with pytest.raises(esl.SessionGone):
            await session.execute("sleep", "60000")
        ended.set()

    async with esl.Server(handler, port=0, transport=transport) as server:
        host, port = await server.start()
        call = FakeCall()
        call.durations["sleep"] = 60
        await call.connect(host, port)
        await asyncio.sleep(0.2)
        call.drop()
        await asyncio.wait_for(ended.wait(), 30)


async def test_locked_applications_queue_and_others_do_not(transport: esl.Backend) -> None:
    order: list[str] = []

    async def handler(session: esl.Session) -> None:
        async def run(name: str, argument: str, lock: bool) -> None:
            order.append((await session.execute(name, argument, lock=lock))["Application-Data"])

        slow = asyncio.create_task(run("playback", "first", True))
        await asyncio.sleep(0.05)
        await asyncio.gather(slow, run("playback", "second", True), run("set", "a=b", False))
        await session.hang_up()

    async with esl.Server(handler, port=0, transport=transport) as server:
        host, port = await server.start()
        call = FakeCall()
        call.durations["playback"] = 0.6
        await call.connect(host, port)
        await asyncio.wait_for(call.closed.wait(), 30)
    assert order == ["a=b", "first", "second"]
