"""Asterisk and the bot of the laboratory: the real ones, the bot in a process of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from agi_bot.demo.asterisk import Asterisk
from agi_bot.demo.ports import free_port
from agi_bot.demo.provision import provide
from agi_bot.shipped import shipped

FLOWS = Path(__file__).with_name("flows")
READY_S = 90.0

DIALPLAN = """
[phones]
exten => _lab.,1,Answer()
 same => n,Gosub(agi-bot,s,1(${EXTEN}))
 same => n,Hangup()
"""


@dataclass(frozen=True)
class Stage:
    """``sip``: Asterisk's UDP port.  ``bot``: process id of the bot."""

    sip: int
    version: str
    bot: int
    database: Path


@asynccontextmanager
async def stage(folder: Path, preset: str = "normal") -> AsyncIterator[Stage]:
    """Everything up; everything down again at the end."""
    agi = free_port(socket.SOCK_STREAM)
    config = _configure(folder, agi, preset)
    plans = (shipped("dialplans", "asterisk", "agi-bot.conf"),)
    installation = await asyncio.to_thread(provide, print)
    variables = {"AGI_BOT_PORT": str(agi)}
    async with Asterisk(installation, dialplans=plans, dialplan=DIALPLAN, variables=variables) as asterisk:
        with (folder / "bot.log").open("wb") as log:
            bot = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "agi_bot", "serve", "--config", str(config), stdout=log, stderr=log
            )
            try:
                await _ready(agi, bot)
                yield Stage(asterisk.layout.sip, asterisk.version, bot.pid, folder / "agi-bot.db")
            finally:
                with suppress(ProcessLookupError):
                    bot.terminate()
                await bot.wait()


def _configure(folder: Path, agi: int, preset: str) -> Path:
    path = folder / "agi-bot.yml"
    settings = {
        "asterisk": {"agi_port": agi, "audio_port": 0},
        "flows": {"folder": str(FLOWS)},
        "turns": {"preset": preset},
        "store": {"database": str(folder / "agi-bot.db"), "recordings": str(folder / "recordings")},
        "speaking": {"cache": str(folder / "prompts")},
        "supervisor": {"enabled": False},
        "log": {"level": os.environ.get("AGI_BOT_LAB_LOG", "info")},
    }
    path.write_text(yaml.safe_dump(settings), "utf-8")
    return path


async def _ready(port: int, bot: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(READY_S):
        while bot.returncode is None:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.1)
    raise SystemExit("the bot did not start: see bot.log")
