"""A model folder, looked at before a worker is started on it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agi_bot.errors import ModelError

_CURE = "a Coqui model folder holds config.json and one model .pth"
_SAMPLE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """``fingerprint`` changes with the weights or the configuration."""

    path: Path
    config: Path
    checkpoint: Path
    architecture: str
    language: str
    fingerprint: str


def look(path: Path) -> ModelFolder:
    """What is in ``path``.  Raises :class:`ModelError` for what no worker could load."""
    config = path / "config.json"
    if not path.is_dir():
        raise ModelError(f"there is no model folder {path}", cure="agi-bot voices pull fetches one")
    values = _config(config)
    checkpoint = _checkpoint(path)
    return ModelFolder(
        path,
        config,
        checkpoint,
        str(values.get("model", "")),
        _language(values),
        _fingerprint(config, checkpoint),
    )


def _config(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path} is missing", cure=_CURE) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}", cure=_CURE) from None
    if not isinstance(values, dict) or not values.get("model"):
        raise ModelError(f"{path} names no model architecture", cure=_CURE)
    return values


def _checkpoint(path: Path) -> Path:
    found = sorted(file for file in path.glob("*.pth") if "speaker" not in file.name and "language" not in file.name)
    named = [file for file in found if file.name in ("model.pth", "model_file.pth", "best_model.pth")]
    if len(named or found) != 1:
        many = ", ".join(file.name for file in found) or "none"
        raise ModelError(f"{path} must hold one checkpoint (.pth); found: {many}", cure=_CURE)
    return (named or found)[0]


def _language(values: dict[str, Any]) -> str:
    """The one language of a model, as a family (``zh``, ``en``); empty where it is not told or has many."""
    if values.get("use_language_embedding") or (values.get("model_args") or {}).get("use_language_embedding"):
        return ""
    return str(values.get("phoneme_language") or "").split("-")[0].lower()


def _fingerprint(config: Path, checkpoint: Path) -> str:
    digest = hashlib.sha256(config.read_bytes())
    size = checkpoint.stat().st_size
    with checkpoint.open("rb") as file:
        digest.update(file.read(_SAMPLE_BYTES))
        file.seek(max(0, size - _SAMPLE_BYTES))
        digest.update(file.read())
    digest.update(str(size).encode())
    return digest.hexdigest()[:16]
