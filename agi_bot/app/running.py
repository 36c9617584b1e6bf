"""A whole bot, started and stopped in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from agi_bot.app.bot import Bot
from agi_bot.app.leftovers import Leftovers, sweeping
from agi_bot.app.life import Life
from agi_bot.app.warming import all_of, start_voices, warm_up
from agi_bot.app.workshop import Workshop
from agi_bot.campaign.store import CallStore, Database
from agi_bot.campaign.store.retention import RetentionStore
from agi_bot.campaign.store.tasks import TaskStore
from agi_bot.config import Settings
from agi_bot.contracts import Call, Pbx
from agi_bot.conversation.progress import Watcher
from agi_bot.flow.catalogue import Catalogue
from agi_bot.flow.versions import Library
from agi_bot.logs import mask_with
from agi_bot.privacy.masking import mask_text
from agi_bot.switchboard import Switchboard

log = logging.getLogger(__name__)

DRAIN_S = 15.0
"""How long running conversations may go on when the bot is stopped."""


@dataclass(frozen=True, slots=True)
class Running:
    """The parts of a running bot."""

    bot: Bot
    pbx: Pbx
    flows: Catalogue
    calls: CallStore
    workshop: Workshop
    database: Database


@asynccontextmanager
async def running(
    settings: Settings, pbx: Pbx, watch: Callable[[Call], Watcher] | None = None
) -> AsyncIterator[Running]:
    """A bot on ``pbx``: start it inside the block, where calls are taken; it is closed at the end.

    Raises :class:`~agi_bot.errors.AgiBotError` when something that it needs cannot be had.
    """
    if settings.privacy.mask:
        mask_with(mask_text)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(pbx.close)
        workshop = Workshop(settings)
        stack.push_async_callback(workshop.close)
        await workshop.start()
        database = Database(settings.store.database, settings.campaigns.number_prefixes)
        await database.open()
        stack.push_async_callback(database.close)
        calls, life = CallStore(database), Life(settings.store.database.parent / "lives")
        life.begin()
        stack.callback(life.end)
        leftovers = Leftovers(
            RetentionStore(database), settings.store.recordings, mask=settings.privacy.mask, calls=calls, life=life
        )
        await leftovers.end_lost_calls(datetime.now(UTC))
        stack.push_async_callback(_cancelled, asyncio.create_task(sweeping(leftovers)))
        flows = Catalogue(settings.flows.folder, library=Library(settings.flows.published))
        flows.refresh()
        await warm_up(workshop, all_of(flows))
        stack.push_async_callback(_cancelled, asyncio.create_task(start_voices(workshop, all_of(flows))))
        board = Switchboard(flows, settings.flows.routes, settings.flows.default, workshop.fits)
        bot = Bot(settings, pbx, workshop, board, calls, watch, TaskStore(database).placed, life.name)
        stack.callback(bot.close)
        serving = asyncio.create_task(bot.serve())
        stack.push_async_callback(_drain, pbx, serving)
        yield Running(bot, pbx, flows, calls, workshop, database)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _drain(pbx: Pbx, serving: asyncio.Task[None]) -> None:
    """No new calls; those that run may end, within :data:`DRAIN_S`."""
    await pbx.stop()
    done, _ = await asyncio.wait({serving}, timeout=DRAIN_S)
    if not done:
        log.warning("bot.calls_given_back", extra={"after_s": DRAIN_S})
        await pbx.close()
        await asyncio.wait({serving}, timeout=DRAIN_S)
        serving.cancel()
