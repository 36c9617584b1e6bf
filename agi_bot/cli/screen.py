"""Where commands print: tables as wide as a terminal is, and whole in a pipe or a file."""

from __future__ import annotations

import os

from rich.console import Console

WIDEST = 10_000
"""Columns of what is no terminal: nothing is cut or wrapped for ``grep`` and ``>``, unless COLUMNS says so."""


def screen() -> Console:
    """A console that cuts nothing where nobody looks at a terminal."""
    plain = Console()
    return plain if plain.is_terminal or "COLUMNS" in os.environ else Console(width=WIDEST)
