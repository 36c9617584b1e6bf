"""Loads a model in a child process first: a damaged one can end a process, but only that one.

A model that passed is remembered by the sizes and times of its files, so that the trial
costs its time once.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from pathlib import Path

from agi_bot.errors import ModelError

_RATE = 8000
_TIMEOUT_S = 300.0


async def try_model(path: Path) -> None:
    """Load the model in ``path`` in a child process.  Raises :class:`~agi_bot.errors.ModelError`."""
    stamp = _stamp(path)
    if stamp.exists():
        return
    status, said = await _run(path)
    if status:
        raise ModelError(
            f"the speech model {path} is damaged: {_reason(status, said)}",
            cure="fetch it again with: agi-bot models pull NAME --force",
        )
    _remember(stamp)


async def _run(path: Path) -> tuple[int, str]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agi_bot.speech.vosk.trial",
        str(path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await asyncio.wait_for(child.communicate(), _TIMEOUT_S)
    except TimeoutError:
        child.kill()
        await child.wait()
        return 1, f"it was not loaded after {_TIMEOUT_S:.0f} s"
    return child.returncode or 0, said.decode("utf-8", "replace")


def _reason(status: int, said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip() and "Stack-Trace" not in line]
    told = [line for line in lines if line.startswith(("ERROR", "ASSERTION"))] or lines[-1:]
    ending = f"the trial was ended by signal {-status}" if status < 0 else f"the trial ended with {status}"
    return f"{ending}{': ' + told[0] if told else ''}"


def _stamp(path: Path) -> Path:
    files = sorted(file for file in path.rglob("*") if file.is_file())
    facts = [f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
    digest = hashlib.sha256("\n".join([str(path.resolve()), *facts]).encode()).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "agi-bot" / "tried-models" / digest[:32]


def _remember(stamp: Path) -> None:
    try:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()
    except OSError:
        # Nothing is lost: the model is tried again at the next start.
        return


def main(path: Path) -> None:
    """What the child does: load, decode a second of silence, finish."""
    from agi_bot.speech.vosk import engine
    from agi_bot.speech.vosk.folder import inspect_folder

    folder = inspect_folder(path)
    rate = folder.decoding_rate(_RATE)
    decoder = engine.Decoder(engine.load(path), rate, "")
    decoder.accept(bytes(2 * rate))
    decoder.finish(b"")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
