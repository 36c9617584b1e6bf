"""Voices by name and language, from the catalogue that is shipped and one of the admin's own."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agi_bot.errors import ConfigError, ModelError, SpeechError
from agi_bot.speech.coqui.fetch import fetch, model_folder
from agi_bot.speech.coqui.onnx import LIMITS as ONNX
from agi_bot.speech.coqui.onnx import OnnxVoice, onnx_pool
from agi_bot.speech.coqui.voice import LIMITS as COQUI
from agi_bot.speech.coqui.voice import CoquiVoice, coqui_pool
from agi_bot.speech.espeak import EspeakVoice, espeak_pool
from agi_bot.speech.listing import read_list
from agi_bot.speech.worker.pool import Limits, WorkerPool
from agi_bot.speech.worker.voice import WorkerVoice

SHIPPED = Path(__file__).with_name("voices.yml")
DEFAULT_FOLDER = Path("agi-bot-data/voices")
"""Where pulled models are."""


class VoiceEntry(BaseModel):
    """A line of the catalogue; what the keys mean is told at the head of the shipped one."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(min_length=1, pattern=r"^[\w-]+$")
    language: str = Field(min_length=2)
    engine: Literal["espeak", "coqui", "onnx"]
    title: str = ""
    model: str = ""
    speaker: str = ""
    speed: float = Field(1.0, ge=0.5, le=2.5)
    pitch: int = Field(50, ge=0, le=99)
    gain: float = Field(0.0, ge=-20, le=20)
    suits: str = Field("", alias="for")
    licence: str = "unknown"
    commercial: bool = True
    base: Path = Path()
    """Folder that a relative ``model`` counts from."""

    @property
    def spoken(self) -> str:
        """Name and language, as messages show them."""
        return f"{self.name} ({self.language})"


Maker = Callable[[VoiceEntry, "Voices"], WorkerVoice]


class Voices:
    """The catalogue, and the voices of it that are in use; they share their engines' processes."""

    def __init__(
        self, entries: Iterable[VoiceEntry], *, folder: Path = DEFAULT_FOLDER, workers: int = 1, worker_mb: int = 4000
    ) -> None:
        self._entries = {(entry.name, entry.language.lower()): entry for entry in entries}
        self._made: dict[VoiceEntry, WorkerVoice] = {}
        self._pools: dict[str, WorkerPool] = {}
        self.folder = folder
        self.workers = workers
        self.worker_mb = worker_mb

    @classmethod
    def load(
        cls, path: Path | None = None, *, folder: Path = DEFAULT_FOLDER, workers: int = 1, worker_mb: int = 4000
    ) -> Voices:
        """The shipped voices and those of ``path``; ``folder`` has pulled models, ``workers`` processes a model.

        A process that grows beyond ``worker_mb`` is replaced (0: any size).  Raises
        :class:`ConfigError` with file and line.
        """
        files = [SHIPPED, path] if path else [SHIPPED]
        entries = (entry for file in files for entry in _read(file))
        return cls(entries, folder=folder, workers=workers, worker_mb=worker_mb)

    @property
    def entries(self) -> list[VoiceEntry]:
        """All voices, in the catalogue's order."""
        return list(self._entries.values())

    def entry(self, name: str, language: str) -> VoiceEntry:
        """The voice ``name`` of ``language``; without a name the language's first one.

        Raises :class:`SpeechError` that names what there is.
        """
        for tag in _tags(language):
            for entry in self._entries.values():
                if (entry.name == name or not name) and _fits(entry.language, tag):
                    return entry
        raise self._unknown(name, language)

    def get(self, name: str, language: str) -> WorkerVoice:
        """The voice ``name`` (empty: the first one) for ``language``, made when it is first asked for.

        Raises :class:`SpeechError` for one that is not there, :class:`ModelError` for one whose
        model is not.
        """
        entry = self.entry(name, language)
        if entry not in self._made:
            self._made[entry] = _MAKERS[entry.engine](entry, self)
        return self._made[entry]

    def present(self, entry: VoiceEntry) -> bool:
        """Whether everything that the voice needs is on this machine."""
        return entry.engine == "espeak" or self.model_folder(entry).is_dir()

    def model_folder(self, entry: VoiceEntry) -> Path:
        """Where the model of ``entry`` is, or would be after a pull."""
        if entry.model.startswith("tts_models/"):
            return model_folder(entry.model, self.folder)
        return entry.base / entry.model

    def pull(self, entry: VoiceEntry) -> Path:
        """Fetch the model of ``entry``, whose licence must have been accepted.  Raises :class:`SpeechError`."""
        if not entry.model.startswith("tts_models/"):
            raise SpeechError(f"{entry.spoken} names a folder, not a model to pull", cure="put its model there")
        self.folder.mkdir(parents=True, exist_ok=True)
        return fetch(entry.model, self.folder)

    async def start(self, wanted: Iterable[tuple[str, str]] = ()) -> None:
        """Start the engines of ``wanted`` voices (name, language); others start when they first speak."""
        await asyncio.gather(*(self.get(name, language).start() for name, language in wanted))

    async def close(self) -> None:
        """End all engines' processes."""
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))

    def pool(self, key: str, make: Callable[[], WorkerPool]) -> WorkerPool:
        """The processes under ``key``, made once."""
        if key not in self._pools:
            self._pools[key] = make()
        return self._pools[key]

    def _unknown(self, name: str, language: str) -> SpeechError:
        languages = [entry.language for entry in self._entries.values() if entry.name == name]
        if languages:
            return SpeechError(
                f"the voice {name!r} does not speak {language}", cure=f"it speaks {', '.join(languages)}"
            )
        if not name:
            return SpeechError(f"there is no voice for {language}", cure="agi-bot voices list shows them")
        names = [
            entry.name for entry in self._entries.values() if any(_fits(entry.language, t) for t in _tags(language))
        ]
        near = difflib.get_close_matches(name, names, n=1)
        cure = f"did you mean {near[0]!r}?" if near else "agi-bot voices list shows them"
        return SpeechError(f"there is no voice {name!r} for {language}", cure=cure)


