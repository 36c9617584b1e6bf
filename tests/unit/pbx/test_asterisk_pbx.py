"""AsteriskPbx on the wire, against a simulated Asterisk that misbehaves at every possible moment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Call, Digit
from agi_bot.errors import CallGone, PbxDown
from agi_bot.pbx.agi.protocol import Request
from agi_bot.pbx.asterisk import AsteriskOptions, AsteriskPbx
from agi_bot.pbx.asterisk.agi_leg import identify
from agi_bot.pbx.asterisk.direct_leg import Announcements
from agi_bot.pbx.asterisk.pbx import check_number
from agi_bot.pbx.asterisk.versions import digits_over_audiosocket, parse
from agi_bot.pbx.audiosocket import protocol
from agi_bot.pbx.names import one_line
from agi_bot.pbx.simulated import SimulatedChannel, split

NUMBER = Frame(bytes((1, 2)) * 160)


@pytest.fixture
async def pbx() -> AsyncIterator[AsteriskPbx]:
    """One that has patience with a machine that is slow at times."""
    async with _serving(wait_s=30.0) as made:
        yield made


@pytest.fixture
async def hasty() -> AsyncIterator[AsteriskPbx]:
    """One that gives up what does not come."""
    async with _serving(wait_s=0.5) as made:
        yield made


@asynccontextmanager
async def _serving(wait_s: float) -> AsyncIterator[AsteriskPbx]:
    waits = {"audio_wait_s": wait_s, "take_wait_s": wait_s, "finish_wait_s": wait_s}
    made = AsteriskPbx(AsteriskOptions(agi_port=0, audio_port=0, **waits))  # type: ignore[arg-type]
    await made.start()
    yield made
    await made.close()
    assert left_over(made) == (0, 0, 0, 0)
    assert not made._desk.busy


def left_over(pbx: AsteriskPbx) -> tuple[int, int, int, int]:
    return pbx.running, pbx.agi.sessions, len(pbx.media.lines), pbx.media.expected


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def arrive(pbx: AsteriskPbx, **who: Any) -> tuple[Call, SimulatedChannel, asyncio.Task[str]]:
    channel = SimulatedChannel(**who)
    running = asyncio.create_task(channel.run("127.0.0.1", pbx.agi.port))
    return await asyncio.wait_for(anext(aiter(pbx.calls())), 30), channel, running


async def sound() -> AsyncIterator[Frame]:
    while True:
        yield NUMBER


async def test_the_line_lives_while_nothing_plays(pbx: AsteriskPbx) -> None:
    call, channel, running = await arrive(pbx)
    heard = channel.heard()
    frames = [await asyncio.wait_for(anext(heard), 30) for _ in range(10)]
    assert {frame.pcm for frame in frames if isinstance(frame, Frame)} == {bytes(320)}
    await call.release()
    assert await running == "SUCCESS"


async def test_what_the_bot_asks_of_asterisk_in_its_order(pbx: AsteriskPbx) -> None:
    call, channel, running = await arrive(pbx, arguments=("reminder", "name=张伟"))
    assert dict(call.variables) == {"flow": "reminder", "name": "张伟"}
    await call.set_result({"BOT_OUTCOME": 'a "b" \\c\nd'})
    await call.release()
    await running
    assert channel.variables["BOT_OUTCOME"] == 'a "b" \\c d'
    verbs = [words[0] for words in channel.commands]
    assert channel.commands[0] == ["SET", "AUTOHANGUP", "0"], "the loan of the line comes first"
    assert verbs.index("ANSWER") < verbs.index("EXEC") < len(verbs) - 1


@pytest.mark.parametrize("commands_before", range(1, 9))
async def test_a_caller_who_hangs_up_after_any_command_leaves_nothing(hasty: AsteriskPbx, commands_before: int) -> None:
    channel = Impatient(commands_before)
    await asyncio.wait_for(channel.run("127.0.0.1", hasty.agi.port), 30)
    await until(lambda: left_over(hasty) == (0, 0, 0, 0))


class Impatient(SimulatedChannel):
    """Hangs up when it gets its n-th command."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    async def _carry_out(self, words: list[str]) -> bytes:
        if len(self.commands) + 1 == self.count:
            self.hang_up()
        return await super()._carry_out(words)


