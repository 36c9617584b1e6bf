"""``agi-bot serve``: the watchdog, and below it the bot itself."""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from agi_bot import logs
from agi_bot.config import load
from agi_bot.supervisor import Heart, Watch, supervise


def serve(
    config: Annotated[Path | None, typer.Option(help="agi-bot.yml; none: the one in this folder.")] = None,
) -> None:
    """Take calls from the PBX until stopped (SIGTERM or Ctrl-C; running calls may end)."""
    settings = load(config)
    logs.configure(settings.log.level, settings.log.format)
    heart = Heart.from_environment()
    if settings.supervisor.enabled and heart is None:
        command = [sys.executable, "-m", "agi_bot", "serve", *(["--config", str(config)] if config else [])]
        status = asyncio.run(supervise(command, Watch(silence=settings.supervisor.heartbeat_timeout_s)))
        raise typer.Exit(status if status >= 0 else 1)
    # The watchdog above must stay small: the engines are loaded only in the bot itself.
    serving = import_module("agi_bot.app.serving")
    asyncio.run(serving.serve(settings, heart))
