"""``agi-bot outbox``: what the CRM could not be told."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from agi_bot.campaign.office import Office
from agi_bot.campaign.store.outbox import STATES
from agi_bot.cli.screen import screen
from agi_bot.cli.store import ConfigOption, with_office
from agi_bot.errors import AgiBotError

app = typer.Typer(add_completion=False, no_args_is_help=True)
console = screen()


@app.command("list")
def list_letters(
    state: Annotated[str, typer.Option(help="waiting, delivered or dead.")] = "dead",
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 50,
    config: ConfigOption = None,
) -> None:
    """Letters in a state, newest first, with the last error."""
    if state not in STATES:
        raise AgiBotError(f"--state {state}: unknown", cure=f"one of {', '.join(STATES)}")

    async def work(office: Office) -> tuple[list[dict[str, Any]], tuple[int, int, str]]:
        return await office.outbox.listed(state, limit), await office.outbox.troubled()

    found, troubled = with_office(config, work)
    table = Table("id", "task", "outcome", "tries", "last error", box=None)
    for one in found:
        payload = one["payload"]
        row = (one["outbox_id"], payload.get("task_id", ""), payload.get("outcome", ""), one["tries"], one["error"])
        table.add_row(*(str(cell) for cell in row))
    console.print(table if found else f"no letter is {state}")
    if state != "waiting":
        _tell_waiting(*troubled)


def _tell_waiting(waiting: int, failed: int, error: str) -> None:
    """Nobody shall take letters that fail for letters that were taken."""
    if waiting:
        console.print(f"{waiting} wait (--state waiting)" + (f", {failed} after a failure: {error}" * bool(failed)))


@app.command()
def resend(
    outbox_id: Annotated[int | None, typer.Argument(help="Id of a dead letter; none: all of them.")] = None,
    config: ConfigOption = None,
) -> None:
    """Send dead letters again."""

    async def work(office: Office) -> int:
        return await office.outbox.resend(outbox_id, office.clock())

    console.print(f"{with_office(config, work)} will be sent again")
