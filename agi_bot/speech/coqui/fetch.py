"""Fetch a model of Coqui's own catalogue with coqui's own manager, in a process of its own.

Usage: ``python fetch.py NAME FOLDER``; the licence must have been accepted before.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

from agi_bot.errors import SpeechError
from agi_bot.speech.coqui.guard import import_coqui
from agi_bot.speech.worker.process import environment


def fetch(model: str, folder: Path) -> Path:
    """Fetch ``model`` (``tts_models/...``) below ``folder``; its directory.

    Raises :class:`SpeechError` without coqui-tts, for an unknown name and without a network.
    """
    command = [sys.executable, "-P", __file__, model, str(folder)]
    done = subprocess.run(
        command, env={**environment(), "COQUI_TOS_AGREED": "1"}, stderr=subprocess.PIPE, text=True, check=False
    )
    place = model_folder(model, folder)
    if done.returncode or not place.is_dir():
        last = (done.stderr.strip() or "no reason was given").splitlines()[-1]
        raise SpeechError(f"{model} could not be fetched: {last}", cure="is there a network, and is the name right?")
    return place


def model_folder(model: str, folder: Path) -> Path:
    """Where coqui's manager puts ``model``."""
    return folder / "tts" / model.replace("/", "--")


def _main(model: str, folder: str) -> int:
    try:
        import_coqui()
        manage: Any = importlib.import_module("TTS.utils.manage")
        manage.ModelManager(output_prefix=folder, progress_bar=True).download_model(model)
    except Exception as error:
        print(" ".join(f"{error}".split()) or type(error).__name__, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], sys.argv[2]))
