"""A trained model on disk: one .npz without pickles, named by the hash of what it was trained from."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np

from agi_bot.nlu.calibration import Calibration
from agi_bot.nlu.data import NluData
from agi_bot.nlu.training import Model
from agi_bot.nlu.vectors import Vocabulary

FORMAT = 3
"""Counts up with every change of features, training or this file's layout."""


def fingerprint(data: NluData, language: str) -> str:
    """Changes whenever a model trained from ``data`` would."""
    examples = [(example.text, example.intent) for example in data.all_examples]
    written = json.dumps([FORMAT, language, examples, data.background], ensure_ascii=False)
    return hashlib.sha256(written.encode()).hexdigest()[:24]


def save(model: Model, path: Path) -> None:
    """Write ``model`` whole or not at all.  Raises :class:`OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "format": FORMAT,
        "language": model.language,
        "labels": model.labels,
        "blocks": {block: list(numbers) for block, numbers in model.vocabulary.blocks.items()},
        "calibration": asdict(model.calibration),
    }
    text = np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), dtype=np.uint8)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, about=text, rarity=model.vocabulary.rarity, weights=model.weights, bias=model.bias)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def load(path: Path) -> Model | None:
    """The model in ``path``; ``None`` where there is none, or one that is broken or of another format."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            about = json.loads(arrays["about"].tobytes())
            if about["format"] != FORMAT:
                return None
            vocabulary = Vocabulary(_numbered(about["blocks"]), arrays["rarity"])
            return _checked(about, vocabulary, arrays["weights"], arrays["bias"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def _checked(about: dict[str, object], vocabulary: Vocabulary, weights: np.ndarray, bias: np.ndarray) -> Model | None:
    labels = tuple(str(label) for label in about["labels"])  # type: ignore[attr-defined]
    if weights.shape != (len(vocabulary), len(labels)) or bias.shape != (len(labels),):
        return None
    settings = dict(about["calibration"])  # type: ignore[call-overload]
    calibration = Calibration(**{**settings, "trust": tuple(settings["trust"])})
    return Model(str(about["language"]), labels, vocabulary, weights, bias, calibration)


def _numbered(blocks: dict[str, list[str]]) -> dict[str, dict[str, int]]:
    numbered: dict[str, dict[str, int]] = {}
    first = 0
    for block, pieces in blocks.items():
        numbered[block] = {piece: first + number for number, piece in enumerate(pieces)}
        first += len(pieces)
    return numbered
