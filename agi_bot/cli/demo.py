"""``agi-bot demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agi_bot import logs
from agi_bot.demo.scenario import scenario
from agi_bot.demo.show import run_demo


def demo(
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    report: Annotated[Path | None, typer.Option(help="Folder for report, recording and database.")] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "warning",
) -> None:
    """Put one real call through a private Asterisk: the bot talks to a simulated person."""
    logs.configure(log_level)
    run_demo(scenario(language), report, Console())
