"""``agi-bot call``."""

from __future__ import annotations

import asyncio
import re
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
from agi_bot.flow.catalogue import Catalogue
from agi_bot.flow.versions import Library
from agi_bot.switchboard import Switchboard
from agi_bot.written import narrow

DIALLED = re.compile(r"\+?[0-9*#]{1,32}(@[\w.-]+)?|[A-Za-z_][\w.-]{0,63}(@[\w.-]+)?", re.ASCII)
"""A number, or the name of an extension of one's own; for FreeSWITCH with its host."""


def call(
    number: Annotated[str, typer.Argument(help="Number to call, as your outbound routes take it.")],
    flow: Annotated[str, typer.Argument(help="Name of the flow.")],
    data: Annotated[list[str] | None, typer.Option("--set", help="Task data, e.g. --set name=张伟")] = None,
    config: Annotated[Path | None, typer.Option(help="agi-bot.yml; none: the one in this folder.")] = None,
    caller_id: Annotated[str, typer.Option(help="Number to show.")] = "",
    ring: Annotated[float, typer.Option(min=1, max=180, help="Longest ringing, seconds.")] = 30.0,
) -> None:
    """Place one call and show the conversation."""
    _check_number(number)
    task = dict(_pair(text) for text in data or [])
    settings = beside_a_running_bot(load(config))
    logs.configure("warning", settings.log.format)
    _check_flow(settings, flow, task)
    answered = asyncio.run(_call(settings, number, flow, task, caller_id, ring))
    raise typer.Exit(0 if answered else 2)


def _check_number(number: str) -> None:
    """Refuses what no route can take, before anything is loaded or asked."""
    if DIALLED.fullmatch(number):
        return
    cure = "digits 0-9, * and #, perhaps + before them; or an extension's name, which begins with a letter"
    if narrowed := narrow(number):
        cure = f"write it with half-width signs: {narrowed}"
    elif bare := re.sub(r"[\s().-]", "", number) if re.fullmatch(r"\+?[0-9 ().-]+", number) else "":
        cure = f"write it without blanks and signs: {bare}"
    raise ConfigError(f"'{number[:40]}' is not a number to call", cure=cure)


def _check_flow(settings: Settings, flow: str, task: dict[str, str]) -> None:
    """Refuses a flow that is not there and data that do not fit it, before engines start and the exchange is asked."""
    flows = Catalogue(settings.flows.folder, library=Library(settings.flows.published))
    flows.refresh()
    Switchboard(flows).expect("", flow, task)


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
