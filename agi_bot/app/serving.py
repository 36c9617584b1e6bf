"""The bot as a service: from the first log line to the last call's end."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import time

from agi_bot import __version__
from agi_bot.app.exchange import exchange
from agi_bot.app.outbound import outbound
from agi_bot.app.retention import daily, retirement_of, rules_of
from agi_bot.app.running import Running, running
from agi_bot.app.warming import keep_fresh
from agi_bot.campaign.store.retention import RetentionStore
from agi_bot.config import Settings
from agi_bot.supervisor import Heart

log = logging.getLogger(__name__)


async def serve(settings: Settings, heart: Heart | None = None) -> None:
    """Take calls until SIGTERM, SIGINT or the end of the watchdog that listens to ``heart``.

    Raises :class:`~agi_bot.errors.AgiBotError` when the bot cannot start.
    """
    began = time.monotonic()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    pbx = exchange(settings)
    async with running(settings, pbx) as parts:
        await pbx.start()
        # What is loaded now stays: without this the collector looks through all of it, 100 ms long, in mid-call.
        gc.collect()
        gc.freeze()
        told = {
            "version": __version__,
            "pbx": pbx.name,
            "pbx_version": pbx.version,
            "flows": ",".join(parts.flows.names()),
        }
        log.info("bot.ready", extra={**told, "after_s": round(time.monotonic() - began, 2)})
        beating = asyncio.create_task(_beat(heart, stop))
        works = (_retire(settings, parts), keep_fresh(parts.workshop, parts.flows))
        tending = [asyncio.create_task(work) for work in works]
        async with outbound(settings, parts):
            await stop.wait()
            log.info("bot.stopping", extra={"calls": parts.bot.running})
            for task in tending:
                task.cancel()
            await asyncio.gather(*tending, return_exceptions=True)
    beating.cancel()


async def _retire(settings: Settings, parts: Running) -> None:
    if rules_of(settings).shortest:
        await daily(retirement_of(settings, RetentionStore(parts.database)))


async def _beat(heart: Heart | None, stop: asyncio.Event) -> None:
    if heart is not None:
        await heart.beat()
        stop.set()
