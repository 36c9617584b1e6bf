"""EAGI, AudioSocket on a PBX without res_agi, and the example as an admin's extensions.conf."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from agi_bot.contracts import Call
from agi_bot.demo.asterisk import Asterisk
from agi_bot.demo.installation import Installation
from agi_bot.pbx import eagi
from tests.conftest import DIALPLANS, TEST_DIALPLANS
from tests.integration.asterisk.conftest import StartBot
from tests.integration.asterisk.events import Events, listening
from tests.integration.asterisk.test_dead_bot import _mute as mute

pytestmark = [pytest.mark.asterisk, pytest.mark.wall_clock]

LISTENER = """
import os, sys
while sys.stdin.readline().strip():
    pass
def ask(command):
    print(command, flush=True)
    return sys.stdin.readline()
ask("SET AUTOHANGUP 0")
ask("ANSWER")
heard = 0
while heard < 16000:
    heard += len(os.read(3, 320))
ask("SET VARIABLE BOT_OUTCOME listened")
"""
"""Listens for a second; that is all that can be said about it."""

SLEEPER = "import time\ntime.sleep(60)\n"


def script(asterisk: Asterisk, name: str, text: str) -> str:
    """Put an EAGI script into Asterisk's agi-bin."""
    path = asterisk.layout.path("agi") / name
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return name


@pytest.mark.parametrize(
    ("text", "status", "outcome"),
    [(LISTENER, "OK", "listened"), (SLEEPER, "LOST", "unavailable"), ("", "LOST", "unavailable")],
    ids=["listens", "mute", "dies"],
)
async def test_eagi(asterisk: Asterisk, events: Events, text: str, status: str, outcome: str) -> None:
    await asterisk.set_global("AGI_BOT_EAGI", script(asterisk, "bot.py", text))
    await events.dial("eagi", "t")
    (back,) = await events.wait("After", "t")
    assert (back["status"], back["outcome"]) == (status, outcome)
    await events.wait("Fallback", "t")


async def test_a_call_by_eagi_that_the_bot_cannot_serve_is_not_ok(
    asterisk: Asterisk, events: Events, start_bot: StartBot
) -> None:
    async def refuse(call: Call) -> None:
        await call.set_result({"BOT_OUTCOME": "error"})
        await call.release()

    pbx = await start_bot(refuse)
    where = {"AGI_BOT_AGI": f"127.0.0.1:{pbx.agi.port}", "AGI_BOT_AUDIO": f"127.0.0.1:{pbx.media.port}"}
    relay = f"import os, runpy\nos.environ.update({where})\nrunpy.run_path({eagi.__file__!r}, run_name='__main__')\n"
    await asterisk.set_global("AGI_BOT_EAGI", script(asterisk, "relay.py", relay))
    await events.dial("eagi", "t")
    (back,) = await events.wait("After", "t")
    assert (back["status"], back["outcome"]) == ("FAILED", "error")
    await events.wait("Fallback", "t")


async def test_eagi_without_a_script(asterisk: Asterisk, events: Events) -> None:
    await asterisk.set_global("AGI_BOT_EAGI", "there-is-none")
    await events.dial("eagi", "t")
    (back,) = await events.wait("After", "t")
    assert back["status"] == "DOWN"


@pytest.fixture
async def bare(asterisk_installation: Installation) -> AsyncIterator[Asterisk]:
    """An Asterisk without res_agi."""
    async with Asterisk(asterisk_installation, dialplans=(*DIALPLANS, *TEST_DIALPLANS)) as running:
        for module in ("res_ari_channels", "res_stasis_answer", "res_agi"):
            await running.cli(f"module unload -f {module}.so")
        assert "0 modules loaded" in await running.cli("module show like res_agi.so")
        yield running


async def test_audiosocket_without_agi_living(bare: Asterisk, start_bot: StartBot) -> None:
    served: list[str] = []

    async def serve(call: Call) -> None:
        served.append(call.id)
        await call.release()

    bot = await start_bot(serve, ami=None)
    async with listening(bare) as there:
        await bare.set_global("AGI_BOT_AUDIO_PORT", str(bot.media.port))
        await bare.set_global("AGI_BOT_PATIENCE", "6")
        await there.dial("sound", "t")
        (back,) = await there.wait("After", "t")
    assert back["status"] == "OK"
    assert len(served) == 1, "the question whether the bot is there is no call"


async def test_audiosocket_without_agi_mute(bare: Asterisk) -> None:
    async with mute() as port, listening(bare) as there:
        await bare.set_global("AGI_BOT_AUDIO_PORT", str(port))
        await there.dial("sound", "t")
        (back,) = await there.wait("After", "t")
    assert back["status"] == "LOST"


@pytest.fixture
async def example(asterisk_installation: Installation) -> AsyncIterator[Asterisk]:
    """extensions.example.conf as it is shipped, and no bot."""
    conf = DIALPLANS[0].parent / "extensions.example.conf"
    async with Asterisk(asterisk_installation, dialplans=DIALPLANS, extensions=conf) as admins:
        await admins.set_global("AGI_BOT_PORT", "1")
        yield admins


async def test_the_example_without_a_bot_queues_the_caller(example: Asterisk) -> None:
    await example.cli("channel originate Local/400@incoming/n application Milliwatt")
    await _until(lambda: _logged(example, "BOT_OUTCOME=unavailable"))
    await _until(lambda: _says(example, "queue show nurses", "has 1 calls"))


async def test_the_example_takes_a_message_when_nobody_is_in_the_queue(example: Asterisk) -> None:
    example.layout.path("etc/queues.conf").write_text("[nurses]\njoinempty = no\n")
    await example.cli("queue reload all")
    await example.cli("channel originate Local/400@incoming/n application Milliwatt")
    await _until(lambda: _logged(example, "nurses@agi-bot-transfer:2] VoiceMail"))
    await _until(lambda: _logged(example, "Playing 'vm-"))


async def _says(asterisk: Asterisk, command: str, text: str) -> bool:
    return text in await asterisk.cli(command)


async def _logged(asterisk: Asterisk, text: str) -> bool:
    return text in await asyncio.to_thread(Path.read_text, asterisk.log)


async def _until(condition: Callable[[], Awaitable[bool]], within_s: float = 30) -> None:
    end = time.monotonic() + within_s
    while not await condition():
        assert time.monotonic() < end, f"not within {within_s} s"
        await asyncio.sleep(0.05)
