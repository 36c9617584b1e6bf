"""An exported Coqui model as a Voice, on onnxruntime alone."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agi_bot.errors import ModelError, SpeechError
from agi_bot.speech.coqui.letters import sayable_by_coqui
from agi_bot.speech.line import CHAIN
from agi_bot.speech.worker.pool import Limits, WorkerPool
from agi_bot.speech.worker.voice import WorkerVoice

LIMITS = Limits(ready_s=60.0, silent_s=15.0, patience_s=10.0, backoff_s=0.5, backoff_max_s=10.0, max_mb=2000)


def onnx_pool(model: Path, *, workers: int = 1, limits: Limits = LIMITS) -> WorkerPool:
    """Worker processes that hold the exported model in folder ``model``, one thread each."""
    worker = Path(__file__).with_name("onnx_worker.py")
    return WorkerPool([sys.executable, "-P", str(worker), str(model)], name="ONNX", size=workers, limits=limits)


class OnnxVoice(WorkerVoice):
    """The exported model in folder ``model`` as a Voice at 8 kHz.

    Raises :class:`ModelError` for a folder that is none, :class:`SpeechError` for a language
    that the model does not speak.
    """

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
        values, fingerprint = _look(model)
        family = language.lower().split("-")[0]
        if values.get("language") not in ("", None, family):
            raise SpeechError(f"the model in {model} does not speak {language}", cure=f"it speaks {values['language']}")
        self._speaker, self._speed = speaker, speed
        super().__init__(
            pool or onnx_pool(model, workers=workers),
            name=f"onnx {name or model.name}{':' + speaker if speaker else ''}",
            key="|".join(("onnx", fingerprint, speaker, f"{speed:g}", f"{gain_db:g}", language, CHAIN)),
            language=language,
            gain_db=gain_db,
        )

    def request(self, text: str) -> Mapping[str, Any]:
        return {"text": sayable_by_coqui(text, self._language), "speaker": self._speaker, "speed": self._speed}


def _look(folder: Path) -> tuple[dict[str, Any], str]:
    """``voice.json``, and a fingerprint of both files."""
    digest = hashlib.sha256()
    try:
        text = (folder / "voice.json").read_bytes()
        values: dict[str, Any] = json.loads(text)
        with (folder / "model.onnx").open("rb") as file:
            digest.update(text + file.read(1 << 20))
        digest.update(str((folder / "model.onnx").stat().st_size).encode())
        if not {"rate", "scales", "signs", "speakers"} <= set(values):
            raise ValueError("voice.json is incomplete")
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{folder} is no exported voice: {error}", cure="agi-bot voices export makes one") from None
    return values, digest.hexdigest()[:16]
