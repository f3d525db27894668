"""Linear models with an L2 penalty, of the fall of LVESV or of the response: how both are fitted.

The strength of the penalty is chosen inside the patients that are learnt from, where more than one
is offered: for the fall by leave-one-out, which costs a linear fit nothing; for the response by
folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from dyssync.arrays import Floats, Ints
from dyssync.errors import ModelError
from dyssync.models.fall import log_odds_of_response

FOLDS, FOLDS_SEED = 5, 0x1D65


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

    The falls of patients it has not seen vary by the leave-one-out residuals, which a linear fit
    gives without fitting anew (Allen 1974, 10.1080/00401706.1974.10489157); the penalties that make
    them smallest are taken.

    Args:
        rows: (n, k) columns of one scale.
        falls: (n,) %, finite.
        weights: (n,) above 0, mean 1.
        penalties: to choose from: of every slope, or (k,) one a column.

    Raises:
        ModelError: all falls are the same.
    """
    root = np.sqrt(weights)
    # the intercept is free of penalty: everything is taken from its weighted mean
    centre, level = np.average(rows, axis=0, weights=weights), np.average(falls, weights=weights)
    centred, target = (rows - centre) * root[:, None], (falls - level) * root
    best: tuple[float, int, Floats] | None = None
    for k, penalty in enumerate(penalties):
        ease = np.broadcast_to(np.asarray(penalty, dtype=np.float64) ** -0.5, centre.shape)
        left, sizes, right = np.linalg.svd(centred * ease, full_matrices=False)
        shrunk, along = sizes**2 / (sizes**2 + 1), left.T @ target
        leverage = left**2 @ shrunk + weights / weights.sum()
        left_out = (target - left @ (shrunk * along)) / (1 - np.minimum(leverage, 0.99))
        variance = float((left_out**2).sum() / weights.sum())
        if best is None or variance < best[0]:
            best = variance, k, ease * (right.T @ (sizes / (sizes**2 + 1) * along))
    assert best is not None, "a penalty at least"
    variance, chosen, slopes = best
    if variance == 0:
        raise ModelError("all training patients have the same fall; nothing can be learnt")
    zero, one = log_odds_of_response(np.array([0.0, 1.0]), float(np.sqrt(variance)))
    factor = float(one - zero)
    intercept = float(zero) + factor * float(level - centre @ slopes)
    return Linear(slopes * factor, intercept, chosen)


def fit_response(
    rows: Floats, labels: Ints, weights: Floats, penalties: Sequence[float | Floats]
) -> Linear:
    """Learn the response by logistic regression; arguments as in :func:`fit_fall`.

    Of several penalties, those of the least log-loss over :data:`FOLDS` folds are taken.
    """
    centre = rows.mean(axis=0)
    folds = min(FOLDS, int(np.bincount(labels, minlength=2).min()))
    splits = []
    if len(penalties) > 1 and folds > 1:
        dealt = StratifiedKFold(folds, shuffle=True, random_state=FOLDS_SEED)
        splits = list(dealt.split(rows, labels))
    best: tuple[float, int] | None = None
    for k, penalty in enumerate(penalties):
        scores, _ = _scores(rows - centre, penalty)
        loss = sum(_loss(scores, labels, weights, train, test) for train, test in splits)
        if best is None or loss < best[0]:
            best = loss, k
    assert best is not None, "a penalty at least"
    chosen = best[1]
    scores, back = _scores(rows - centre, penalties[chosen])
    fitted = _logistic(scores, labels, weights)
    slopes = back @ fitted.coef_[0]
    return Linear(slopes, float(fitted.intercept_[0]) - float(centre @ slopes), chosen)


def _scores(centred: Floats, penalty: float | Floats) -> tuple[Floats, Floats]:
    """Return (n, min(n, k)) columns that bear a penalty of 1, and the way back, (k, min(n, k)).

    The regression on them is the same, with as few columns as there are patients.
    """
    ease = np.broadcast_to(np.asarray(penalty, dtype=np.float64) ** -0.5, centred.shape[1:])
    left, sizes, right = np.linalg.svd(centred * ease, full_matrices=False)
    return left * sizes, ease[:, None] * right.T


def _loss(scores: Floats, labels: Ints, weights: Floats, train: Ints, test: Ints) -> float:
    p = _logistic(scores[train], labels[train], weights[train]).predict_proba(scores[test])
    return float(log_loss(labels[test], p, sample_weight=weights[test], normalize=False))


def _logistic(scores: Floats, labels: Ints, weights: Floats) -> LogisticRegression:
    return LogisticRegression(C=1.0, max_iter=1000).fit(scores, labels, sample_weight=weights)
