"""Ridge regression on sparse rows: in closed form, or by conjugate gradients where that does not fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack
from scipy.sparse import csr_matrix

from agi_bot.nlu.vectors import Sparse

Scores = npt.NDArray[np.float64]
Solution = tuple[Scores, Scores, Scores]
"""Weights (pieces, outputs), bias (outputs,) and, for each example, the scores of a model without it (n, outputs)."""

FOLDS = 5


def matrix(rows: Sequence[Sparse], size: int) -> csr_matrix:
    """``rows`` as one sparse matrix of shape (n, size)."""
    starts = np.cumsum([0, *(len(row.indices) for row in rows)])
    indices = np.concatenate([row.indices for row in rows])
    weights = np.concatenate([row.weights for row in rows]).astype(np.float64)
    return csr_matrix((weights, indices, starts), shape=(len(rows), size))


def exact(rows: csr_matrix, targets: Scores, ridge: float) -> Solution:
    """Closed form over the similarities of all rows: time grows with the cube of their number."""
    similarities = (rows @ rows.T).toarray() + 1.0  # 1: the bias is a piece that every row has
    inverse = _inverse(similarities + ridge * np.eye(len(targets)))
    duals = inverse @ targets
    left_out = targets - duals / np.diag(inverse)[:, None]
    return rows.T @ duals, duals.sum(axis=0), left_out


def approximate(rows: csr_matrix, targets: Scores, truth: npt.NDArray[np.int64], ridge: float) -> Solution:
    """Conjugate gradients; the left-out scores come from cross-validation."""
    from sklearn.model_selection import StratifiedKFold

    left_out = np.zeros_like(targets)
    for others, fold in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(rows, truth):
        weights, bias = _gradients(rows[others], targets[others], ridge)
        left_out[fold] = rows[fold] @ weights + bias
    weights, bias = _gradients(rows, targets, ridge)
    return weights, bias, left_out


def _gradients(rows: csr_matrix, targets: Scores, ridge: float) -> tuple[Scores, Scores]:
    from sklearn.linear_model import Ridge

    fitted = Ridge(alpha=ridge, solver="sparse_cg", tol=1e-3, max_iter=200).fit(rows, targets)
    return fitted.coef_.T, fitted.intercept_


def _inverse(positive: Scores) -> Scores:
    """Inverse of a symmetric positive definite matrix, by Cholesky: half the work of a general one."""
    factor, failed = lapack.dpotrf(positive, lower=1, overwrite_a=1)
    if failed:
        raise np.linalg.LinAlgError("the similarities are not positive definite")
    lower, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    return np.asarray(np.tril(lower) + np.tril(lower, -1).T)
