"""``agi-bot prompts``: render what a flow will say, and report what is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from agi_bot.flow import Flow, load
from agi_bot.flow.places import texts
from agi_bot.flow.template import protected_pieces
from agi_bot.flow.wording import fixed_words
from agi_bot.speech.prompts import CachedVoice, Part, PromptStore, Recordings
from agi_bot.speech.voices import DEFAULT_FOLDER, Voices

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Flows = Annotated[list[Path], typer.Argument(help="Flow files, or folders of them.")]
Cache = Annotated[Path, typer.Option(help="Folder of rendered prompts.", envvar="AGI_BOT_SPEAKING__CACHE")]
CacheMb = Annotated[float, typer.Option(help="Largest size of that folder, MB.", envvar="AGI_BOT_SPEAKING__CACHE_MB")]
Catalogue = Annotated[Path | None, typer.Option(help="Your own voices.yml.", envvar="AGI_BOT_SPEAKING__VOICES")]
OwnRecordings = Annotated[Path | None, typer.Option(help="recordings.yml: own recordings in place of prompts.")]
VoiceName = Annotated[str, typer.Option(help="Voice; none: the one that the flow names.")]
Models = Annotated[Path, typer.Option(help="Folder of pulled voices.", envvar="AGI_BOT_VOICES_FOLDER")]
DEFAULT_CACHE = Path("agi-bot-data/prompts")


@dataclass(frozen=True, slots=True)
class Ready:
    """What a flow says, in units: how many, how many are the same in every call, how many of those are ready."""

    flow: str
    prompts: int
    units: int
    fixed: int
    ready: int


@app.command()
def render(
    flows: Flows,
    cache: Cache = DEFAULT_CACHE,
    cache_mb: CacheMb = 500,
    voice: VoiceName = "",
    voices: Catalogue = None,
    recordings: OwnRecordings = None,
    models: Models = DEFAULT_FOLDER,
) -> None:
    """Render the fixed prompts of flows; only what has changed is made again."""
    asyncio.run(_render(_loaded(flows), _Studio(cache, cache_mb, voice, voices, recordings, models)))


@app.command()
def report(
    flows: Flows,
    cache: Cache = DEFAULT_CACHE,
    cache_mb: CacheMb = 500,
    voice: VoiceName = "",
    voices: Catalogue = None,
    recordings: OwnRecordings = None,
    models: Models = DEFAULT_FOLDER,
) -> None:
    """Show how much of what flows say is ready, and what is left."""
    studio = _Studio(cache, cache_mb, voice, voices, recordings, models)
    table = Table("flow", "prompts", "units", "fixed", "ready", box=None, pad_edge=False)
    for flow in _loaded(flows):
        found = _ready(flow, studio)
        table.add_row(found.flow, str(found.prompts), str(found.units), str(found.fixed), str(found.ready))
    Console().print(table)
    typer.echo(f"{studio.store.disk_bytes / 2**20:.1f} MB in {cache}")


class _Studio:
    """The voices, each behind the one cache."""

    def __init__(
        self,
        cache: Path,
        cache_mb: float,
        voice: str,
        catalogue: Path | None,
        recordings: Path | None,
        models: Path,
    ) -> None:
        self.store = PromptStore(cache, max_mb=cache_mb)
        self.voices = Voices.load(catalogue, folder=models)
        self._voice = voice
        self._recordings = Recordings.load(recordings) if recordings else None

    def of(self, flow: Flow) -> CachedVoice:
        inner = self.voices.get(self._voice or flow.voice, flow.language)
        return CachedVoice(inner, None, store=self.store, recordings=self._recordings)


async def _render(flows: list[Flow], studio: _Studio) -> None:
    made = already = 0
    failed: list[tuple[str, str]] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            for flow in flows:
                prompts = list(_prompts(flow))
                task = bar.add_task(flow.name, total=len(prompts))
                done = await studio.of(flow).render(prompts, progress=lambda _, task=task: bar.advance(task))  # type: ignore[misc]
                made, already = made + done.rendered, already + done.already
                failed += done.failed
    finally:
        await studio.voices.close()
    typer.echo(f"rendered {made}, ready before {already}, failed {len(failed)}")
    for text, reason in failed:
        typer.echo(f"  {text}: {reason}", err=True)
    if failed:
        raise typer.Exit(1)


def _ready(flow: Flow, studio: _Studio) -> Ready:
    voice, prompts = studio.of(flow), list(_prompts(flow))
    units = [unit for prompt in prompts for unit in voice.plan(prompt)]
    fixed = [unit for unit in units if unit.fixed]
    return Ready(flow.name, len(prompts), len(units), len(fixed), sum(voice.has(unit) for unit in fixed))


def _prompts(flow: Flow) -> Iterator[list[Part]]:
    """Every text of the flow, its slots as parts that differ in every call."""
    for place in dict.fromkeys((place.text, place.protect) for place in texts(flow.script)):
        everything = place[1] == ("all",)
        pieces = protected_pieces(place[0], () if everything else place[1])
        parts = [_part(piece.text, piece.slot, everything or piece.protected, flow.language) for piece in pieces]
        if any(char.isalnum() for part in parts for char in part.text):
            yield parts


def _part(text: str, slot: str, protected: bool, language: str) -> Part:
    said = slot or fixed_words(text, language)
    return Part(said, fixed=not slot, protected=protected)


def _loaded(paths: list[Path]) -> list[Flow]:
    files = [file for path in paths for file in (sorted(path.rglob("*.yaml")) if path.is_dir() else [path])]
    return [load(file) for file in files if "tests" not in file.parts]
