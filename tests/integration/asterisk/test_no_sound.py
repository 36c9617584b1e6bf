"""Callers of whom no packet comes: telephones that suppress silence, are muted or on hold."""

from __future__ import annotations

import sys

import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Call
from agi_bot.demo.asterisk import Asterisk
from agi_bot.pbx import eagi
from agi_bot.pbx.asterisk.pbx import AsteriskPbx
from agi_bot.pbx.audiosocket import MediaLimits
from tests.integration.asterisk.conftest import StartBot
from tests.integration.asterisk.events import Events

pytestmark = [pytest.mark.asterisk, pytest.mark.wall_clock]

SECONDS = 3


async def _relay(asterisk: Asterisk, pbx: AsteriskPbx) -> None:
    """The EAGI script of this ``pbx``."""
    where = {"AGI_BOT_AGI": f"127.0.0.1:{pbx.agi.port}", "AGI_BOT_AUDIO": f"127.0.0.1:{pbx.media.port}"}
    script = asterisk.layout.path("agi") / "quiet.py"
    text = f"import os, runpy\nos.environ.update({where})\nrunpy.run_path({eagi.__file__!r}, run_name='__main__')\n"
    script.write_text(f"#!{sys.executable}\n{text}")
    script.chmod(0o755)
    await asterisk.set_global("AGI_BOT_EAGI", script.name)


@pytest.mark.parametrize("way", ["bot", "sound", "eagi"])
async def test_the_time_of_a_call_goes_on_while_no_packet_comes(
    asterisk: Asterisk, events: Events, start_bot: StartBot, way: str
) -> None:
    heard: list[Frame] = []

    async def serve(call: Call) -> None:
        async for item in call.frames():
            heard.extend([item] if isinstance(item, Frame) else [])
            if len(heard) == SECONDS * 50:
                await call.set_result({"BOT_OUTCOME": "silent"})
                break
        await call.release()

    pbx = await start_bot(serve)
    await _relay(asterisk, pbx)
    await events.dial(way, "t", application="Wait", data="60")
    (back,) = await events.wait("After", "t")
    assert (back["status"], back["outcome"]) == ("OK", "silent")
    assert not any(any(frame.pcm) for frame in heard)


async def test_a_line_that_is_cut_because_nothing_comes_was_not_hung_up_by_the_caller(
    asterisk: Asterisk, events: Events, start_bot: StartBot
) -> None:
    lost: list[str] = []

    async def serve(call: Call) -> None:
        async for _ in call.frames():
            pass
        lost.append(call.lost)
        await call.set_result({"BOT_OUTCOME": "error"})
        await call.release()

    pbx = await start_bot(serve)
    pbx.media._limits = MediaLimits(quiet_s=1.0)
    await events.dial("bot", "t", application="Wait", data="60")
    (back,) = await events.wait("After", "t")
    assert lost == ["nothing came for 1 s"]
    assert (back["status"], back["outcome"]) == ("FAILED", "error")
    await events.wait("Fallback", "t")
