"""``agi-bot config``."""

from __future__ import annotations

import typer

from agi_bot.config import template


def config() -> None:
    """Print agi-bot.yml with every option, its default and what it does."""
    typer.echo(template(), nl=False)
