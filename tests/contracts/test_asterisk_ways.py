"""What only a real Asterisk can show: the other ways in and out, broken links, hang-ups at any moment."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from panoramisk import fast_agi

from agi_bot.contracts import Call, Status
from agi_bot.demo.asterisk import Asterisk
from agi_bot.errors import PbxDown
from agi_bot.pbx import eagi
from agi_bot.pbx.ami import Ami, AmiOptions
from agi_bot.pbx.handover import Talk, hand_over
from tests.contracts.telephones import AsteriskWorld, pace, some
from tests.contracts.test_call_contract import heard_of_a_play, numbered, numbers, until

pytestmark = [pytest.mark.asterisk, pytest.mark.wall_clock]

Make = Callable[..., Awaitable[AsteriskWorld]]


@pytest.fixture
async def make_world(contract_asterisk: Asterisk) -> AsyncIterator[Make]:
    worlds: list[AsteriskWorld] = []

    async def make(line: str = "contract-line", **options: object) -> AsteriskWorld:
        world = AsteriskWorld(contract_asterisk, line=line, options=options)
        worlds.append(world)
        await world.start()
        return world

    yield make
    for world in worlds:
        await world.stop()


async def nothing_is_left(world: AsteriskWorld) -> None:
    pbx = world.pbx
    await until(lambda: not (pbx.running or pbx.agi.sessions or pbx.media.lines or pbx.media.expected))


# --- AudioSocket alone ---


async def test_a_call_without_agi_brings_its_flow_and_takes_results_by_ami(make_world: Make) -> None:
    world = await make_world("contract-direct", direct=True)
    call, person = await world.call()
    assert (call.variables["flow"], call.caller) == ("contract", "1001")
    assert call.channel
    await call.play(pace(numbered(10)))
    assert max(await heard_of_a_play(person)) == 10
    await call.set_result({"BOT_OUTCOME": "confirmed", "BOT_SLOT_NAME": '张伟 "(x), \\y"'})
    await call.transfer("nurses")
    after = await person.after()
    assert (after["outcome"], after["slot"], after["transfer"]) == ("confirmed", '张伟 "(x), \\y"', "nurses")


async def test_a_call_without_agi_and_without_ami_gets_the_default_flow(make_world: Make) -> None:
    world = await make_world("contract-direct", direct=True, direct_flow="reminder", ami=None)
    call, person = await world.call()
    assert (call.variables["flow"], call.channel) == ("reminder", "")
    await call.release()
    assert (await person.after())["status"] == "OK"


async def test_a_call_without_agi_is_hung_up_by_ami(make_world: Make) -> None:
    world = await make_world("contract-direct", direct=True)
    call, person = await world.call()
    heard = asyncio.create_task(some(person._heard, 10**6))  # type: ignore[attr-defined]
    await call.hang_up()
    await asyncio.wait_for(heard, 30)
    await nothing_is_left(world)


async def test_a_uuid_that_nobody_expects_is_refused(make_world: Make) -> None:
    world = await make_world("contract-direct", direct=False)
    uuid, person = world.expect()
    await world.originate(uuid)
    await asyncio.wait_for(person, 30)
    await asyncio.wait_for(world.afterwards(str(uuid)), 30)
    assert world.pbx.running == 0


# --- ways out ---


async def test_a_transfer_by_redirect(make_world: Make) -> None:
    world = await make_world(transfer_context="contract-transfer")
    call, person = await world.call()
    await call.transfer("nurses")
    assert (await person.after())["status"] == "REDIRECTED"


async def test_audio_that_asterisk_cannot_reach_leaves_the_call_to_the_dialplan(make_world: Make) -> None:
    world = await make_world(audio_address="127.0.0.1:1")
    uuid, _ = world.expect()
    await world.originate(uuid)
    after = await asyncio.wait_for(world.afterwards(str(uuid)), 30)
    assert after["status"] == "LOST"
    await nothing_is_left(world)


@pytest.mark.parametrize("when_ms", [0, 5, 10, 20, 40, 80, 200, 550, 600])
async def test_a_hang_up_at_any_moment_leaves_nothing_behind(make_world: Make, when_ms: int) -> None:
    world = await make_world()
    people = [world.expect()[0] for _ in range(5)]
    for uuid in people:
        await world.originate(uuid)
    await asyncio.sleep(when_ms / 1000)
    for uuid in people:
        await world.admin.action("Hangup", {"Channel": world.leg(uuid)})
    releasing = asyncio.create_task(_release_all(world))
    await world._until_quiet()
    await nothing_is_left(world)
    releasing.cancel()


async def test_a_hang_up_while_the_bot_ends_the_call(make_world: Make) -> None:
    world = await make_world()
    for end in ("release", "hang_up"):
        call, person = await world.call()
        await asyncio.gather(getattr(call, end)(), person.hang_up())
    call, person = await world.call()
    await asyncio.gather(call.transfer("nurses"), person.hang_up())
    await nothing_is_left(world)


async def _release_all(world: AsteriskWorld) -> None:
    async for call in world.pbx.calls():
        await call.release()


# --- panoramisk ---


@asynccontextmanager
async def panoramisk_application(world: AsteriskWorld, bot: str = "") -> AsyncIterator[asyncio.Future[Talk]]:
    """An application as its author would write it."""
    talked: asyncio.Future[Talk] = asyncio.get_running_loop().create_future()

    async def call_waiting(request: fast_agi.Request) -> None:
        await request.send_command("ANSWER")
        address = bot or f"127.0.0.1:{world.pbx.agi.port}"
        talk = await hand_over(request, "reminder", bot=address, slots=["name"], values={"who": "张伟"})
        talked.set_result(talk)
        if talk.transfer:
            await request.send_command("VERBOSE transferring")

    application = fast_agi.Application(loop=asyncio.get_running_loop())
    application.add_route("start", call_waiting)
    server = await asyncio.start_server(application.handler, "127.0.0.1", 0)
    where = f"127.0.0.1:{server.sockets[0].getsockname()[1]}/start"
    await world.admin.action("Setvar", {"Variable": "PANORAMISK_AT", "Value": where})
    yield talked
    server.close()


async def test_a_panoramisk_application_hands_its_call_over_and_goes_on(make_world: Make) -> None:
    world = await make_world("contract-handover")
    async with panoramisk_application(world) as talked:
        call, person = await world.call()
        assert (call.variables["flow"], call.variables["who"]) == ("reminder", "张伟")
        await call.set_result({"BOT_OUTCOME": "confirmed", "BOT_INTENT": "affirm", "BOT_SLOT_NAME": "张伟 (x)"})
        await asyncio.sleep(5)  # longer than a loan of the line
        await call.transfer("nurses")
        talk = await asyncio.wait_for(talked, 30)
        assert talk == Talk("confirmed", "affirm", "nurses", {"name": "张伟 (x)"})
        assert (await person.after())["transfer"] == "nurses"


async def test_a_panoramisk_application_goes_on_without_a_bot(make_world: Make) -> None:
    world = await make_world("contract-handover")
    async with panoramisk_application(world, bot="127.0.0.1:1") as talked:
        uuid, _ = world.expect()
        await world.originate(uuid)
        talk = await asyncio.wait_for(talked, 30)
        assert (talk.finished, talk.hung_up) == (False, False)
        await asyncio.wait_for(world.afterwards(str(uuid)), 30)


async def test_a_panoramisk_application_learns_of_a_hang_up(make_world: Make) -> None:
    world = await make_world("contract-handover")
    async with panoramisk_application(world) as talked:
        call, person = await world.call()
        await person.hang_up()
        await call.release()
        assert (await asyncio.wait_for(talked, 30)).hung_up


# --- EAGI ---


@pytest.fixture
def relay(tmp_path: Path) -> Callable[[AsteriskWorld], Awaitable[None]]:
    async def install(world: AsteriskWorld) -> None:
        script = tmp_path / "agi-bot-eagi"
        agi, audio = world.pbx.agi.port, world.pbx.media.port
        script.write_text(
            "#!/bin/sh\n"
            f"AGI_BOT_AGI=127.0.0.1:{agi} AGI_BOT_AUDIO=127.0.0.1:{audio} exec {sys.executable} {eagi.__file__}\n"
        )
        script.chmod(0o755)
        for folder in (tmp_path, *tmp_path.parents[:2]):
            os.chmod(folder, 0o755)
        await world.admin.action("Setvar", {"Variable": "EAGI_SCRIPT", "Value": str(script)})

    return install


async def test_an_eagi_bot_hears_and_plays_files(
    make_world: Make, relay: Callable[[AsteriskWorld], Awaitable[None]]
) -> None:
    world = await make_world("contract-eagi")
    await relay(world)
    call, person = await world.call()
    assert (call.variables["flow"], call.caller) == ("contract", "1001")
    await call.play(pace(numbered(50)))
    got = await heard_of_a_play(person)
    assert got == sorted(got)
    assert len(set(got)) >= 45
    hearing = asyncio.create_task(_hear_until(call, 40))
    await person.speak(numbered(40))
    assert await asyncio.wait_for(hearing, 30) >= 35
    await call.set_result({"BOT_OUTCOME": "confirmed"})
    await call.release()
    assert (await person.after())["outcome"] == "confirmed"
    await nothing_is_left(world)


async def test_an_eagi_caller_who_hangs_up_ends_the_call(
    make_world: Make, relay: Callable[[AsteriskWorld], Awaitable[None]]
) -> None:
    world = await make_world("contract-eagi")
    await relay(world)
    call, person = await world.call()
    await person.hang_up()
    async with asyncio.timeout(30):
        async for _ in call.frames():
            pass
    await call.release()
    await nothing_is_left(world)


async def _hear_until(call: Call, last: int) -> int:
    """How many different frames were heard, once number ``last`` was."""
    seen: set[int] = set()
    async for frame in call.frames():
        seen.update(numbers([frame]))  # type: ignore[list-item]
        if last in seen:
            break
    return len(seen)


# --- AMI ---


class Proxy:
    """A cable between the bot and AMI that can be cut."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._open: list[asyncio.StreamWriter] = []
        self.swallow = False

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    def close(self) -> None:
        self._server.close()
        self.cut()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._open += [writer, back]
        await asyncio.gather(self._pass(reader, back, True), self._pass(there, writer, False), return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, forward: bool) -> None:
        while data := await reader.read(65536):
            if forward or not self.swallow:
                writer.write(data)
        writer.close()


