"""``agi-bot check``."""

from __future__ import annotations

import asyncio
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from agi_bot import logs
from agi_bot.app.checkup import checkup
from agi_bot.cli.screen import screen
from agi_bot.config import Settings, load
from agi_bot.findings import Finding, Level, worst


class Exchange(StrEnum):
    """What can be checked."""

    ASTERISK = "asterisk"
    FREESWITCH = "freeswitch"


MARKS = {
    Level.OK: "[green]ok     [/green]",
    Level.WARNING: "[yellow]warning[/yellow]",
    Level.ERROR: "[red]error  [/red]",
}


def check(
    config: Annotated[Path | None, typer.Option(help="agi-bot.yml; none: the one in this folder.")] = None,
    pbx: Annotated[Exchange | None, typer.Option(help="None: the one that agi-bot.yml names.")] = None,
) -> None:
    """Tell what is wrong with this installation and what to do.  Exit status 1 for errors."""
    settings = load(config, {**os.environ, "AGI_BOT_PBX": pbx.value} if pbx else None)
    logs.configure("error")
    findings = asyncio.run(_check(settings, screen()))
    raise typer.Exit(1 if worst(findings) is Level.ERROR else 0)


async def _check(settings: Settings, console: Console) -> list[Finding]:
    findings = []
    async for finding in checkup(settings):
        findings.append(finding)
        console.print(f"{MARKS[finding.level]} {escape(finding.what)}", soft_wrap=True)
        if finding.cure:
            console.print(f"        → {escape(finding.cure)}", soft_wrap=True)
    return findings
