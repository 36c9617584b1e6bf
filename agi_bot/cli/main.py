"""The entry point: finds the command, runs it, and turns our errors into one clear line."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from agi_bot import __version__
from agi_bot.cli.groups import COMMANDS, GROUPS
from agi_bot.errors import AgiBotError, ConfigErrors

EXIT_ERROR = 1


class LazyGroup(TyperGroup):
    """Knows every command's name at once, and imports its module only to run it."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*COMMANDS, *GROUPS]

    def get_command(self, ctx: Any, name: str) -> Any:
        if name in GROUPS:
            return _group(name)
        if name in COMMANDS:
            return _command(name)
        return None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        rows = [(name, entry[-1]) for name, entry in (*COMMANDS.items(), *GROUPS.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _group(name: str) -> Any:
    module, help_text = GROUPS[name]
    app: typer.Typer = import_module(module).app
    command = get_command(app)
    command.name, command.help = name, help_text
    return command


def _command(name: str) -> Any:
    module, function, help_text = COMMANDS[name]
    app = typer.Typer(add_completion=False)
    app.command(name, help=help_text)(getattr(import_module(module), function))
    return get_command(app)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"agi-bot {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=LazyGroup, add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
)


@app.callback()
def root(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True)) -> None:
    """A voice bot for the Asterisk or FreeSWITCH PBX that is already there."""


def main() -> None:
    """Run ``agi-bot``; every :class:`~agi_bot.errors.AgiBotError` becomes a line for each mistake and exit code 1."""
    try:
        app()
    except AgiBotError as error:
        for each in error.errors if isinstance(error, ConfigErrors) else [error]:
            _tell(each)
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        sys.exit(130)


def _tell(error: AgiBotError) -> None:
    typer.echo(f"agi-bot: {error.message}", err=True)
    if error.cure:
        typer.echo(f"  what to do: {error.cure}", err=True)
