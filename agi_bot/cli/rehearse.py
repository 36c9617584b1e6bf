"""``agi-bot rehearse`` and ``agi-bot replay``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console

from agi_bot.cli.authoring import Desk
from agi_bot.cli.rehearsing import Stage, hook_answer
from agi_bot.cli.replaying import compare, read_calls, show
from agi_bot.cli.sound import Studio
from agi_bot.config import Settings
from agi_bot.config import load as load_settings
from agi_bot.errors import ConfigError
from agi_bot.flow import Flow, load
from agi_bot.flow.versions import Library

Config = Annotated[Path | None, typer.Option(help="agi-bot.yml; none: the one in this folder.")]


def rehearse(
    flow: Annotated[str, typer.Argument(help="Flow file, or name of a flow.")],
    data: Annotated[list[str] | None, typer.Option("--set", help="Task data, e.g. --set name=张伟")] = None,
    now: Annotated[str, typer.Option(help="The clock of the call, e.g. 2026-11-24T09:00; none: now.")] = "",
    hooks: Annotated[
        list[str] | None, typer.Option("--hook", help="What a hook answers, e.g. --hook shop.stock='{\"left\": 3}'")
    ] = None,
    audio: Annotated[
        Path | None, typer.Option(help="Speak into WAV files in this folder; a line NAME.wav is heard.")
    ] = None,
    config: Config = None,
) -> None:
    """Type what the caller says; see what the bot says, the intent, the slots, and where you are."""
    settings = load_settings(config)
    desk = Desk(settings)
    found = desk.find(flow)
    task = {**found.example_task(), **dict(_pair(text, "--set") for text in data or [])}
    answers = {name: hook_answer(value) for name, value in (_pair(text, "--hook") for text in hooks or [])}
    asyncio.run(_rehearse(settings, desk, found, task, _clock(now, settings), answers, audio))


async def _rehearse(
    settings: Settings,
    desk: Desk,
    flow: Flow,
    task: Mapping[str, Any],
    now: datetime,
    answers: dict[str, Any],
    audio: Path | None,
) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if differs := Library(settings.flows.published).standing(flow):
        console.print(f"{differs}; you rehearse the file", style="yellow", markup=False)
    fallback = await desk.answering(flow)
    stage = Stage(flow, await desk.interpreter(flow), flow.read_task(task), now, answers, fallback, console)
    if audio is None:
        await stage.run(sys.stdin)
        return
    async with Studio(settings, flow, audio) as studio:
        await stage.run(sys.stdin, studio)


def replay(
    calls: Annotated[
        list[str] | None, typer.Argument(help="Ids of stored calls, or files with calls as JSON; none: the latest.")
    ] = None,
    flow: Annotated[str, typer.Option(help="Flow file or name to run them against; none: each call's own flow.")] = "",
    limit: Annotated[int, typer.Option(help="How many of the latest calls, where none are named.")] = 100,
    from_recording: Annotated[
        bool, typer.Option("--recording", help="Hear the recordings again with the present model.")
    ] = False,
    differing: Annotated[bool, typer.Option("--differing", help="Only list the calls that would differ.")] = False,
    form: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    config: Config = None,
) -> None:
    """Run stored calls against another flow version or model; exit status 1 when one would differ."""
    settings = load_settings(config)
    desk = Desk(settings)
    against = _flow(desk, flow) if flow else None
    records = asyncio.run(read_calls(settings, calls or [], limit))
    differences = asyncio.run(compare(settings, desk, records, against, from_recording))
    typer.echo(show(differences, form, differing))
    if any(not difference.same for difference in differences):
        raise typer.Exit(1)


def _flow(desk: Desk, name: str) -> Flow:
    return load(name) if Path(name).is_file() else desk.find(name)


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ConfigError(f"{option} {text}: not name=value", cure=f"for example {option} name=value")
    return name, value


def _clock(text: str, settings: Settings) -> datetime:
    try:
        zone = ZoneInfo(settings.flows.timezone)
        moment = datetime.fromisoformat(text) if text else datetime.now(zone)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise ConfigError(f"--now {text}: {error}", cure="write it like 2026-11-24T09:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
