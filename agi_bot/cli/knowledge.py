"""``agi-bot knowledge``: check, ask, gaps."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from agi_bot.errors import StoreError
from agi_bot.nlu.data import NluData, data_files
from agi_bot.nlu.files import read_text
from agi_bot.nlu.gaps import Gap, as_entries, gaps
from agi_bot.nlu.knowledge import Knowledge, aside
from agi_bot.nlu.knowledge_file import read_knowledge
from agi_bot.nlu.normal import is_han
from agi_bot.shipped import shipped

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

File = Annotated[Path, typer.Argument(help="Knowledge file (.yml or .csv).")]
DATABASE = Path("agi-bot-data/agi-bot.db")


@app.command()
def check(files: Annotated[list[Path], typer.Argument(help="Knowledge files.")]) -> None:
    """Read knowledge files and tell what is wrong with them."""
    for file in files:
        entries = read_knowledge(file)
        typer.echo(f"{file}: {len(entries)} answers, {sum(len(entry.questions) for entry in entries)} questions")


@app.command()
def ask(file: File, question: Annotated[str, typer.Argument(help="What a caller asks.")]) -> None:
    """Show what the bot would answer, and which entries came near."""
    knowledge = _loaded(file)
    found = knowledge.answer(question)
    typer.echo(found.text if found else "(no answer)")
    for name, score in knowledge.ranking(question)[:3]:
        typer.echo(f"  {score:6.2f}  {name}")


@app.command("gaps")
def show_gaps(
    source: Annotated[Path | None, typer.Argument(help="Text file, one question a line; none: the database.")] = None,
    knowledge: Annotated[
        list[Path] | None, typer.Option(help="Knowledge files; what they answer by now is left out.")
    ] = None,
    database: Annotated[Path, typer.Option(help="Database of the calls.")] = DATABASE,
    least: Annotated[int, typer.Option(help="Leave out what was asked less often.")] = 1,
    shown: Annotated[str, typer.Option("--format", help="text, json, or yaml to paste into a file.")] = "text",
) -> None:
    """Group and count the questions that nobody could answer."""
    questions = _lines(source) if source else _from_database(database)
    known = [_loaded(file) for file in knowledge or ()]
    open_questions = [text for text in questions if not any(one.answer(text) for one in known)]
    language = _language(open_questions)
    found = gaps(open_questions, language, _common(language))
    _show([gap for gap in found if gap.count >= least], shown)


def _show(found: Sequence[Gap], shown: str) -> None:
    if shown == "json":
        listed = [{"count": gap.count, "title": gap.title, "texts": gap.texts} for gap in found]
        typer.echo(json.dumps(listed, ensure_ascii=False, indent=2))
    elif shown == "yaml":
        typer.echo(as_entries(found), nl=False)
    else:
        for gap in found:
            typer.echo(f"{gap.count:5}  {' / '.join(gap.texts[:4])}")
        typer.echo(f"{sum(gap.count for gap in found)} questions in {len(found)} groups")


def _loaded(file: Path) -> Knowledge:
    entries = read_knowledge(file)
    language = _language([question for entry in entries for question in entry.questions])
    return Knowledge(entries, language, aside(_shared(language)))


def _shared(language: str) -> NluData:
    return NluData.load(data_files(shipped("flows", "shared"), language))


def _common(language: str) -> list[str]:
    data = _shared(language)
    return [*(example.text for example in data.all_examples), *data.background]


def _lines(source: Path) -> list[str]:
    return [line.strip() for line in read_text(source).splitlines() if line.strip()]


def _from_database(database: Path) -> list[str]:
    """What callers said that was a question, or that was not understood."""
    if not database.is_file():
        raise StoreError(f"there is no database {database}", cure="name it with --database, or give a text file")
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as opened:
            rows = opened.execute("SELECT heard FROM turns WHERE heard != '' AND intent IN ('', 'question')")
            return [str(heard) for (heard,) in rows]
    except sqlite3.Error as error:
        raise StoreError(f"{database} cannot be read: {error}", cure="is it agi-bot's database?") from None


def _language(texts: Sequence[str]) -> str:
    return "zh-CN" if any(map(is_han, "".join(texts))) else "en"
