"""The same ridge regression for more examples than the closed form can hold (scikit-learn)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import Ridge
from sklearn.model_selection import StratifiedKFold

from agi_bot.nlu.vectors import Sparse

Scores = npt.NDArray[np.float64]

FOLDS = 5


def solve(
    rows: list[Sparse], targets: Scores, truth: npt.NDArray[np.int64], size: int, ridge: float
) -> tuple[Scores, Scores, Scores]:
    """Weights (size, outputs), bias (outputs,) and scores of each example by a model of the other folds."""
    matrix = _matrix(rows, size)
    left_out = np.zeros_like(targets)
    for others, fold in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(matrix, truth):
        left_out[fold] = _fit(matrix[others], targets[others], ridge).predict(matrix[fold])
    final = _fit(matrix, targets, ridge)
    return final.coef_.T, final.intercept_, left_out


def _fit(matrix: csr_matrix, targets: Scores, ridge: float) -> Ridge:
    return Ridge(alpha=ridge, solver="sparse_cg", tol=1e-3, max_iter=200).fit(matrix, targets)


def _matrix(rows: list[Sparse], size: int) -> csr_matrix:
    starts = np.cumsum([0, *(len(row.indices) for row in rows)])
    indices = np.concatenate([row.indices for row in rows])
    weights = np.concatenate([row.weights for row in rows])
    return csr_matrix((weights, indices, starts), shape=(len(rows), size))