@pytest.mark.parametrize("commands_before", range(1, 8))
async def test_an_asterisk_that_dies_after_any_command_leaves_nothing(pbx: AsteriskPbx, commands_before: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", pbx.agi.port)
    writer.write(b"agi_network: yes\nagi_network_script: agi-bot\n\n")
    for _ in range(commands_before - 1):
        await asyncio.wait_for(reader.readline(), 30)
        writer.write(b"200 result=0\n")
    writer.transport.abort()
    await until(lambda: left_over(pbx) == (0, 0, 0, 0))


async def test_an_asterisk_that_never_connects_the_sound(hasty: AsteriskPbx, caplog: pytest.LogCaptureFixture) -> None:
    channel = Soundless()
    assert await asyncio.wait_for(channel.run("127.0.0.1", hasty.agi.port), 30) == "SUCCESS"
    assert hasty.running == 0
    reason = next(record.reason for record in caplog.records if record.message == "call.no_sound")  # type: ignore[attr-defined]
    assert "no AudioSocket connection" in reason


class Soundless(SimulatedChannel):
    async def _audio_socket(self, uuid: str, where: str) -> bytes:
        await asyncio.sleep(3)
        return b"200 result=0\n"


@pytest.mark.parametrize(
    ("answer", "word"),
    [(b"200 result=-2\n", "module load app_audiosocket"), (b"200 result=-1\n", "can Asterisk reach that address")],
)
async def test_an_asterisk_that_cannot_connect_the_sound_is_told_the_cure(
    pbx: AsteriskPbx, caplog: pytest.LogCaptureFixture, answer: bytes, word: str
) -> None:
    class Refusing(SimulatedChannel):
        async def _audio_socket(self, uuid: str, where: str) -> bytes:
            return answer

    assert await asyncio.wait_for(Refusing().run("127.0.0.1", pbx.agi.port), 30) == "SUCCESS"
    assert word in next(record.reason for record in caplog.records if record.message == "call.no_sound")  # type: ignore[attr-defined]


async def test_garbage_on_the_sound_ends_that_call_and_no_other(pbx: AsteriskPbx) -> None:
    healthy, other, other_running = await arrive(pbx)
    call, channel, running = await arrive(pbx)
    assert channel._audio is not None
    channel._audio.write(b"\x42garbage")
    with pytest.raises(CallGone):
        await asyncio.wait_for(call.play(sound()), 30)
    await call.release()
    assert await asyncio.wait_for(running, 30) == "SUCCESS"
    other.press("1")
    heard = aiter(healthy.frames())
    assert await asyncio.wait_for(anext(heard), 30) == Digit("1")
    await healthy.release()
    await other_running


async def test_a_bot_that_does_not_finish_after_the_hang_up_is_not_waited_for(hasty: AsteriskPbx) -> None:
    _, channel, running = await arrive(hasty)
    channel.hang_up()
    await asyncio.wait_for(running, 30)
    await until(lambda: left_over(hasty) == (0, 0, 0, 0))
    assert "BOT_OUTCOME" not in channel.variables


async def test_results_reach_a_channel_that_hung_up(pbx: AsteriskPbx) -> None:
    call, channel, running = await arrive(pbx)
    channel.hang_up()
    await call.set_result({"BOT_OUTCOME": "hung_up"})
    await call.hang_up()
    await running
    assert channel.variables["BOT_OUTCOME"] == "hung_up"
    assert channel.ended_by == "caller"


async def test_a_call_that_no_bot_takes_goes_back(hasty: AsteriskPbx, caplog: pytest.LogCaptureFixture) -> None:
    channel = SimulatedChannel()
    assert await asyncio.wait_for(channel.run("127.0.0.1", hasty.agi.port), 30) == "SUCCESS"
    assert "call.not_taken" in caplog.text
    call, _, running = await arrive(hasty)
    await call.release()
    await running


async def test_a_hundred_calls_at_once(pbx: AsteriskPbx) -> None:
    channels = [SimulatedChannel(caller=str(number)) for number in range(100)]
    running = [asyncio.create_task(channel.run("127.0.0.1", pbx.agi.port)) for channel in channels]
    calls = []
    async for call in pbx.calls():
        calls.append(call)
        if len(calls) == 100:
            break
    assert {call.caller for call in calls} == {str(number) for number in range(100)}
    assert pbx.running == 100
    await asyncio.gather(*(call.release() for call in calls))
    assert set(await asyncio.gather(*running)) == {"SUCCESS"}


async def test_close_gives_every_call_back() -> None:
    pbx = AsteriskPbx(AsteriskOptions(agi_port=0, audio_port=0))
    await pbx.start()
    call, _, running = await arrive(pbx)
    playing = asyncio.create_task(call.play(sound()))
    await asyncio.sleep(0.05)
    await pbx.close()
    assert await asyncio.wait_for(running, 30) == "SUCCESS"
    with pytest.raises(CallGone):
        await playing
    assert left_over(pbx) == (0, 0, 0, 0)


async def test_no_number_is_logged_above_debug(pbx: AsteriskPbx, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    call, _, running = await arrive(pbx, caller="13800138000", unique_id="1.1", variables={"BOT_FLOW": "x"})
    await call.release()
    await running
    told = [str({**record.__dict__, "channel": ""}) for record in caplog.records]
    assert {"call.arrived", "call.left"} <= {record.message for record in caplog.records}
    assert not any("13800138000" in line for line in told)


async def test_a_port_that_is_taken_leaves_nothing_open() -> None:
    first = AsteriskPbx(AsteriskOptions(agi_port=0, audio_port=0))
    await first.start()
    second = AsteriskPbx(AsteriskOptions(agi_port=first.agi.port, audio_port=0))
    with pytest.raises(PbxDown, match="FastAGI"):
        await second.start()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", second.media.port)
    await first.close()


# --- without AGI ---


async def test_a_call_without_agi_and_without_ami() -> None:
    pbx = AsteriskPbx(AsteriskOptions(agi_port=0, audio_port=0, direct=True, direct_flow="reminder"))
    await pbx.start()
    uuid = uuid4()
    reader, writer = await asyncio.open_connection("127.0.0.1", pbx.media.port)
    writer.write(protocol.encode(protocol.Hello(uuid)) + protocol.encode(Frame(bytes(640), 16000)))
    call = await asyncio.wait_for(anext(aiter(pbx.calls())), 30)
    assert (call.id, call.variables["flow"], call.rate) == (str(uuid), "reminder", 16000)
    await call.hang_up()
    assert (await asyncio.wait_for(reader.read(), 30)).endswith(protocol.HANG_UP)
    writer.close()
    await pbx.close()


async def test_an_announced_call_is_known_whether_the_news_comes_before_or_after() -> None:
    announcements = Announcements()
    early, late = str(uuid4()), str(uuid4())
    announcements.note({"userevent": "AgiBot", "uuid": early, "flow": "a"})
    announcements.note({"userevent": "SomethingElse", "uuid": late, "flow": "x"})
    assert (await announcements.take(early, 0.1))["flow"] == "a"
    waiting = asyncio.create_task(announcements.take(late, 5))
    await asyncio.sleep(0)
    announcements.note({"userevent": "AgiBot", "uuid": late.upper(), "flow": "b"})
    assert (await waiting)["flow"] == "b"
    assert await announcements.take(late, 0.01) == {}


async def test_announcements_that_nobody_takes_do_not_fill_the_memory() -> None:
    announcements = Announcements()
    for number in range(3000):
        announcements.note({"userevent": "AgiBot", "uuid": str(UUID(int=number))})
    assert len(announcements._told) == 1000


# --- pure parts ---


def request(**variables: str) -> Request:
    arguments = tuple(value for name, value in variables.items() if name.startswith("arg_"))
    return Request(variables, arguments)


@pytest.mark.parametrize(
    ("variables", "channel", "flow"),
    [
        ({"network_script": "agi-bot", "arg_1": "a"}, {"BOT_FLOW": "b"}, "a"),
        ({"network_script": "agi-bot"}, {"BOT_FLOW": "b"}, "b"),
        ({"network_script": "reminder"}, {"BOT_FLOW": "b"}, "reminder"),
        ({"network_script": "/reminder/"}, {}, "reminder"),
        ({"network_script": "handover", "arg_1": "flow=c"}, {}, "c"),
        ({}, {}, ""),
    ],
)
def test_where_the_flow_comes_from(variables: dict[str, str], channel: dict[str, str], flow: str) -> None:
    assert identify(request(**variables), channel, "").variables["flow"] == flow


def test_who_calls() -> None:
    inbound = identify(request(callerid="unknown", dnid="4001", extension="s"), {}, "")
    assert (inbound.caller, inbound.called) == ("", "4001")
    assert identify(request(dnid="unknown", extension="s"), {}, "").called == ""
    assert identify(request(dnid="unknown", extension="support"), {}, "").called == "support"
    attempt = str(uuid4())
    outbound = identify(request(callerid="400", extension="s"), {"BOT_NUMBER": "1001"}, attempt)
    assert (outbound.id, outbound.caller, outbound.called) == (attempt, "1001", "1001")
    assert identify(request(), {}, "not a uuid").id != "not a uuid"


@pytest.mark.parametrize("number", ["1001", "+8613800138000", "*98", "00-44 ".strip(), "#31#5551234"])
def test_numbers_that_can_be_dialled(number: str) -> None:
    assert check_number(number) == number


@pytest.mark.parametrize("number", ["", "1 2", "1\n2", "1/n", "1@x", "1&PJSIP/2", "1,s", "a|b", '"', "\\", "（"[:0]])
def test_numbers_that_cannot_be_dialled(number: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        check_number(number)


def test_line_ends_in_results_become_spaces() -> None:
    assert one_line("一\r\n二\0三\t四\u2028五") == "一  二 三 四 五"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22.10.1~dfsg", True),
        ("22.3", False),
        ("20.14.0", True),
        ("20.6", False),
        ("23.0", True),
        ("", True),
        ("18.9", False),
    ],
)
def test_versions_that_send_keys(text: str, expected: bool) -> None:
    assert digits_over_audiosocket(text) is expected


def test_versions_are_read_out_of_what_asterisk_says() -> None:
    assert parse("certified/20.7-cert1") == (20, 7)
    assert parse("GIT-master") is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('EXEC Set "a b"', ["EXEC", "Set", "a b"]),
        (r'SET VARIABLE A "say \"x\" \\ y"', ["SET", "VARIABLE", "A", r'say "x" \ y']),
        ('A "" B', ["A", "", "B"]),
        ("  A   B ", ["A", "B"]),
    ],
)
def test_the_simulated_asterisk_takes_lines_apart_as_the_real_one(line: str, words: list[str]) -> None:
    assert split(line) == words
