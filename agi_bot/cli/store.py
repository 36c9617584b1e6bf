"""The store as commands use it: opened for one command, also while ``agi-bot serve`` runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from agi_bot.app.outbound import defaults
from agi_bot.campaign.office import Office
from agi_bot.campaign.store import Database
from agi_bot.config import Settings, load
from agi_bot.flow.catalogue import Catalogue
from agi_bot.flow.versions import Library

T = TypeVar("T")

ConfigOption = Annotated[Path | None, typer.Option(help="agi-bot.yml; none: the one in this folder.")]


def with_office(config: Path | None, work: Callable[[Office], Awaitable[T]]) -> T:
    """``work(office)`` on the store that the settings name.  Raises :class:`~agi_bot.errors.AgiBotError`."""
    return asyncio.run(_with_office(load(config), work))


async def _with_office(settings: Settings, work: Callable[[Office], Awaitable[T]]) -> T:
    database = Database(settings.store.database, settings.campaigns.number_prefixes)
    await database.open()
    try:
        flows = Catalogue(settings.flows.folder, library=Library(settings.flows.published))
        flows.refresh()
        return await work(Office(database, flows, defaults(settings)))
    finally:
        await database.close()
