"""Where libespeak-ng lies.  The only module that names espeakng-loader."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import espeakng_loader

from agi_bot.errors import ModelError


def library() -> tuple[Path, Path]:
    """The shared library and the folder of its data.  Raises :class:`ModelError` when one is missing."""
    found = Path(espeakng_loader.get_library_path()), Path(espeakng_loader.__file__).parent / "espeak-ng-data"
    for path in found:
        if not path.exists():
            raise ModelError(f"{path} is missing", cure="pip install --force-reinstall espeakng-loader")
    return found


def version() -> str:
    """The wheel's name and version."""
    return f"espeakng-loader {metadata.version('espeakng-loader')}"
