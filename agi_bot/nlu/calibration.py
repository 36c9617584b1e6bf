"""From scores to probabilities: temperature, confidence and the threshold of rejection.

All three are fitted on scores of examples that the model had not learnt, so a confidence
of 0.8 means that about 8 of 10 such answers are right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WRONG = 0.25
"""What taking one intent for another costs, where acting on background speech costs 1."""

AS_GOOD = 0.005
"""Gain by which two thresholds do not differ: the examples of one business more or less move the best one by 0.15."""

_ALONE = 5.0
"""Lead, in log-odds, of an intent that has no rival."""

_TEMPERATURES = np.geomspace(1.0, 40.0, 40)


@dataclass(frozen=True, slots=True)
class Calibration:
    """``sharpness`` scales scores to log-odds; ``trust`` weighs the four signals of :func:`signals`.

    ``background`` is the number of the hidden class (-1: none).  An answer whose confidence
    is below ``threshold`` is rejected.
    """

    sharpness: float
    trust: tuple[float, ...]
    threshold: float
    background: int

    def odds(self, scores: Floats) -> Floats:
        """Log-odds of each label, up to a constant; same shape as ``scores``."""
        return scores * self.sharpness

    def confidence(self, odds: Floats) -> Floats:
        """Probability that the best label (the hidden class aside) is right, for each row of ``odds``."""
        return _sigmoid(signals(odds, self.background) @ np.array(self.trust))


def calibrate(scores: Floats, truth: npt.NDArray[np.int64], background: int) -> Calibration:
    """Fit on left-out ``scores`` (n, labels) and the right labels ``truth`` (n,)."""
    sharpness = float(min(_TEMPERATURES, key=lambda t: _loss(scores * t, truth)))
    odds = scores * sharpness
    right = best(odds, background) == truth
    trust = _logistic(signals(odds, background), right.astype(np.float64))
    confidence = _sigmoid(signals(odds, background) @ trust)
    threshold = _threshold(confidence, right, truth == background) if background >= 0 else 0.0
    return Calibration(sharpness, tuple(float(weight) for weight in trust), threshold, background)


def best(odds: Floats, background: int) -> npt.NDArray[np.int64]:
    """The best label of each row, the hidden class aside."""
    visible = odds.copy()
    if background >= 0:
        visible[:, background] = -np.inf
    return np.asarray(visible.argmax(axis=1), dtype=np.int64)


def signals(odds: Floats, background: int) -> Floats:
    """What tells a right answer from a wrong one: height, lead over the next, lead over the background; (n, 4)."""
    visible = odds.copy()
    if background >= 0:
        visible[:, background] = -np.inf
    top = np.partition(visible, -2, axis=1)[:, -2:]
    first = top[:, 1]
    second = np.where(np.isfinite(top[:, 0]), top[:, 0], first - _ALONE)
    behind = first - odds[:, background] if background >= 0 else np.zeros(len(odds))
    return np.column_stack([np.ones(len(odds)), first, first - second, behind])


def _loss(odds: Floats, truth: npt.NDArray[np.int64]) -> float:
    peak = odds.max(axis=1)
    total = np.log(np.exp(odds - peak[:, None]).sum(axis=1)) + peak
    return float((total - odds[np.arange(len(odds)), truth]).mean())


def _logistic(inputs: Floats, truth: Floats, ridge: float = 1.0) -> Floats:
    """Logistic regression by Newton's method."""
    weights = np.zeros(inputs.shape[1])
    penalty = ridge * np.eye(len(weights))
    for _ in range(25):
        chance = _sigmoid(inputs @ weights)
        slope = inputs.T @ (truth - chance) - penalty @ weights
        curve = (inputs * (chance * (1 - chance))[:, None]).T @ inputs + penalty
        weights = weights + np.linalg.solve(curve, slope)
    return weights


def _threshold(confidence: Floats, right: npt.NDArray[np.bool_], outside: npt.NDArray[np.bool_]) -> float:
    """Where most right answers are kept, and few wrong ones and little background let in.

    Of thresholds that are about as good the highest: a rejection only asks again.
    """
    candidates = np.unique(np.round(confidence, 3))
    kept, let_in, wrong = confidence[right], confidence[outside], confidence[~right & ~outside]
    gains = np.array([_above(kept, c) - _above(let_in, c) - WRONG * _above(wrong, c) for c in candidates])
    return float(candidates[gains >= gains.max() - AS_GOOD][-1])


def _above(values: Floats, bound: float) -> float:
    return float((values >= bound).mean()) if len(values) else 0.0


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -50, 50))))
