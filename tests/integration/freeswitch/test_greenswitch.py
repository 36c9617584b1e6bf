"""An application that is written with greenswitch gives its call to the bot in three lines."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from collections.abc import AsyncIterator

import pytest

from agi_bot.demo.freeswitch import OwnFreeSwitch
from tests.contracts.freeswitch_world import FreeSwitchWorld
from tests.integration.freeswitch.stage import closed_port

pytestmark = [pytest.mark.freeswitch, pytest.mark.wall_clock]

APPLICATION = """
    import sys
    from greenswitch.esl import OutboundESLServer
    from esl.green import hand_over

    class Application:
        def __init__(self, session):
            self.session = session

        def run(self):
            self.session.answer()
            hand_over(self.session, "contract", "agi_bot", NAME="张伟")

    print("ready", flush=True)
    OutboundESLServer("127.0.0.1", int(sys.argv[1]), Application).listen()
"""


@pytest.fixture
async def application() -> AsyncIterator[int]:
    """The port of a greenswitch application in a process of its own."""
    pytest.importorskip("greenswitch")
    port = closed_port()
    script = textwrap.dedent(APPLICATION)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(port), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), 20)
    await asyncio.sleep(0.3)
    yield port
    process.kill()
    await process.wait()


async def test_the_bot_takes_over_and_the_dialplan_goes_on(freeswitch: OwnFreeSwitch, application: int) -> None:
    world = FreeSwitchWorld(freeswitch, options={"variables": ("NAME",)})
    await world.start()
    call, person = await world.call(f"loopback/bot_{application}/public")
    assert call.variables["flow"] == "contract"
    assert call.variables["NAME"] == "张伟"
    assert await person.hear(5)
    await call.set_result({"BOT_OUTCOME": "confirmed"})
    await call.release()
    after = await person.after()
    assert (after["status"], after["outcome"]) == ("OK", "confirmed")
    await world.stop()


async def test_a_call_of_the_bot_can_go_through_the_greenswitch_transport(freeswitch: OwnFreeSwitch) -> None:
    world = FreeSwitchWorld(freeswitch, options={"backend": "greenswitch"})
    await world.start()
    call, person = await world.call()
    await person.press("5")
    assert await person.hear(5)
    await call.hang_up()
    await world.stop()
