"""``agi-bot serve``."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from pathlib import Path
from typing import Annotated

import typer

from agi_bot import __version__, logs
from agi_bot.app.exchange import exchange
from agi_bot.app.running import Running, running
from agi_bot.config import Settings, load

log = logging.getLogger("agi_bot.serve")

REFRESH_S = 2.0
"""How often the flows folder is looked at."""


def serve(
    config: Annotated[Path | None, typer.Option(help="agi-bot.yml; none: the one in this folder.")] = None,
) -> None:
    """Take calls from the PBX until stopped (SIGTERM or Ctrl-C; running calls may end)."""
    settings = load(config)
    logs.configure(settings.log.level, settings.log.format)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    began = time.monotonic()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    pbx = exchange(settings)
    await pbx.start()
    async with running(settings, pbx) as parts:
        told = {"version": __version__, "pbx": pbx.name, "pbx_version": pbx.version, "flows": parts.flows.names()}
        log.info("bot.ready", extra={**told, "after_s": round(time.monotonic() - began, 2)})
        await _until(stop, parts)
        log.info("bot.stopping", extra={"calls": parts.bot.running})


async def _until(stop: asyncio.Event, parts: Running) -> None:
    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), REFRESH_S)
        except TimeoutError:
            await asyncio.to_thread(parts.flows.refresh)
