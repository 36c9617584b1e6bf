"""The command line: ``agi-bot`` and its commands, one module a group."""

from __future__ import annotations

from agi_bot.cli.main import main

__all__ = ["main"]
