"""Is the caller speaking?  One inference for all calls' current windows.

:class:`VadBatcher` collects the 32 ms windows of all calls and asks the model once for all
of them; :class:`VoiceActivity` is one call's stream; :class:`Segmenter` turns probabilities
into speech with an onset and an end.  The model is the silero ONNX file of the package
``silero-vad`` (MIT), found without importing it, because the import drags torch in.  Where
the package is missing, :class:`EnergyModel` stands in, and :func:`find_model` says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from agi_bot.audio import LINE_RATE, Frame, Resampler, Samples
from agi_bot.errors import ModelError

WINDOW = 256
"""Samples of one window: 32 ms at 8000 Hz."""

WINDOW_MS = WINDOW * 1000 // LINE_RATE

_CONTEXT = 32
"""Samples of the window before that the model wants in front of each window at 8000 Hz."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class VadSettings:
    """Limits of the segmenter, ms and probabilities.

    Speech begins after ``onset_ms`` of windows above ``onset``; it ends when windows stay
    below ``offset`` for ``hold_ms``.  ``pre_roll_ms`` of sound before the onset belongs to
    it (given to the recogniser).  ``gather_ms``: how long the batcher waits for windows of
    other calls once more than ``gather_above`` calls are open.
    """

    onset: float = 0.5
    offset: float = 0.35
    onset_ms: int = 64
    hold_ms: int = 64
    pre_roll_ms: int = 300
    gather_ms: int = 8
    gather_above: int = 8


class VadModel(Protocol):
    """Windows in, probabilities out; keeps no state of its own between calls."""

    @property
    def name(self) -> str:
        """As reports show it."""

    def fresh(self) -> Floats:
        """The state of a stream that begins."""

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

    def probabilities(self, windows: Floats, states: Floats) -> tuple[Floats, Floats]:
        power = np.mean(windows[:, _CONTEXT:].astype(np.float64) ** 2, axis=1)
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


class VadBatcher:
    """One model for all calls: windows that come at about the same time share one inference."""

    def __init__(self, model: VadModel, settings: VadSettings | None = None) -> None:
        self.model = model
        self.settings = settings or VadSettings()
        self.inferences = 0
        self.windows = 0
        self._open = 0
        self._waiting: list[tuple[Floats, Floats, asyncio.Future[tuple[float, Floats]]]] = []

    def stream(self) -> VoiceActivity:
        """A new call's stream; close it at the end of the call."""
        self._open += 1
        return VoiceActivity(self)

    def left(self) -> None:
        """A stream was closed."""
        self._open -= 1

    async def ask(self, window: Floats, state: Floats) -> tuple[float, Floats]:
        """Probability of speech in ``window`` (32 + 256 samples in -1..1) and the next state."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[float, Floats]] = loop.create_future()
        if not self._waiting:
            wait = self.settings.gather_ms / 1000 if self._open > self.settings.gather_above else 0.0
            loop.call_later(wait, self._run)
        self._waiting.append((window, state, answer))
        return await answer

    def _run(self) -> None:
        batch, self._waiting = self._waiting, []
        try:
            chances, states = self.model.probabilities(
                np.stack([window for window, _, _ in batch]), np.stack([state for _, state, _ in batch])
            )
        except Exception as error:
            _fail([answer for _, _, answer in batch], error)
            return
        self.inferences += 1
        self.windows += len(batch)
        for (_, _, answer), chance, state in zip(batch, chances, states, strict=True):
            if not answer.done():
                answer.set_result((float(chance), state))


def _fail(answers: Sequence[asyncio.Future[tuple[float, Floats]]], error: Exception) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_exception(error)


class VoiceActivity:
    """One call's stream: frames of any length and rate in, speech or not out."""

    def __init__(self, batcher: VadBatcher) -> None:
        self._batcher = batcher
        self._state = batcher.model.fresh()
        self._context = np.zeros(_CONTEXT, dtype=np.float32)
        self._rest = np.zeros(0, dtype=np.float32)
        self._resampler: Resampler | None = None
        self._windows = 0
        self.settings = batcher.settings
        self.segmenter = Segmenter(batcher.settings)

    async def hear(self, frame: Frame, *, suppress: bool = False) -> Segment:
        """The state of speech after ``frame``.

        ``suppress``: this frame is the bot's own echo or a tone and cannot be speech.
        """
        self._rest = np.concatenate([self._rest, _floats(self._at_line_rate(frame))])
        while len(self._rest) >= WINDOW:
            window, self._rest = self._rest[:WINDOW], self._rest[WINDOW:]
            chance, self._state = await self._batcher.ask(np.concatenate([self._context, window]), self._state)
            self._context = window[-_CONTEXT:]
            self._windows += 1
            self.segmenter.push(0.0 if suppress else chance, self._windows * WINDOW_MS)
        return self.segmenter.segment

    def close(self) -> None:
        """The call ended."""
        self._batcher.left()

    def _at_line_rate(self, frame: Frame) -> Samples:
        if frame.rate == LINE_RATE:
            return frame.samples
        if self._resampler is None:
            self._resampler = Resampler(frame.rate, LINE_RATE)
        return self._resampler.push(frame).samples


def _floats(samples: Samples) -> Floats:
    return samples.astype(np.float32) / 32768.0


@dataclass(frozen=True, slots=True)
class Segment:
    """What is known after a window; times in ms of the stream.

    ``speech``: the caller is speaking now.  ``from_ms``/``to_ms``: begin and last sound of
    the present or the last stretch of speech (-1: none yet).
    """

    speech: bool = False
    from_ms: int = -1
    to_ms: int = -1
    chance: float = 0.0


class Segmenter:
    """Probabilities of 32 ms windows into stretches of speech, with hysteresis.  Pure."""

    def __init__(self, settings: VadSettings | None = None) -> None:
        self._settings = settings or VadSettings()
        self._rising_from = -1
        self.segment = Segment()

    def push(self, chance: float, now_ms: int) -> Segment:
        """``chance`` of speech in the window that ended at ``now_ms``."""
        now = self.segment
        self.segment = self._during(now, chance, now_ms) if now.speech else self._before(now, chance, now_ms)
        return self.segment

    def _before(self, now: Segment, chance: float, now_ms: int) -> Segment:
        if chance < self._settings.onset:
            self._rising_from = -1
            return Segment(False, now.from_ms, now.to_ms, chance)
        if self._rising_from < 0:
            self._rising_from = now_ms - WINDOW_MS
        if now_ms - self._rising_from < self._settings.onset_ms:
            return Segment(False, now.from_ms, now.to_ms, chance)
        begin, self._rising_from = self._rising_from, -1
        return Segment(True, begin, now_ms, chance)

    def _during(self, now: Segment, chance: float, now_ms: int) -> Segment:
        if chance >= self._settings.offset:
            return Segment(True, now.from_ms, now_ms, chance)
        return Segment(now_ms - now.to_ms < self._settings.hold_ms, now.from_ms, now.to_ms, chance)