async def test_a_call_whose_link_was_lost_after_the_originate_is_followed_and_dialled_once(
    make_world: Make, contract_asterisk: Asterisk
) -> None:
    layout = contract_asterisk.layout
    cable = Proxy(layout.ami)
    port = await cable.start()
    world = await make_world(ami=AmiOptions(user=layout.user, secret=layout.secret, port=port))
    ami = world.pbx.ami
    assert ami is not None
    cable.swallow = True
    attempt = await world.pbx.originate("1003", call_id=str(uuid4()))
    await asyncio.sleep(0.3)
    cable.swallow = False
    cable.cut()
    await until(lambda: ami.connected)
    await asyncio.sleep(1)
    ringing = [line for line in await world.admin.command("core show channels concise") if "1003@contract-out" in line]
    assert len(ringing) == 2, "one call is two halves of one Local channel"
    await world.admin.action("Hangup", {"Channel": attempt.call_id})
    ended = await asyncio.wait_for(attempt.outcome(), 30)
    told = (Status.NO_ANSWER, Status.UNKNOWN)
    assert ended.status in told, "by the events that came before the channel was gone, or nobody told"
    cable.close()


async def test_an_originate_without_a_link_is_surely_not_sent(make_world: Make, contract_asterisk: Asterisk) -> None:
    layout = contract_asterisk.layout
    cable = Proxy(layout.ami)
    port = await cable.start()
    world = await make_world(ami=AmiOptions(user=layout.user, secret=layout.secret, port=port))
    cable.close()
    ami = world.pbx.ami
    assert ami is not None
    await until(lambda: not ami.connected)
    with pytest.raises(PbxDown, match="not connected"):
        await world.pbx.originate("1001", call_id=str(uuid4()))


