"""The networks that tell speech from other sound.

The model is the silero ONNX file of the package ``silero-vad`` (MIT), found without
importing it, because the import drags torch in.  Where the package is missing,
:class:`EnergyModel` stands in, and :func:`find_model` says so.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from agi_bot.audio import LINE_RATE
from agi_bot.errors import ModelError

WINDOW = 256
"""Samples of one window: 32 ms at 8000 Hz."""

CONTEXT = 32
"""Samples of the window before that the model wants in front of each window at 8000 Hz."""

Floats = npt.NDArray[np.float32]


class VadModel(Protocol):
    """Windows in, probabilities out; keeps no state of its own between calls."""

    @property
    def name(self) -> str:
        """As reports show it."""

    def fresh(self) -> Floats:
        """The state of a stream that begins."""

    def forget(self, state: Floats) -> Floats:
        """``state`` after a second of silence, without what a long silence makes worse."""

    def probabilities(self, windows: Floats, states: Floats) -> tuple[Floats, Floats]:
        """Speech probability of each of ``windows`` (n, 32 + 256) and the new ``states`` (n, ...)."""


class SileroModel:
    """The silero network at 8 kHz through onnxruntime, one thread, no torch."""

    name = "silero"

    def __init__(self, path: Path) -> None:
        try:
            self._session = _session(path)
        except Exception as error:
            raise ModelError(
                f"the voice activity model {path} cannot be loaded: {error}",
                cure="install it again: pip install --force-reinstall --no-deps silero-vad",
            ) from error
        self._rate = np.array(LINE_RATE, dtype=np.int64)

    def fresh(self) -> Floats:
        return np.zeros((2, 128), dtype=np.float32)

    def forget(self, state: Floats) -> Floats:
        """Fresh: after ten seconds of noise at 10 dB silero finds speech 275 ms late, fresh 120 ms."""
        return self.fresh()

    def probabilities(self, windows: Floats, states: Floats) -> tuple[Floats, Floats]:
        feed = {"input": windows, "state": np.ascontiguousarray(states.transpose(1, 0, 2)), "sr": self._rate}
        output, after = self._session.run(None, feed)
        return output[:, 0], after.transpose(1, 0, 2)


class EnergyModel:
    """Speech by level above an adaptive noise floor: for machines without the silero package.

    It takes every loud sound for speech.  State: noise floor in dB.
    """

    name = "energy"
    _START_DB, _RISE_DB, _MIDDLE_DB, _WIDTH_DB = -55.0, 0.15, 12.0, 3.0

    def fresh(self) -> Floats:
        return np.array([self._START_DB], dtype=np.float32)

    def forget(self, state: Floats) -> Floats:
        """The noise floor is all that it knows; it is kept."""
        return state

    def probabilities(self, windows: Floats, states: Floats) -> tuple[Floats, Floats]:
        power = np.mean(windows[:, CONTEXT:].astype(np.float64) ** 2, axis=1)
        level = 10 * np.log10(power + 1e-9)
        floor = np.clip(np.minimum(level, states[:, 0] + self._RISE_DB), -75.0, -25.0)
        steps = np.clip((level - floor - self._MIDDLE_DB) / self._WIDTH_DB, -30.0, 30.0)
        return (1 / (1 + np.exp(-steps))).astype(np.float32), floor[:, None].astype(np.float32)


def find_model() -> tuple[VadModel, str]:
    """The best model of this machine, and a finding for ``agi-bot check`` (empty: all is well)."""
    path = silero_path()
    if path is None:
        return EnergyModel(), (
            "silero-vad is not installed: noise and tones will count as speech (pip install --no-deps silero-vad)"
        )
    try:
        return SileroModel(path), ""
    except ModelError as error:
        return EnergyModel(), str(error)


def silero_path() -> Path | None:
    """The ONNX file of the installed package ``silero-vad``; None where there is none."""
    try:
        files = metadata.files("silero-vad") or []
    except metadata.PackageNotFoundError:
        return None
    found = [file.locate() for file in files if file.name == "silero_vad.onnx"]
    return Path(str(found[0])) if found and Path(str(found[0])).is_file() else None


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
