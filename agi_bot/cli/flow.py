"""``agi-bot flow``: check, test, draw, schema, watch, publish, unpublish, history, rollback."""

from __future__ import annotations

import asyncio
import getpass
import json
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from agi_bot.cli.authoring import Desk
from agi_bot.cli.flowtest import TestReport, run_tests
from agi_bot.cli.prompts import rendered, told
from agi_bot.cli.screen import screen
from agi_bot.config import Settings
from agi_bot.config import load as load_settings
from agi_bot.errors import AgiBotError, FlowError
from agi_bot.flow import load
from agi_bot.flow.draw import draw as picture
from agi_bot.flow.junit import as_junit
from agi_bot.flow.problem import Problem, as_github, as_json, as_text
from agi_bot.flow.schema import dialogue_test_schema, flow_schema
from agi_bot.flow.testcase import find_tests
from agi_bot.flow.versions import Entry, Library

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Paths = Annotated[list[Path] | None, typer.Argument(help="Flow files, their names, or folders; none: all flows.")]
Config = Annotated[Path | None, typer.Option(help="agi-bot.yml; none: the one in this folder.")]
Data = Annotated[Path | None, typer.Option("--versions", help="Folder of the published versions; none: the settings'.")]
Who = Annotated[str, typer.Option(help="Who does it; none: the user of this computer.")]
Note = Annotated[str, typer.Option(help="Why.")]
PAUSE_S = 0.5