def _espeak(entry: VoiceEntry, voices: Voices) -> EspeakVoice:
    pool = voices.pool("espeak", espeak_pool)
    return EspeakVoice(
        entry.language,
        variant=entry.speaker,
        speed=entry.speed,
        pitch=entry.pitch,
        gain_db=entry.gain,
        pool=pool,
    )


def _coqui(entry: VoiceEntry, voices: Voices) -> CoquiVoice:
    model = voices.model_folder(entry)
    if not model.is_dir():
        raise ModelError(f"the model of {entry.spoken} is not here", cure=f"agi-bot voices pull {entry.name}")
    pool = voices.pool(str(model), lambda: coqui_pool(model, workers=voices.workers, limits=_limits(COQUI, voices)))
    return CoquiVoice(
        model,
        entry.language,
        speaker=entry.speaker,
        speed=entry.speed,
        gain_db=entry.gain,
        pool=pool,
        name=entry.name,
    )


def _limits(usual: Limits, voices: Voices) -> Limits:
    return replace(usual, max_mb=voices.worker_mb)


def _onnx(entry: VoiceEntry, voices: Voices) -> OnnxVoice:
    model = voices.model_folder(entry)
    pool = voices.pool(str(model), lambda: onnx_pool(model, workers=voices.workers, limits=_limits(ONNX, voices)))
    return OnnxVoice(
        model,
        entry.language,
        speaker=entry.speaker,
        speed=entry.speed,
        gain_db=entry.gain,
        pool=pool,
        name=entry.name,
    )


_MAKERS: Mapping[str, Maker] = {"espeak": _espeak, "coqui": _coqui, "onnx": _onnx}


def _read(path: Path) -> list[VoiceEntry]:
    return [_entry(path, line, value) for line, value in read_list(path, "voice")]


def _entry(path: Path, line: int, value: dict[str, Any]) -> VoiceEntry:
    try:
        entry = VoiceEntry(**{**value, "base": path.parent})
    except (ValidationError, TypeError) as error:
        raise ConfigError(f"{path}:{line}: {_first(error)}", cure=_CURE) from None
    if (entry.engine == "espeak") == bool(entry.model):
        wrong = "an espeak voice has no model" if entry.model else f"an {entry.engine} voice needs a model"
        raise ConfigError(f"{path}:{line}: {wrong}", cure=_CURE)
    return entry


_CURE = "agi_bot/speech/voices.yml shows the form"


def _first(error: ValidationError | TypeError) -> str:
    if isinstance(error, TypeError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _tags(language: str) -> list[str]:
    """``zh-CN`` first as it is, then as its family ``zh``."""
    tag = language.lower().replace("_", "-")
    return list(dict.fromkeys((tag, tag.split("-")[0])))


def _fits(have: str, want: str) -> bool:
    have = have.lower()
    return have == want or ("-" not in want and have.split("-")[0] == want)
