"""``agi-bot prompts``: render what a flow will say, and report what is ready."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from agi_bot.app.prompts import Prompts, flows_below
from agi_bot.app.voices import VoiceBox
from agi_bot.cli.screen import screen
from agi_bot.config import Settings, load
from agi_bot.errors import AgiBotError
from agi_bot.flow import Flow
from agi_bot.flow import load as load_flow
from agi_bot.speech.prompts import Rendered

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Flows = Annotated[list[Path], typer.Argument(help="Flow files, or folders of them.")]
Cache = Annotated[Path | None, typer.Option(help="Folder of rendered prompts; none: the settings'.")]
Catalogue = Annotated[Path | None, typer.Option(help="Your own voices.yml; none: the settings'.")]
OwnRecordings = Annotated[Path | None, typer.Option(help="recordings.yml; none: the settings'.")]
VoiceName = Annotated[str, typer.Option(help="In place of the flow's voice, as `voice` in a task's data does.")]
Models = Annotated[Path | None, typer.Option(help="Folder of pulled voices; none: the settings'.")]
Config = Annotated[Path | None, typer.Option(help="agi-bot.yml; none: the one in this folder.")]


@app.command()
def render(
    flows: Flows,
    cache: Cache = None,
    voice: VoiceName = "",
    voices: Catalogue = None,
    recordings: OwnRecordings = None,
    models: Models = None,
    config: Config = None,
) -> None:
    """Render the fixed prompts of flows, as the running bot will look for them; only what changed is made again."""
    settings = _settings(config, cache=cache, voices=voices, recordings=recordings, models=models)
    done = asyncio.run(rendered(settings, _loaded(flows), voice))
    typer.echo(told(done))
    if done.failed:
        raise typer.Exit(1)


@app.command()
def report(
    flows: Flows,
    cache: Cache = None,
    voice: VoiceName = "",
    voices: Catalogue = None,
    recordings: OwnRecordings = None,
    models: Models = None,
    config: Config = None,
) -> None:
    """Show how much of what flows say is ready, and what is left."""
    settings = _settings(config, cache=cache, voices=voices, recordings=recordings, models=models)
    box = VoiceBox(settings)
    table = Table("flow", "prompts", "units", "fixed", "ready", box=None, pad_edge=False)
    for flow in _loaded(flows):
        found = Prompts(box, voice).ready(flow)
        table.add_row(found.flow, str(found.prompts), str(found.units), str(found.fixed), str(found.ready))
    screen().print(table)
    typer.echo(f"{box.disk_bytes / 2**20:.1f} MB in {settings.speaking.cache}")


async def rendered(settings: Settings, flows: list[Flow], voice: str = "") -> Rendered:
    """Render the fixed prompts of ``flows`` under a progress bar.

    Raises :class:`~agi_bot.errors.AgiBotError` for a voice that cannot be had.
    """
    box, report = VoiceBox(settings), Rendered()
    prompts = Prompts(box, voice)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            for flow in flows:
                task = bar.add_task(flow.name, total=prompts.count(flow))
                report.add(await prompts.render(flow, lambda task=task: bar.advance(task)))  # type: ignore[misc]
    finally:
        await box.close()
    return report


def told(done: Rendered) -> str:
    """What was rendered, and each text that could not be, in lines."""
    counted = f"rendered {done.rendered}, ready before {done.already}, failed {len(done.failed)}"
    return "\n".join([counted, *(f"  {text}: {reason}" for text, reason in done.failed)])


def _settings(config: Path | None, **given: Path | None) -> Settings:
    settings = load(config)
    wanted = {name: value for name, value in given.items() if value is not None}
    return settings.model_copy(update={"speaking": settings.speaking.model_copy(update=wanted)})


def _loaded(paths: list[Path]) -> list[Flow]:
    flows = [load_flow(file) for file in flows_below(paths)]
    if not flows:
        raise AgiBotError("there is no flow in " + ", ".join(map(str, paths)), cure="name flow files, or their folder")
    return flows
