"""A Coqui model as a Voice."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agi_bot.errors import SpeechError
from agi_bot.speech.coqui.folder import ModelFolder, look
from agi_bot.speech.coqui.letters import sayable_by_coqui
from agi_bot.speech.line import CHAIN
from agi_bot.speech.worker.pool import Limits, WorkerPool
from agi_bot.speech.worker.voice import WorkerVoice

LIMITS = Limits(ready_s=120.0, silent_s=15.0, patience_s=10.0, backoff_s=0.5, backoff_max_s=10.0, max_mb=4000)


def coqui_pool(model: Path, *, workers: int = 1, limits: Limits = LIMITS) -> WorkerPool:
    """Worker processes that hold the Coqui model in folder ``model``, one thread each."""
    worker = Path(__file__).with_name("worker.py")
    return WorkerPool([sys.executable, "-P", str(worker), str(model)], name="Coqui", size=workers, limits=limits)


class CoquiVoice(WorkerVoice):
    """The Coqui model in folder ``model`` as a Voice at 8 kHz.

    ``speaker``: one of a model with several.  ``speed``: 0.5-2.5 times the usual.
    Raises :class:`ModelError` for a folder that cannot be loaded, :class:`SpeechError` for a
    language that the model does not speak.
    """

    whole = False

    def __init__(
        self,
        model: Path,
        language: str = "zh-CN",
        *,
        speaker: str = "",
        speed: float = 1.0,
        gain_db: float = 0.0,
        workers: int = 1,
        pool: WorkerPool | None = None,
        name: str = "",
    ) -> None:
        folder = look(model)
        _check_language(folder, language)
        self._speaker = speaker
        self._speed = speed
        super().__init__(
            pool or coqui_pool(model, workers=workers),
            name=f"coqui {name or model.name}{':' + speaker if speaker else ''}",
            key="|".join(("coqui", folder.fingerprint, speaker, f"{speed:g}", f"{gain_db:g}", language, CHAIN)),
            language=language,
            gain_db=gain_db,
        )

    def request(self, text: str) -> Mapping[str, Any]:
        said = sayable_by_coqui(text, self._language)
        return {"text": said, "speaker": self._speaker, "language": self._language, "speed": self._speed}


def _check_language(folder: ModelFolder, language: str) -> None:
    family = language.lower().split("-")[0]
    if folder.language and folder.language != family:
        raise SpeechError(
            f"the model in {folder.path} does not speak {language}", cure=f"its config.json says {folder.language}"
        )
