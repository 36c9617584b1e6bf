"""One suite for both transports, against the fake and against a real FreeSWITCH."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import esl
from agi_bot.demo.freeswitch import OwnFreeSwitch, find_binary
from esl import commands
from esl.testing import FakeCall, FakeFreeSwitch

DIALPLAN = Path(__file__).parent.parent / "data" / "freeswitch" / "test.xml"


class FakeWorld:
    """The fake on both sides."""

    def __init__(self) -> None:
        self.freeswitch = FakeFreeSwitch(answers={"status": "UP\n", "msleep": self._sleep, "echo": self._echo})
        self.calls: list[FakeCall] = []

    async def _sleep(self, command: str) -> str:
        await asyncio.sleep(int(command.split()[1]) / 1000)
        return "+OK\n"

    def _echo(self, command: str) -> str:
        return command.removeprefix("echo ")

    async def start(self) -> None:
        await self.freeswitch.start()

    async def stop(self) -> None:
        await self.freeswitch.stop()

    def login(self) -> tuple[int, str]:
        return self.freeswitch.port, self.freeswitch.password

    async def call(self, port: int, name: str = "caller") -> None:
        call = FakeCall({"Caller-Caller-ID-Name": name, "variable_greeting": "您好"})
        call.durations["sleep"] = 0.2
        self.calls.append(call)
        await call.connect("127.0.0.1", port)

    async def hang_up(self) -> None:
        self.calls[-1].hang_up()


class RealWorld:
    """A real FreeSWITCH that was started for all tests."""

    def __init__(self, own: OwnFreeSwitch) -> None:
        self.own = own

    async def start(self) -> None:
        self.client = self.own.client()
        await self.client.connect()

    async def stop(self) -> None:
        await self.client.api("hupall")
        await self.client.close()

    def login(self) -> tuple[int, str]:
        return self.own.ports.esl, self.own.password

    async def call(self, port: int, name: str = "caller") -> None:
        variables = f"{{origination_caller_id_name='{name}',loopback_export=greeting,greeting=您好}}"
        await self.client.bgapi(f"originate {variables}loopback/bot_{port}/public &park()")

    async def hang_up(self) -> None:
        await self.client.api("hupall")


@pytest.fixture(scope="module")
def own_freeswitch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnFreeSwitch]:
    binary = find_binary()
    if binary is None:
        pytest.skip("no FreeSWITCH: neither FREESWITCH nor the PATH names one")
    own = OwnFreeSwitch(binary, tmp_path_factory.mktemp("freeswitch"), dialplans=(DIALPLAN,))
    asyncio.run(own.start())
    yield own
    asyncio.run(own.stop())


@pytest.fixture(params=["fake", pytest.param("real", marks=(pytest.mark.freeswitch, pytest.mark.wall_clock))])
def own(request: pytest.FixtureRequest) -> OwnFreeSwitch | None:
    return request.getfixturevalue("own_freeswitch") if request.param == "real" else None


@pytest.fixture
async def world(own: OwnFreeSwitch | None) -> AsyncIterator[FakeWorld | RealWorld]:
    made = RealWorld(own) if own else FakeWorld()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(params=esl.BACKENDS)
def transport(request: pytest.FixtureRequest) -> esl.Backend:
    if request.param == "greenswitch":
        pytest.importorskip("greenswitch")
    return esl.backend(request.param)


@pytest.fixture
async def client(world: FakeWorld | RealWorld, transport: esl.Backend) -> AsyncIterator[esl.Client]:
    port, password = world.login()
    async with esl.Client("127.0.0.1", port, password, transport=transport, timeout=5) as client:
        yield client


class Served:
    """A server that hands its sessions to the test."""

    def __init__(self, transport: esl.Backend) -> None:
        self.sessions: asyncio.Queue[esl.Session] = asyncio.Queue()
        self.server = esl.Server(self._handle, port=0, transport=transport)
        self.done = asyncio.Event()
        self.port = 0

    async def _handle(self, session: esl.Session) -> None:
        self.sessions.put_nowait(session)
        await session.wait_closed()

    async def next(self) -> esl.Session:
        return await asyncio.wait_for(self.sessions.get(), 30)


@pytest.fixture
async def served(transport: esl.Backend) -> AsyncIterator[Served]:
    served = Served(transport)
    _, served.port = await served.server.start()
    yield served
    await served.server.close()


# --- inbound


async def test_an_api_command_answers_its_output(client: esl.Client) -> None:
    assert (await client.api("status")).startswith("UP")


async def test_an_unknown_api_command_fails(client: esl.Client) -> None:
    with pytest.raises(esl.CommandFailed, match="not found"):
        await client.api("no_such_command")


async def test_the_reply_is_that_of_the_command_even_when_many_ask_at_once(client: esl.Client) -> None:
    asked = [f"echo number {n} 您好" for n in range(50)]
    answers = await asyncio.gather(*[client.api(command) for command in asked])
    assert [f"echo {answer.strip()}" for answer in answers] == asked


async def test_a_wrong_password(world: FakeWorld | RealWorld, transport: esl.Backend) -> None:
    port, _ = world.login()
    with pytest.raises(esl.WrongPassword):
        await esl.Client("127.0.0.1", port, "wrong", transport=transport, timeout=5).connect()


async def test_nobody_listens(transport: esl.Backend) -> None:
    with pytest.raises(esl.ConnectFailed, match=r"127\.0\.0\.1:1 "):
        await esl.Client("127.0.0.1", 1, "x", transport=transport, timeout=5).connect()


async def test_jobs_run_at_once_and_each_gets_its_own_result(client: esl.Client) -> None:
    jobs = [await client.bgapi(f"msleep {ms}") for ms in (300, 100, 200)]
    echo = await client.bgapi("echo 您好", job_id="my-own-id")
    assert echo.id == "my-own-id"
    assert (await echo.result(5)).strip() == "您好"
    assert [(await job.result(5)).strip() for job in jobs] == ["+OK"] * 3


async def test_a_job_that_fails_tells_the_reason(client: esl.Client) -> None:
    job = await client.bgapi("no_such_command")
    with pytest.raises(esl.CommandFailed) as failure:
        await job.result(5)
    assert "not found" in failure.value.reason


async def test_a_slow_command_runs_into_its_time_limit_and_the_next_reply_is_not_mixed_up(
    client: esl.Client,
) -> None:
    with pytest.raises(esl.CommandTimeout, match="msleep"):
        await client.api("msleep 400", timeout=0.1)
    assert (await client.api("echo after")).strip() == "after"


HARD = {"plain": "x%0AHangup-Cause: FAKED", "chinese": "张伟", "colon": "a: b", "percent": "100 %"}


async def test_events_bring_what_was_sent_and_nothing_forged(client: esl.Client) -> None:
    body = "Hangup-Cause: FAKED\nContent-Length: 7\n\n您好"
    with await client.subscribe("CUSTOM", "test::hard") as events:
        headers = {"Event-Subclass": "test::hard", **HARD}
        await client.tell(commands.send_event("CUSTOM", headers, body))
        event = await asyncio.wait_for(anext(events), 30)
    assert event.subclass == "test::hard"
    assert {name: event[name] for name in HARD} == {**HARD, "plain": event["plain"]}
    assert event["plain"] in (HARD["plain"], "x\nHangup-Cause: FAKED")
    assert event.get("Hangup-Cause") == ""
    assert event.body == body


async def test_a_stream_gets_only_what_it_asked_for(client: esl.Client) -> None:
    with await client.subscribe("CUSTOM", "test::a") as a, await client.subscribe("CUSTOM", "test::b") as b:
        for subclass in ("test::b", "test::a"):
            await client.tell(commands.send_event("CUSTOM", {"Event-Subclass": subclass}))
        assert (await asyncio.wait_for(anext(a), 30)).subclass == "test::a"
        assert (await asyncio.wait_for(anext(b), 30)).subclass == "test::b"


async def test_after_close_nothing_is_sent(client: esl.Client) -> None:
    await client.close()
    with pytest.raises(esl.NotConnected):
        await client.api("status")


async def test_a_newline_in_a_command_is_our_own_fault(client: esl.Client) -> None:
    with pytest.raises(esl.LocalProtocolError):
        await client.api("status\n\napi hupall")
    assert await client.api("status")


# --- outbound


async def test_a_call_arrives_with_its_data(world: FakeWorld | RealWorld, served: Served) -> None:
    await world.call(served.port, name="x%0AHangup-Cause: FAKED")
    session = await served.next()
    assert session.uuid
    assert session.variable("greeting") == "您好"
    assert session.data["Caller-Caller-ID-Name"].startswith("x")
    assert "Hangup-Cause" not in session.data


async def test_completions_are_never_mixed_up(world: FakeWorld | RealWorld, served: Served) -> None:
    await world.call(served.port)
    session = await served.next()
    slow = asyncio.create_task(session.execute("sleep", "200"))
    sets = [asyncio.create_task(session.execute("set", f"v{n}=您好 {n}\nline two")) for n in range(5)]
    done = await asyncio.wait_for(asyncio.gather(slow, *sets), 30)
    assert [event["Application"] for event in done] == ["sleep"] + ["set"] * 5
    assert [event["Application-Data"] for event in done[1:]] == [f"v{n}=您好 {n}\nline two" for n in range(5)]


async def test_variables_are_set_before_the_next_command(world: FakeWorld | RealWorld, served: Served) -> None:
    await world.call(served.port)
    session = await served.next()
    for value in ("one", "您好 两", "two\nlines"):
        await session.set_variable("bot_value", value)
        assert await session.get_variable(session.uuid, "bot_value") == value


async def test_the_callers_hang_up_ends_everything_that_waits(world: FakeWorld | RealWorld, served: Served) -> None:
    await world.call(served.port)
    session = await served.next()
    waiting = asyncio.create_task(session.execute("sleep", "60000"))
    if isinstance(world, FakeWorld):
        world.calls[-1].durations["sleep"] = 60
    await asyncio.sleep(0.2)
    await world.hang_up()
    with pytest.raises(esl.SessionGone):
        await asyncio.wait_for(waiting, 30)
    await asyncio.wait_for(session.wait_closed(), 30)
    assert session.cause
    with pytest.raises(esl.SessionGone):
        await session.execute("answer")


async def test_we_hang_up(world: FakeWorld | RealWorld, served: Served) -> None:
    await world.call(served.port)
    session = await served.next()
    await session.hang_up("USER_BUSY")
    await session.hang_up()
    await asyncio.wait_for(session.wait_ended(), 30)
    # FreeSWITCH may say goodbye before it tells the cause.
    await asyncio.wait_for(session.wait_closed(), 30)
    assert session.cause == "USER_BUSY"


async def test_many_calls_at_once_are_kept_apart(world: FakeWorld | RealWorld, served: Served) -> None:
    for _ in range(10):
        await world.call(served.port)
    sessions = [await served.next() for _ in range(10)]
    assert len({session.uuid for session in sessions}) == 10
    events = await asyncio.wait_for(
        asyncio.gather(*[session.execute("set", f"who={session.uuid}") for session in sessions]), 10
    )
    assert [event.uuid for event in events] == [session.uuid for session in sessions]


async def test_a_job_of_a_session(world: FakeWorld | RealWorld, served: Served) -> None:
    await world.call(served.port)
    session = await served.next()
    job = await session.bgapi(f"uuid_getvar {session.uuid} no_such_variable")
    assert await job.result(5) == "_undef_"
