"""``agi-bot numbers``: who must not be called, who agreed to be called, which numbers exist after all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agi_bot.campaign.importing import Imported
from agi_bot.campaign.intake import check_number
from agi_bot.campaign.number_lists import import_consent, import_do_not_call
from agi_bot.cli.screen import screen
from agi_bot.cli.store import ConfigOption, with_office

app = typer.Typer(add_completion=False, no_args_is_help=True)
console = screen()

File = Annotated[Path, typer.Argument(help=".csv, .xlsx or .jsonl with a column 'number'.")]
RefusedTo = Annotated[Path | None, typer.Option("--refused", help="CSV to write the refused rows to.")]


@app.command("do-not-call")
def do_not_call(
    name: Annotated[str, typer.Argument(help="Name of the list.")],
    file: File,
    refused: RefusedTo = None,
    config: ConfigOption = None,
) -> None:
    """Never call these numbers."""
    source = f"import of {file.name}"
    _tell(with_office(config, lambda office: import_do_not_call(office, name, source, file)), "added", refused)


@app.command()
def consent(
    file: File,
    source: Annotated[str, typer.Option(help="Where the consent comes from, e.g. 'web form of 2026'.")],
    withdraw: Annotated[bool, typer.Option(help="They took it back.")] = False,
    refused: RefusedTo = None,
    config: ConfigOption = None,
) -> None:
    """These people agreed to be called, or took it back."""
    _tell(with_office(config, lambda office: import_consent(office, not withdraw, source, file)), "kept", refused)


@app.command()
def clear(
    numbers: Annotated[list[str] | None, typer.Argument(help="As they were dialled.", show_default=False)] = None,
    everyone: Annotated[bool, typer.Option("--all", help="All numbers that were marked.")] = False,
    config: ConfigOption = None,
) -> None:
    """These numbers exist after all: take back the mark of numbers that do not, and call them again.

    An exchange that sends a wrong cause (1, 22, 28) can have them marked.
    """
    if bool(numbers) == everyone:
        raise typer.BadParameter("name the numbers, or say --all")
    wanted = None if everyone else [check_number(number) for number in numbers or []]
    cleared = with_office(config, lambda office: office.people.exist(wanted))
    console.print(f"{cleared:,} numbers may be called again; tasks that ended so are not dialled by themselves")


def _tell(done: Imported, word: str, refused: Path | None) -> None:
    if done.note:
        console.print(done.note)
    console.print(f"{done.rows:,} rows: {done.new:,} {word}, {done.known:,} known, {done.refused:,} refused")
    for one in done.problems[:10]:
        console.print(f"  line {one.line}: {one.field}: {one.reason}", markup=False, highlight=False)
    if refused is not None:
        done.write(refused)
    raise typer.Exit(3 if done.refused else 0)
