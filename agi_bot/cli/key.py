"""``agi-bot key``: who may use the API."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from agi_bot.campaign.intake import check_name
from agi_bot.campaign.office import Office
from agi_bot.cli.screen import screen
from agi_bot.cli.store import ConfigOption, with_office
from agi_bot.errors import AgiBotError
from agi_bot.web.keys import create_key, role_named

app = typer.Typer(add_completion=False, no_args_is_help=True)
console = screen()

Name = Annotated[str, typer.Argument(help="Whose key it is, e.g. crm.")]


@app.command()
def create(
    name: Name,
    role: Annotated[str, typer.Option(help="viewer looks, operator makes tasks, admin does everything.")] = "operator",
    config: ConfigOption = None,
) -> None:
    """Make a key and print it; it cannot be printed again."""
    wanted = role_named(role)
    check_name(name, "NAME")

    async def work(office: Office) -> str:
        return await create_key(office.access, name, wanted, time.time())

    typer.echo(with_office(config, work))


@app.command("list")
def list_keys(config: ConfigOption = None) -> None:
    """All keys, without their secrets."""

    async def work(office: Office) -> list[dict[str, Any]]:
        return await office.access.keys()

    table = Table("name", "role", "made", "revoked", box=None)
    for key in with_office(config, work):
        table.add_row(key["name"], key["role"], _day(key["created_at"]), _day(key["revoked_at"]))
    console.print(table)


def _day(seconds: float | None) -> str:
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}" if seconds else ""


@app.command()
def revoke(name: Name, config: ConfigOption = None) -> None:
    """End a key; within seconds it is refused."""

    async def work(office: Office) -> bool:
        return await office.access.revoke(name, time.time())

    if not with_office(config, work):
        raise AgiBotError(f"there is no key named '{name}'", cure="agi-bot key list")
    console.print(f"{name}: revoked")
