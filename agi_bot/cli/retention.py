"""``agi-bot retention``: what is deleted when, and what was."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from agi_bot.app.retention import Retirement, retirement_of
from agi_bot.campaign.store import Database
from agi_bot.campaign.store.retention import RetentionStore
from agi_bot.cli.screen import screen
from agi_bot.cli.store import ConfigOption
from agi_bot.config import Settings, load

app = typer.Typer(add_completion=False, no_args_is_help=True)
console = screen()

T = TypeVar("T")


@app.command()
def plan(
    limit: Annotated[int, typer.Option(help="Show at most so many calls.", min=0)] = 20, config: ConfigOption = None
) -> None:
    """Show what would be deleted now; delete nothing."""
    asyncio.run(_with(load(config), lambda job: _plan(job, limit)))


@app.command()
def run(config: ConfigOption = None) -> None:
    """Delete what is old now, and note each deletion (`agi-bot serve` does it once a day)."""
    swept = asyncio.run(_with(load(config), lambda job: job.run(datetime.now(UTC))))
    console.print(f"{swept.calls} calls and {swept.recordings} recordings without a call were deleted")
    if swept.failed:
        console.print(f"{swept.failed} could not be deleted: the log above tells why")
        raise typer.Exit(1)


@app.command()
def log(limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 50, config: ConfigOption = None) -> None:
    """Show what was deleted, newest first."""
    found = asyncio.run(_with_store(load(config).store.database, lambda store: store.deletions(limit)))
    table = Table("deleted at", "call", "flow", "campaign", "why", box=None)
    for one in found:
        named = one["call_id"] or one["recording"]
        table.add_row(one["at"], named, one["flow"], one["campaign_id"], one["reason"])
    console.print(table if found else "nothing has been deleted")


async def _plan(job: Retirement, limit: int) -> None:
    now = datetime.now(UTC)
    reasons: Counter[str] = Counter()
    async for one in job.plan(now):
        if sum(reasons.values()) < limit:
            call = one.call
            console.print(f"{call.call_id}  {call.started_at:%Y-%m-%d %H:%M}  {call.flow}  {call.recording}")
        reasons[one.reason] += 1
    for reason, count in reasons.most_common():
        console.print(f"{count:8} calls {reason}")
    orphans = await job.orphans(now)
    console.print(f"{sum(reasons.values())} calls and {len(orphans)} recordings without a call would be deleted")


async def _with(settings: Settings, work: Callable[[Retirement], Awaitable[T]]) -> T:
    return await _with_store(settings.store.database, lambda store: work(retirement_of(settings, store)))


async def _with_store(path: Path, work: Callable[[RetentionStore], Awaitable[T]]) -> T:
    database = Database(path)
    await database.open()
    try:
        return await work(RetentionStore(database))
    finally:
        await database.close()