async def test_a_refused_login_tells_what_to_compare(contract_asterisk: Asterisk) -> None:
    ami = Ami(AmiOptions(user="agi-bot", secret="wrong", port=contract_asterisk.layout.ami))
    with pytest.raises(PbxDown, match=r"refused the login.*manager\.conf"):
        await ami.connect()
    assert not ami.connected


async def test_an_ami_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises(PbxDown, match="cannot be reached"):
        await Ami(AmiOptions(user="a", secret="b", port=1)).connect()


# --- the shipped dialplan around an outbound call ---


@pytest.mark.parametrize("end", ["hang_up", "release"])
async def test_an_outbound_call_of_the_shipped_dialplan_ends_and_is_gone(make_world: Make, end: str) -> None:
    world = await make_world(context="agi-bot", extension="answered")
    uuid, _ = world.expect()
    variables = {"PERSON": str(uuid), "BOT_FLOW": "contract"}
    attempt = await world.pbx.originate("1001", call_id=str(uuid4()), variables=variables)
    call = await asyncio.wait_for(anext(aiter(world.pbx.calls())), 30)
    assert (call.id, call.variables["flow"]) == (attempt.call_id, "contract")
    await call.set_result({"BOT_OUTCOME": "confirmed"})
    await getattr(call, end)()
    await world._until_quiet()
    steps = (await world.asterisk.cli("core show calls")).splitlines()
    assert steps[0].startswith("0 active calls")


async def test_a_leg_of_an_attempt_that_the_bot_forgot_keeps_its_id_and_number(make_world: Make) -> None:
    """As after a restart of the bot, or a lost AMI link, between the dialling and the answer."""
    world = await make_world()
    uuid, _ = world.expect()
    call_id = str(uuid4())
    attempt = await world.pbx.originate(
        "1001", call_id=call_id, variables={"PERSON": str(uuid), "BOT_FLOW": "contract"}
    )
    assert world.pbx._desk._attempts.pop(call_id) is attempt
    call = await asyncio.wait_for(anext(aiter(world.pbx.calls())), 30)
    assert (call.id, call.caller, call.called, call.variables["flow"]) == (call_id, "1001", "1001", "contract")
    await call.hang_up()
