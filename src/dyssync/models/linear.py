"""Linear models with an L2 penalty, of the fall of LVESV or of the response: how both are fitted.

Where several strengths of the penalty are offered, one is chosen inside the patients that are
learnt from, by leave-one-out, which costs a linear fit nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats, Ints
from dyssync.errors import ModelError
from dyssync.models.fall import log_odds_of_response

# p (1 - p) where about two of three respond: what a logistic loss curves by, beside a squared one
CURVATURE = 0.22


@dataclass(frozen=True)
class Linear:
    """The log-odds of response as a linear function.

    Attributes:
        slopes: (k,) per unit of each column.
        intercept: log-odds where all columns are 0.
        chosen: position of the penalties that were taken.
    """

    slopes: Floats
    intercept: float
    chosen: int


def fit_fall(
    rows: Floats, falls: Floats, weights: Floats, penalties: Sequence[float | Floats]
) -> Linear:
    """Learn the fall of LVESV; a response is a fall of 15 %.

    Args:
        rows: (n, k) columns of one scale.
        falls: (n,) %, finite.
        weights: (n,) above 0, mean 1.
        penalties: to choose from: of every slope, or (k,) one a column.

    Raises:
        ModelError: all falls are the same.
    """
    found = _least_squares(rows, falls, weights, penalties)
    if found.variance == 0:
        raise ModelError("all training patients have the same fall; nothing can be learnt")
    zero, one = log_odds_of_response(np.array([0.0, 1.0]), float(np.sqrt(found.variance)))
    factor = float(one - zero)
    return Linear(found.slopes * factor, float(zero) + factor * found.level, found.chosen)


def fit_response(
    rows: Floats, labels: Ints, weights: Floats, penalties: Sequence[float | Floats]
) -> Linear:
    """Learn the response by logistic regression; arguments as in :func:`fit_fall`.

    Several penalties are compared as those of a linear fit to the response, which is as good for
    that and takes a hundredth of the time.
    """
    from sklearn.linear_model import LogisticRegression

    linear = [np.asarray(penalty) / CURVATURE for penalty in penalties]
    target = labels.astype(np.float64)
    chosen = 0 if len(linear) == 1 else _least_squares(rows, target, weights, linear).chosen
    # the same regression on as few columns as there are patients, each with a penalty of 1
    centre = rows.mean(axis=0)
    ease = _ease(penalties[chosen], len(centre))
    left, sizes, right = np.linalg.svd((rows - centre) * ease, full_matrices=False)
    regression = LogisticRegression(C=1.0, max_iter=1000)
    regression.fit(left * sizes, labels, sample_weight=weights)
    slopes = ease * (right.T @ regression.coef_[0])
    return Linear(slopes, float(regression.intercept_[0]) - float(centre @ slopes), chosen)


@dataclass(frozen=True)
class _Fit:
    """A linear fit: slopes, value where all columns are 0, variance of what it misses unseen."""

    slopes: Floats
    level: float
    variance: float
    chosen: int


def _least_squares(
    rows: Floats, target: Floats, weights: Floats, penalties: Sequence[float | Floats]
) -> _Fit:
    """Return the fit whose penalties leave the least variance of leave-one-out residuals.

    A linear fit gives them without fitting anew (Allen 1974, 10.1080/00401706.1974.10489157).
    """
    root = np.sqrt(weights)
    # the intercept is free of penalty: everything is taken from its weighted mean
    centre, level = np.average(rows, axis=0, weights=weights), np.average(target, weights=weights)
    centred, asked = (rows - centre) * root[:, None], (target - level) * root
    found = []
    for k, penalty in enumerate(penalties):
        ease = _ease(penalty, len(centre))
        left, squares = _left_vectors(centred * ease)
        along = left.T @ asked
        leverage = left**2 @ (squares / (squares + 1)) + weights / weights.sum()
        fitted = left @ (squares / (squares + 1) * along)
        left_out = (asked - fitted) / (1 - np.minimum(leverage, 0.99))
        found.append(
            (float((left_out**2).sum() / weights.sum()), k, left @ (along / (squares + 1)))
        )
    variance, chosen, dual = min(found, key=lambda fit: fit[0])
    slopes = _ease(penalties[chosen], len(centre)) ** 2 * (centred.T @ dual)
    return _Fit(slopes, float(level - centre @ slopes), variance, chosen)


def _left_vectors(rows: Floats) -> tuple[Floats, Floats]:
    """Return left singular vectors (n, r) and squares of the singular values (r,) of (n, k)."""
    n, k = rows.shape
    if n > k:
        left, sizes, _ = np.linalg.svd(rows, full_matrices=False)
        return left, sizes**2
    squares, left = np.linalg.eigh(rows @ rows.T)  # a fifth of the time of svd for 228 x 530
    return left, np.maximum(squares, 0.0)


def _ease(penalty: float | Floats, columns: int) -> Floats:
    """Return by what columns are multiplied so that a penalty of 1 is the one asked for."""
    return np.broadcast_to(np.asarray(penalty, dtype=np.float64) ** -0.5, (columns,))
