"""Interpreters by language and training data: flows with the same data share one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from agi_bot.config import Settings
from agi_bot.contracts import Interpreter
from agi_bot.flow import Flow
from agi_bot.nlu.data import data_files
from agi_bot.nlu.embedded import EmbeddedInterpreter, load_embedded
from agi_bot.shipped import shipped

Key = tuple[str, tuple[Path, ...]]


class Understanding:
    """Trains each interpreter once, when the first call needs it or :meth:`of` is asked ahead."""

    def __init__(self, settings: Settings) -> None:
        self._extra = tuple(settings.understanding.data)
        self._cache = settings.speaking.cache.parent / "nlu"
        self._made: dict[Key, asyncio.Task[EmbeddedInterpreter]] = {}

    async def of(self, flow: Flow) -> Interpreter:
        """The interpreter for ``flow``.  Raises :class:`~agi_bot.errors.NluError`."""
        key = (flow.language, tuple(self.data_of(flow)))
        if key not in self._made:
            self._made[key] = asyncio.create_task(asyncio.to_thread(load_embedded, key[1], key[0], self._cache))
        return await asyncio.shield(self._made[key])

    def data_of(self, flow: Flow) -> list[Path]:
        """The training data of ``flow``: the shared, the industry's beside it, and the settings' own."""
        folders = [shipped("flows", "shared"), Path(flow.file).parent]
        return [*_files(folders, flow.language), *self._extra]


def _files(folders: Sequence[Path], language: str) -> list[Path]:
    found = (path for folder in folders for path in data_files(folder, language))
    return list(dict.fromkeys(found))
