"""Interpreters by language and training data: flows with the same data share one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agi_bot.config import Settings
from agi_bot.contracts import Interpreter
from agi_bot.errors import InterpreterDown
from agi_bot.flow import Flow
from agi_bot.nlu.data import NluData, data_files
from agi_bot.nlu.embedded import EmbeddedInterpreter, load_embedded
from agi_bot.nlu.fallback import FallbackInterpreter
from agi_bot.nlu.rasa import RasaInterpreter
from agi_bot.nlu.rasa_client import RasaSettings
from agi_bot.shipped import shipped


@dataclass(frozen=True, slots=True)
class _Made:
    """An interpreter, its training data, and the connections to Rasa that it keeps (None: embedded only)."""

    interpreter: Interpreter
    data: NluData
    rasa: RasaInterpreter | None = None


class Understanding:
    """Makes each interpreter once, when the first call needs it or :meth:`of` is asked ahead.

    One that could not be made is tried again by the next call: somebody may have mended the data.
    With ``engine: rasa`` the embedded interpreter, trained on the same data, answers
    whenever Rasa does not.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.understanding
        self._cache = settings.speaking.cache.parent / "nlu"
        self._made: dict[tuple[str, tuple[Path, ...]], asyncio.Task[_Made]] = {}

    async def of(self, flow: Flow) -> Interpreter:
        """The interpreter for ``flow``.  Raises :class:`~agi_bot.errors.NluError`."""
        return (await self._of(flow)).interpreter

    async def data(self, flow: Flow) -> NluData:
        """The training data of ``flow``, read.  Raises :class:`~agi_bot.errors.NluError`."""
        return (await self._of(flow)).data

    async def _of(self, flow: Flow) -> _Made:
        key = (flow.language, tuple(self.data_of(flow)))
        made = self._made.get(key)
        if made is None or (made.done() and (made.cancelled() or made.exception())):
            made = self._made[key] = asyncio.create_task(self._make(*key))
        return await asyncio.shield(made)

    async def close(self) -> None:
        """Close the connections to Rasa."""
        made = await asyncio.gather(*self._made.values(), return_exceptions=True)
        await asyncio.gather(*(one.rasa.close() for one in made if isinstance(one, _Made) and one.rasa))

    async def _make(self, language: str, files: tuple[Path, ...]) -> _Made:
        embedded: EmbeddedInterpreter = await asyncio.to_thread(load_embedded, files, language, self._cache)
        data = await asyncio.to_thread(NluData.load, files)
        url = self._rasa_url(language)
        if not url:
            return _Made(embedded, data)
        rasa = RasaInterpreter(self._rasa_settings(url), data, language)
        with suppress(InterpreterDown):  # it may come up later; the embedded interpreter answers until then
            await rasa.warm_up()
        return _Made(FallbackInterpreter(rasa, embedded), data, rasa)

    def _rasa_url(self, language: str) -> str:
        """The server that knows ``language``; empty where the embedded interpreter does the work."""
        settings = self._settings
        if settings.engine != "rasa":
            return ""
        urls = {tag.lower(): url for tag, url in settings.rasa_urls.items()} or {language.lower(): settings.rasa_url}
        return urls.get(language.lower()) or urls.get(language.lower().split("-")[0], "")

    def _rasa_settings(self, url: str) -> RasaSettings:
        settings = self._settings
        return RasaSettings(
            url,
            token=settings.rasa_token,
            jwt_secret=settings.rasa_jwt_secret,
            timeout_s=settings.timeout_ms / 1000,
        )

    def data_of(self, flow: Flow) -> list[Path]:
        """The training data of ``flow``: the shared, the industry's beside it, and the settings' own.

        A call in a dialect has what there is of it (``nlu.yue.yml``) on top.
        """
        folders = [shipped("flows", "shared"), Path(flow.home)]
        tags = dict.fromkeys((flow.language, flow.spoken))
        return [*dict.fromkeys(file for tag in tags for file in _files(folders, tag)), *self._settings.data]


def _files(folders: Sequence[Path], language: str) -> list[Path]:
    found = (path for folder in folders for path in data_files(folder, language))
    return list(dict.fromkeys(found))
