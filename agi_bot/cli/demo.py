"""``agi-bot demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agi_bot import logs
from agi_bot.demo.campaign import run_campaign
from agi_bot.demo.scenario import scenario
from agi_bot.demo.show import run_demo, theatre_of
from agi_bot.demo.theatre import AsteriskTheatre
from agi_bot.errors import AgiBotError


def demo(
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    report: Annotated[Path | None, typer.Option(help="Folder for report, recording and database.")] = None,
    pbx: Annotated[
        str, typer.Option(help="asterisk (fetched where none is installed), or an installed freeswitch.")
    ] = "asterisk",
    campaign: Annotated[int, typer.Option(help="Call so many simulated people instead of one.", min=0, max=500)] = 0,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "warning",
) -> None:
    """Put one real call through a private exchange: the bot talks to a simulated person."""
    logs.configure(log_level)
    console = Console()
    played = scenario(language)
    theatre = theatre_of(pbx, lambda line: console.print(f"[dim]{line}[/dim]", soft_wrap=True))
    if campaign:
        if not isinstance(theatre, AsteriskTheatre):
            raise AgiBotError("--campaign needs an Asterisk", cure="install one, or leave --campaign out")
        run_campaign(campaign, report, console, theatre)
        return
    run_demo(played, report, console, theatre)