class Form(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


class Picture(StrEnum):
    """How a flow is drawn."""

    MERMAID = "mermaid"
    SVG = "svg"
    PNG = "png"
    DOT = "dot"


_WRITERS = {Form.TEXT: as_text, Form.JSON: as_json, Form.GITHUB: as_github}


@app.command()
def check(
    paths: Paths = None,
    form: Annotated[Form, typer.Option("--format", help="text, json or github.")] = Form.TEXT,
    strict: Annotated[bool, typer.Option(help="Warnings count as errors.")] = False,
    config: Config = None,
) -> None:
    """Find what is wrong before anyone is called; exit status 1 when there are errors."""
    desk = Desk(load_settings(config))
    files = desk.files(paths or [])
    problems = [problem for path in files for problem in desk.problems(path)]
    problems = list(dict.fromkeys(problems))
    text = _WRITERS[form](problems)
    if text:
        typer.echo(text)
    if form is Form.TEXT:
        typer.echo(_verdict(len(files), problems))
    if any(problem.is_error or strict for problem in problems):
        raise typer.Exit(1)


def _verdict(files: int, problems: Sequence[Problem]) -> str:
    found = Counter(problem.severity.value for problem in problems)
    return f"{_count(files, 'flow')}: {_count(found['error'], 'error')}, {_count(found['warning'], 'warning')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@app.command("test")
def rehearse_tests(
    paths: Paths = None,
    junit: Annotated[Path | None, typer.Option(help="Write the results as JUnit XML to this file.")] = None,
    missed: Annotated[bool, typer.Option(help="List the ways that no test takes.")] = False,
    least: Annotated[float, typer.Option("--coverage", help="Fail below this coverage, percent.")] = 0.0,
    config: Config = None,
) -> None:
    """Rehearse the dialogue tests beside the flows; exit status 1 when one fails."""
    desk = Desk(load_settings(config))
    reports = asyncio.run(run_tests(desk, desk.files(paths or [])))
    for report in reports:
        _tell(report, missed)
    if junit is not None:
        junit.write_text(as_junit(result for report in reports for result in report.results), encoding="utf-8")
    low = [report for report in reports if report.coverage.percent < least]
    for report in low:
        typer.echo(f"{report.flow}: coverage {report.coverage.percent:.0f} % is below {least:g} %")
    if low or any(not report.passed for report in reports):
        raise typer.Exit(1)


def _tell(report: TestReport, missed: bool) -> None:
    for result in report.results:
        if not result.passed:
            typer.echo(f"FAILED {result.flow}: {result.name}")
            typer.echo("\n".join(f"  {line}" for line in result.failures))
            typer.echo("\n".join(f"    {line}" for line in result.talk))
    typer.echo(report.line())
    if missed:
        typer.echo("\n".join(report.missed()), nl=bool(report.missed()))


@app.command()
def draw(
    flow: Annotated[str, typer.Argument(help="Flow file, or name of a flow.")],
    form: Annotated[Picture | None, typer.Option("--format", help="mermaid, svg, png or dot.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; its ending may say the format.")] = None,
    config: Config = None,
) -> None:
    """Draw a flow: mermaid text, or SVG and PNG by Graphviz."""
    made = picture(Desk(load_settings(config)).find(flow), (form or _form_of(out)).value)
    if out is not None:
        out.write_bytes(made)
        typer.echo(f"drawn in {out}")
    elif form is Picture.PNG:
        raise FlowError("a PNG is not shown in a terminal", cure="add --out flow.png")
    else:
        typer.echo(made.decode(), nl=False)


def _form_of(out: Path | None) -> Picture:
    ending = out.suffix.lstrip(".").lower() if out else ""
    return Picture(ending) if ending in list(Picture) else Picture.MERMAID


@app.command()
def schema(
    tests: Annotated[bool, typer.Option(help="The schema of dialogue tests instead.")] = False,
    out: Annotated[Path | None, typer.Option(help="File to write.")] = None,
) -> None:
    """Print the JSON schema for YAML editors."""
    text = json.dumps(dialogue_test_schema() if tests else flow_schema(), ensure_ascii=False, indent=2)
    if out is None:
        typer.echo(text)
        return
    out.write_text(f"{text}\n", encoding="utf-8")
    typer.echo(f"written to {out}; first line of a flow: # yaml-language-server: $schema={out}")


@app.command()
def watch(paths: Paths = None, config: Config = None) -> None:
    """Check and rehearse again whenever a file is saved, until Ctrl-C."""
    settings = load_settings(config)
    desk = Desk(settings)
    seen: dict[Path, float] = {}
    while True:
        changed = _changed(desk.files(paths or []), seen)
        for path in changed:
            try:
                _look(Desk(settings), path)
            except AgiBotError as error:
                typer.echo(str(error))
        time.sleep(PAUSE_S)


def _changed(files: Sequence[Path], seen: dict[Path, float]) -> list[Path]:
    """Flows whose file, tests or training data were saved since the last look."""
    found = []
    for path in files:
        near = [path, *sorted(path.parent.glob("*.yml")), *find_tests(path)]
        latest = max(_saved_at(file) for file in near)
        if seen.get(path) != latest:
            seen[path] = latest
            found.append(path)
    return found


def _saved_at(path: Path) -> float:
    """When the file was saved; 0 while an editor is replacing it."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _look(desk: Desk, path: Path) -> None:
    typer.echo(f"--- {path}  {datetime.now():%H:%M:%S}")
    problems = desk.problems(path)
    typer.echo(as_text(problems) or "no findings")
    if not any(problem.is_error for problem in problems):
        for report in asyncio.run(run_tests(desk, [path])):
            _tell(report, False)


@app.command()
def publish(
    path: Annotated[Path, typer.Argument(help="Flow file.")],
    note: Note = "",
    who: Who = "",
    versions: Data = None,
    config: Config = None,
    prompts: Annotated[bool, typer.Option(help="Render its fixed prompts as well.")] = True,
) -> None:
    """Check a flow, let it hold from now on and render what it says; running calls keep their version."""
    settings = load_settings(config)
    errors = [problem for problem in Desk(settings).problems(path) if problem.is_error]
    if errors:
        typer.echo(as_text(errors))
        raise typer.Exit(1)
    entry = _library(versions, config).publish(
        path, who=who or getpass.getuser(), at=datetime.now().astimezone(), note=note
    )
    typer.echo(f"{path.stem} is published as number {entry.number} ({entry.version})")
    if prompts:
        _render(settings, path)


def _render(settings: Settings, path: Path) -> None:
    """The flow holds already: a voice that fails now is told, and the bot renders when it speaks."""
    try:
        typer.echo(f"prompts: {told(asyncio.run(rendered(settings, [load(path)])))}")
    except AgiBotError as error:
        typer.echo(f"its prompts are not rendered: {error}\n  later: agi-bot prompts render {path}", err=True)


@app.command()
def history(
    name: Annotated[str, typer.Argument(help="Name of the flow.")], versions: Data = None, config: Config = None
) -> None:
    """Show who published which version when; the last line holds."""
    entries = _library(versions, config).history(name)
    if not entries:
        raise FlowError(f"flow {name} was never published", cure="agi-bot flow publish FILE publishes one")
    table = Table("when", "who", "what", "number", "version", "why", box=None, pad_edge=False)
    for entry in entries:
        table.add_row(entry.at, entry.who, entry.action, str(entry.number), entry.version, entry.note)
    screen().print(table)


@app.command()
def rollback(
    name: Annotated[str, typer.Argument(help="Name of the flow.")],
    to: Annotated[int | None, typer.Option(help="Number; none: the version before.")] = None,
    note: Note = "",
    who: Who = "",
    versions: Data = None,
    config: Config = None,
) -> None:
    """Let an earlier version hold again."""
    entry: Entry = _library(versions, config).rollback(
        name, to=to, who=who or getpass.getuser(), at=datetime.now().astimezone(), note=note
    )
    typer.echo(f"{name} is back at number {entry.number} ({entry.version})")


@app.command()
def unpublish(
    name: Annotated[str, typer.Argument(help="Name of the flow.")],
    note: Note = "",
    who: Who = "",
    versions: Data = None,
    config: Config = None,
) -> None:
    """Let the flow's file hold again, as before it was ever published; its versions are kept."""
    _library(versions, config).unpublish(name, who=who or getpass.getuser(), at=datetime.now().astimezone(), note=note)
    typer.echo(f"{name} is no longer published: its file holds, and every change of it is taken up at once")


def _library(folder: Path | None, config: Path | None) -> Library:
    return Library(folder or load_settings(config).flows.published)
