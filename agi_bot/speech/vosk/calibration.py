"""From libvosk's word confidences to how often such an utterance is right.

libvosk's confidences are posteriors of a lattice, and a lattice that is sure of something wrong is sure.
A logistic model over four signals is fitted on speech whose words are known (``agi-bot models
calibrate``) and kept beside the model as ``calibration.json``; a confidence of 0.8 then means that 8 of
10 such texts are right to the last word.  Without that file the mean confidence is taken as it is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from agi_bot.contracts import Word
from agi_bot.errors import ModelError
from agi_bot.speech.vosk.vocabulary import UNKNOWN

FILE = "calibration.json"

SIGNALS = ("mean", "least", "unknown", "seconds")
"""Of the words of an utterance: mean and least confidence as log-odds, share of ``[unk]``, log of their length."""

FEWEST = 100
"""Utterances that a calibration needs."""

_EDGE = 0.01
"""A confidence of 1 is taken for this much less."""
_BINS = 10


@dataclass(frozen=True, slots=True)
class Calibration:
    """``weights``: one for each of :data:`SIGNALS`; what it was made of and how good it is, for people.

    ``error_before``, ``error_after``: expected calibration error of the mean confidence and of the
    calibrated one, on utterances that were not used to fit.
    """

    weights: tuple[float, ...]
    bias: float
    utterances: int = 0
    error_before: float = 0.0
    error_after: float = 0.0

    def confidence(self, words: Sequence[Word]) -> float:
        """How often an utterance with such ``words`` (not empty) is right, 0..1."""
        odds = self.bias + sum(weight * signal for weight, signal in zip(self.weights, signals(words), strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


@dataclass(frozen=True, slots=True)
class Trial:
    """An utterance of known words: what was heard of it, and whether that was right."""

    words: tuple[Word, ...]
    right: bool


def signals(words: Sequence[Word]) -> tuple[float, ...]:
    """The signals of an utterance of ``words`` (not empty)."""
    lengths = [max(1, word.end_ms - word.start_ms) for word in words]
    mean = sum(word.confidence * length for word, length in zip(words, lengths, strict=True)) / sum(lengths)
    unknown = sum(length for word, length in zip(words, lengths, strict=True) if word.text == UNKNOWN)
    least = min(word.confidence for word in words)
    return _log_odds(mean), _log_odds(least), unknown / sum(lengths), math.log(sum(lengths) / 1000)


def _log_odds(share: float) -> float:
    kept = min(1 - _EDGE, max(_EDGE, share))
    return math.log(kept / (1 - kept))


def fit(trials: Sequence[Trial]) -> Calibration:
    """The calibration that fits ``trials``; its errors by cross-validation in five parts.

    Raises :class:`~agi_bot.errors.ModelError` where there are too few trials, or all end alike.
    """
    heard = [trial for trial in trials if trial.words]
    wrong = sum(not trial.right for trial in heard)
    if len(heard) < FEWEST or not FEWEST // 20 <= wrong <= len(heard) - FEWEST // 20:
        raise ModelError(
            f"{len(heard)} utterances with words, {wrong} of them wrong, are too few to calibrate with",
            cure=f"give at least {FEWEST} utterances, some of which the model gets wrong (noise, other words)",
        )
    parts = [_fitted([trial for at, trial in enumerate(heard) if at % 5 != part]) for part in range(5)]
    after = [(parts[at % 5].confidence(trial.words), trial.right) for at, trial in enumerate(heard)]
    before = [(_mean(trial.words), trial.right) for trial in heard]
    made = _fitted(heard)
    return Calibration(made.weights, made.bias, len(heard), error(before), error(after))


def _fitted(trials: Sequence[Trial]) -> Calibration:
    from sklearn.linear_model import LogisticRegression  # starts slowly

    rows = np.array([signals(trial.words) for trial in trials])
    model = LogisticRegression(C=10.0, max_iter=1000).fit(rows, [trial.right for trial in trials])
    return Calibration(
        tuple(round(float(weight), 4) for weight in model.coef_[0]), round(float(model.intercept_[0]), 4)
    )


def _mean(words: Sequence[Word]) -> float:
    lengths = [max(1, word.end_ms - word.start_ms) for word in words]
    return sum(word.confidence * length for word, length in zip(words, lengths, strict=True)) / sum(lengths)


def error(judged: Sequence[tuple[float, bool]]) -> float:
    """Expected calibration error over ten bins of equal size: how far confidence is from truth, on the mean."""
    ordered = sorted(judged, key=lambda pair: pair[0])
    bins = [part for part in np.array_split(np.array(ordered, dtype=float), _BINS) if len(part)]
    return round(float(sum(len(part) * abs(part[:, 0].mean() - part[:, 1].mean()) for part in bins)) / len(ordered), 4)


def save(calibration: Calibration, folder: Path) -> Path:
    """Keep it beside the model in ``folder``.  Raises :class:`~agi_bot.errors.ModelError`."""
    path = folder / FILE
    try:
        path.write_text(json.dumps({"signals": SIGNALS, **asdict(calibration)}, indent=2) + "\n", "utf-8")
    except OSError as error_of_disk:
        raise ModelError(f"{path} cannot be written: {error_of_disk.strerror}", cure="check its rights") from None
    return path


def load(folder: Path) -> Calibration | None:
    """What :func:`save` kept; ``None`` without such a file.  Raises :class:`~agi_bot.errors.ModelError`."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        kept = json.loads(path.read_text("utf-8"))
        weights = tuple(float(weight) for weight in kept["weights"])
        if kept["signals"] != list(SIGNALS) or len(weights) != len(SIGNALS):
            raise ValueError("it is of another version")
        return Calibration(weights, float(kept["bias"]), int(kept.get("utterances", 0)))
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise ModelError(
            f"{path} is no calibration: {wrong}", cure="remove it, or make it again: agi-bot models calibrate FOLDER"
        ) from None
