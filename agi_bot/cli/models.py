"""``agi-bot models``: list, pull, verify, calibrate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from agi_bot.cli.screen import screen
from agi_bot.models import CatalogModel, ModelStore, load_catalog
from agi_bot.speech.vosk.calibrating import hear_all, read_table
from agi_bot.speech.vosk.calibration import fit, save

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Folder = Annotated[Path, typer.Option(help="Folder of the models.", envvar="AGI_BOT_MODELS_FOLDER")]
Mirror = Annotated[
    str, typer.Option(help="URL or folder that has the same archives as the publisher.", envvar="AGI_BOT_MODELS_MIRROR")
]
DEFAULT_FOLDER = Path("agi-bot-data/models")


@app.command("list")
def list_models(
    folder: Folder = DEFAULT_FOLDER, language: Annotated[str, typer.Option(help="Only this language, e.g. zh.")] = ""
) -> None:
    """Show the models that can be pulled, and those that are here."""
    catalog = load_catalog()
    here = {found.model.name: found.path for found in ModelStore(folder, catalog).installed()}
    table = Table("name", "language", "size", "licence", "here", "note", box=None, pad_edge=False)
    for model in catalog.models:
        if not language or any(tag.lower().startswith(language.lower()) for tag in model.language):
            table.add_row(*_row(model, here.get(model.name)))
    screen().print(table)


@app.command()
def pull(
    names: Annotated[list[str], typer.Argument(help="Names as in the list, e.g. small-cn.")],
    folder: Folder = DEFAULT_FOLDER,
    mirror: Mirror = "",
    force: Annotated[bool, typer.Option(help="Fetch again what is here.")] = False,
) -> None:
    """Fetch models, check them and unpack them; a broken pull goes on where it stopped."""
    catalog = load_catalog()
    store = ModelStore(folder, catalog, mirror=mirror)
    for name in names:
        model = catalog.find(name)
        path = _pull(store, model, force)
        typer.echo(f"{model.name} is in {path}")
        typer.echo(f"to use it, in agi-bot.yml: hearing: {{models: {{{model.language[0]}: {path}}}}}")


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Names; none: all that are here.")] = None,
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """Check that models are whole, by their checksums and by loading them in a process of their own."""
    store = ModelStore(folder, load_catalog())
    bad = False
    for name in names or [found.model.name for found in store.installed()]:
        problems = store.verify(name)
        bad = bad or bool(problems)
        typer.echo(f"{name}: {'ok' if not problems else ''}")
        for problem in problems:
            typer.echo(f"  {problem}")
    if bad:
        raise typer.Exit(1)


@app.command()
def calibrate(
    model: Annotated[Path, typer.Argument(help="Folder of the model.")],
    speech: Annotated[Path, typer.Option(help="Folder with speech.tsv: path, language, transcript; and the files.")],
    language: Annotated[list[str], typer.Option(help="Languages of the model; may be repeated.")],
    dry: Annotated[bool, typer.Option(help="Only tell what it would be.")] = False,
) -> None:
    """Learn from speech whose words are known how often the model is right when it says how sure it is."""
    trials = [trial for one in language for trial in hear_all(model, read_table(speech, one))]
    made = fit(trials)
    typer.echo(f"{made.utterances} utterances, {sum(trial.right for trial in trials)} right to the last word")
    typer.echo(f"confidence is off by {made.error_before:.3f} as it comes, by {made.error_after:.3f} when calibrated")
    if not dry:
        typer.echo(f"written to {save(made, model)}")


def _pull(store: ModelStore, model: CatalogModel, force: bool) -> Path:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(model.name, total=model.size or None)
        return store.pull(model.name, lambda done, total: bar.update(task, completed=done, total=total), force=force)


def _row(model: CatalogModel, path: Path | None) -> tuple[str, ...]:
    size = f"{'~' if model.about else ''}{model.size / 1e6:.0f} MB" if model.size else "-"
    return model.name, ", ".join(model.language), size, model.licence, str(path) if path else "-", model.note
