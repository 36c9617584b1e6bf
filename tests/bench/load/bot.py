"""The bot of the load bench: ``agi-bot serve`` as users run it, pinned to some cores."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from agi_bot.demo.ports import free_port
from tests.bench.load.started import listens

FLOWS = Path(__file__).with_name("flows")


@contextmanager
def bot(folder: Path, cores: Sequence[int], models: Mapping[str, Path]) -> Iterator[tuple[int, int]]:
    """The running bot's process id and AGI port; everything else is as it is by default."""
    agi = free_port(socket.SOCK_STREAM)
    config = _configure(folder, agi, models)
    with (folder / "bot.log").open("wb") as log:
        command = (sys.executable, "-m", "agi_bot", "serve", "--config", str(config))
        process = subprocess.Popen(
            command, stdout=log, stderr=log, preexec_fn=lambda: os.sched_setaffinity(0, set(cores))
        )
    try:
        if not listens(agi, process):
            told = (folder / "bot.log").read_text("utf-8", "replace")
            raise SystemExit(f"the bot did not start: {told[-2000:]}")
        yield process.pid, agi
    finally:
        process.terminate()
        process.wait(60)


def _configure(folder: Path, agi: int, models: Mapping[str, Path]) -> Path:
    path = folder / "agi-bot.yml"
    settings = {
        "asterisk": {"agi_port": agi, "audio_port": 0},
        "flows": {"folder": str(FLOWS)},
        "hearing": {"models": {language: str(model) for language, model in models.items()}},
        "store": {"database": str(folder / "agi-bot.db"), "recordings": str(folder / "recordings")},
        "speaking": {"cache": str(folder / "prompts")},
        # One process, so that what it uses is what the bot uses.
        "supervisor": {"enabled": False},
    }
    path.write_text(yaml.safe_dump(settings), "utf-8")
    return path
