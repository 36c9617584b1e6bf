"""``agi-bot call``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agi_bot import logs
from agi_bot.app.exchange import beside_a_running_bot, exchange
from agi_bot.app.running import running
from agi_bot.config import Settings, load
from agi_bot.demo.terminal import Terminal, summary
from agi_bot.errors import ConfigError


def call(
    number: Annotated[str, typer.Argument(help="Number to call, as your outbound routes take it.")],
    flow: Annotated[str, typer.Argument(help="Name of the flow.")],
    data: Annotated[list[str] | None, typer.Option("--set", help="Task data, e.g. --set name=张伟")] = None,
    config: Annotated[Path | None, typer.Option(help="agi-bot.yml; none: the one in this folder.")] = None,
    caller_id: Annotated[str, typer.Option(help="Number to show.")] = "",
    ring: Annotated[float, typer.Option(help="Longest ringing, seconds.")] = 30.0,
) -> None:
    """Place one call and show the conversation."""
    settings = beside_a_running_bot(load(config))
    logs.configure("warning", settings.log.format)
    task = dict(_pair(text) for text in data or [])
    answered = asyncio.run(_call(settings, number, flow, task, caller_id, ring))
    raise typer.Exit(0 if answered else 2)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ConfigError(f"--set {text}: not name=value", cure="for example --set name=张伟")
    return name, value


async def _call(settings: Settings, number: str, flow: str, task: dict[str, str], caller_id: str, ring: float) -> bool:
    console = Console()
    terminal = Terminal(console)
    pbx = exchange(settings)
    async with running(settings, pbx, lambda call: terminal.watch) as parts:
        await pbx.start()
        try:
            disposition, record = await parts.bot.call(number, flow, task, caller_id=caller_id, ring_timeout_s=ring)
        except ValueError as error:
            raise ConfigError(str(error), cure="digits, and what your outbound routes accept") from error
    if record is None:
        console.print(f"{number}: {disposition.status.value} (cause {disposition.cause}) {disposition.detail}")
        return False
    console.print(summary(record))
    return True
