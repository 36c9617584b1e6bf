"""``agi-bot nlu``: train, test, confusion."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from agi_bot.cli.screen import screen
from agi_bot.contracts import Context, Intent, Interpreter
from agi_bot.errors import ConfigError
from agi_bot.nlu.data import NluData, data_files
from agi_bot.nlu.embedded import load_embedded
from agi_bot.nlu.files import read_text
from agi_bot.nlu.measure import Judged, Score, confusions, score
from agi_bot.nlu.normal import is_han
from agi_bot.nlu.rasa import RasaInterpreter
from agi_bot.nlu.rasa_client import RasaSettings
from agi_bot.nlu.training import cross_validate
from agi_bot.shipped import shipped

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

CACHE = Path("agi-bot-data/nlu")
LAST = "last-trained.json"


class Engine(StrEnum):
    """Which interpreter is asked."""

    EMBEDDED = "embedded"
    RASA = "rasa"


class Format(StrEnum):
    """How results are written."""

    TEXT = "text"
    JSON = "json"


Files = Annotated[
    list[Path] | None, typer.Argument(help="nlu.yml files, background .txt, folders; none: the shared data.")
]
Language = Annotated[str, typer.Option(help="zh-CN or en; none: seen from the data.")]
Cache = Annotated[Path, typer.Option(help="Folder of trained models.", envvar="AGI_BOT_NLU_CACHE")]
Shown = Annotated[Format, typer.Option("--format", help="text or json.")]


@app.command()
def train(files: Files = None, language: Language = "", cache: Cache = CACHE) -> None:
    """Train the embedded interpreter and tell how well it does on examples left out of the training."""
    paths, language = _chosen(files, language)
    data = NluData.load(paths)
    load_embedded(paths, language, cache)
    (cache / LAST).write_text(json.dumps({"language": language, "files": [str(p.resolve()) for p in paths]}), "utf-8")
    summed = score(_judged_by_rest(data, language))
    typer.echo(
        f"{language}: {len(data.intents)} intents, {len(data.all_examples)} examples, "
        f"{len(data.background)} background utterances"
    )
    typer.echo(_line(summed))


@app.command("test")
def measure(
    file: Annotated[Path, typer.Argument(help="nlu.yml with sentences that were not trained on.")],
    engine: Annotated[Engine, typer.Option(help="embedded or rasa.")] = Engine.EMBEDDED,
    shown: Shown = Format.TEXT,
    data: Annotated[
        list[Path] | None, typer.Option(help="Training data (again for more); none: what was trained last.")
    ] = None,
    outside: Annotated[Path | None, typer.Option(help="Text file of utterances that fit no intent.")] = None,
    language: Language = "",
    cache: Cache = CACHE,
    url: Annotated[str, typer.Option(help="Rasa's address.")] = "http://127.0.0.1:5005",
    token: Annotated[str, typer.Option(help="Rasa's token.", envvar="AGI_BOT_UNDERSTANDING__RASA_TOKEN")] = "",
) -> None:
    """Ask the interpreter every sentence of a file and sum up what it understood."""
    paths, language = _trained(data, language, cache)
    sentences = [(example.text, example.intent) for example in NluData.load([file]).all_examples]
    sentences += [(line, "") for line in _utterances(outside)]
    if engine is Engine.RASA:
        judged = asyncio.run(_asked_rasa(RasaSettings(url, token, timeout_s=30), sentences, language))
    else:
        judged = asyncio.run(_asked(load_embedded(paths, language, cache), sentences, language))
    _show(score(judged), shown, {"engine": engine.value, "language": language, "file": str(file)})


@app.command()
def confusion(files: Files = None, language: Language = "", shown: Shown = Format.TEXT) -> None:
    """Show which intents are taken for one another, and the sentences that cause it (cross-validated)."""
    paths, language = _chosen(files, language)
    judged = _judged_by_rest(NluData.load(paths), language)
    if shown is Format.JSON:
        _show(score(judged), shown, {"engine": "embedded", "language": language})
        return
    table = Table("said", "taken for", "times", "sentences", box=None, pad_edge=False)
    for one in confusions(judged):
        names = one.intent or "(background)", one.answer or "(not understood)"
        table.add_row(*names, str(one.count), " / ".join(one.texts[:4]))
    screen().print(table)
    typer.echo(_line(score(judged)))


def _chosen(files: Sequence[Path] | None, language: str) -> tuple[list[Path], str]:
    """Data files and their language; folders stand for the files of that language in them."""
    given = list(files or [shipped("flows", "shared")])
    loose = [path for path in given if not path.is_dir()]
    language = language or (_language(loose) if loose else "zh-CN")
    paths = [file for path in given for file in (data_files(path, language) if path.is_dir() else [path])]
    if not paths:
        raise ConfigError(f"there is no nlu.{language}.yml in {given[0]}", cure="name the files themselves")
    return paths, language


def _trained(data: Sequence[Path] | None, language: str, cache: Path) -> tuple[list[Path], str]:
    if data or not (cache / LAST).is_file():
        return _chosen(data, language)
    last = json.loads((cache / LAST).read_text("utf-8"))
    return [Path(path) for path in last["files"]], language or last["language"]


def _language(files: Sequence[Path]) -> str:
    text = "".join(example.text for example in NluData.load(files).all_examples)
    return "zh-CN" if sum(map(is_han, text)) * 3 > len(text) else "en"


def _utterances(file: Path | None) -> list[str]:
    lines = (line.strip() for line in read_text(file).splitlines()) if file else ()
    return [line for line in lines if line and not line.startswith("#")]


def _judged_by_rest(data: NluData, language: str) -> list[Judged]:
    return [
        Judged(one.text, one.intent, one.answer, one.best, one.confidence) for one in cross_validate(data, language)
    ]


async def _asked_rasa(settings: RasaSettings, sentences: Sequence[tuple[str, str]], language: str) -> list[Judged]:
    interpreter = RasaInterpreter(settings, NluData(), language)
    try:
        await interpreter.warm_up()
        return await _asked(interpreter, sentences, language)
    finally:
        await interpreter.close()


async def _asked(interpreter: Interpreter, sentences: Sequence[tuple[str, str]], language: str) -> list[Judged]:
    context = Context(language, datetime.now().astimezone())
    judged = []
    for text, name in sentences:
        start = time.perf_counter()
        intent = await interpreter.interpret(text, context)
        judged.append(_judgement(text, name, intent, (time.perf_counter() - start) * 1000))
    return judged


def _judgement(text: str, name: str, intent: Intent, ms: float) -> Judged:
    best = intent.ranking[0][0] if intent.ranking else intent.name
    return Judged(text, name, intent.name, best, round(intent.confidence, 4), ms)


def _show(summed: Score, shown: Format, about: dict[str, str]) -> None:
    if shown is Format.JSON:
        typer.echo(json.dumps({**about, **summed.as_dict()}, ensure_ascii=False, indent=2))
        return
    for one in summed.confusions:
        typer.echo(f"{one.intent or '(outside)'} -> {one.answer or '(not understood)'}: {' / '.join(one.texts)}")
    typer.echo(_line(summed))


def _line(summed: Score) -> str:
    outside = f", outside rejected {summed.outside_rejected:.1%} of {summed.outside}" if summed.outside else ""
    return (
        f"right {summed.accuracy:.1%} of {summed.sentences} (best guess {summed.accuracy_of_best:.1%}, "
        f"not understood {summed.rejected:.1%}){outside}"
    )
