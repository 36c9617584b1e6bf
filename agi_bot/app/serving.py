"""The bot as a service: from the first log line to the last call's end."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import time
from contextlib import suppress

from agi_bot import __version__
from agi_bot.app.exchange import exchange
from agi_bot.app.outbound import outbound
from agi_bot.app.retention import daily, retirement_of, rules_of
from agi_bot.app.running import Running, running
from agi_bot.app.warming import keep_fresh
from agi_bot.campaign.store.retention import RetentionStore
from agi_bot.config import Settings
from agi_bot.errors import EngineDown
from agi_bot.supervisor import Heart

log = logging.getLogger(__name__)

SURE_S = 10
"""A recogniser that hangs for so long without a pause does not come back by itself, s."""

LAST_CALLS_S = 60.0
"""How long calls may go on whose bot is deaf, before it is started anew."""


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
        deaf = asyncio.create_task(until_deaf(parts, stop))
        async with outbound(settings, parts):
            await stop.wait()
            log.info("bot.stopping", extra={"calls": parts.bot.running})
            for task in (*tending, deaf):
                task.cancel()
            await asyncio.gather(*tending, deaf, return_exceptions=True)
    beating.cancel()
    if not deaf.cancelled():
        raise EngineDown("the recogniser hangs for good", cure="the watchdog starts the bot anew")


async def until_deaf(parts: Running, stop: asyncio.Event) -> None:
    """Set ``stop`` when the recogniser hangs beyond help and the calls that are up had their time."""
    threads = parts.workshop.recognizer.threads
    since = 0
    while since < SURE_S:
        await asyncio.sleep(1.0)
        since = since + 1 if threads.hangs else 0
    log.critical("bot.deaf", extra={"stuck": threads.stuck, "calls": parts.bot.running})
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_CALLS_S):
            while parts.bot.running:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
    stop.set()


async def _retire(settings: Settings, parts: Running) -> None:
    if rules_of(settings).shortest:
        await daily(retirement_of(settings, RetentionStore(parts.database)))


async def _beat(heart: Heart | None, stop: asyncio.Event) -> None:
    if heart is not None:
        await heart.beat()
        stop.set()
