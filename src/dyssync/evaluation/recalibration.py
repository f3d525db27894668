"""From the logits of a model to calibrated probabilities: ``p = expit(intercept + slope z)``.

One recalibration is fitted to the out-of-fold logits of all patients, and is what a bundle
answers with. A graded probability must not have seen its own outcome, so that a study grades
:func:`cross_recalibrated` ones.

References:
    Platt J. Probabilistic outputs for support vector machines. Advances in Large Margin
    Classifiers, MIT Press 1999:61-74; here with a prior of the slope in place of his targets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dyssync.arrays import Bools, Floats, Ints
from dyssync.errors import InputError
from dyssync.evaluation.logistic import TINY, fit_logistic, logits, probabilities

DIVISIONS = 10  # parts of the patients in cross_recalibrated; each fit then sees nine tenths


class SlopePrior(NamedTuple):
    """What is expected of the slope before any outcome is seen: a normal distribution.

    It keeps the slope finite where the classes are separated.
    """

    mean: float
    sd: float


@dataclass(frozen=True)
class Recalibration:
    """Slope (at least 0) and intercept that turn a model's logits into calibrated ones."""

    slope: float
    intercept: float

    def logits(self, z: Floats) -> Floats:
        """Return calibrated logits, the shape of `z`; NaN stays NaN."""
        # a slope of 0 answers the base rate to every logit, an infinite one too, but not to none
        scaled = np.where(np.isnan(z), np.nan, 0.0) if self.slope == 0 else self.slope * z
        return self.intercept + scaled

    def apply(self, z: Floats) -> Floats:
        """Return calibrated probabilities of response, the shape of `z`, 0-1."""
        return probabilities(self.logits(z))


def fit_recalibration(
    z: Floats, y: Ints, *, weight: Floats | None = None, prior: SlopePrior
) -> Recalibration:
    """Return the recalibration that makes out-of-fold logits fit the outcomes best.

    It minimises ``sum w (log(1 + e^eta) - y eta) + (slope - mean)^2 / (2 sd^2)``, eta = intercept +
    slope z. A negative slope would be noise: it becomes 0, and every answer the base rate.

    Args:
        z: (n,) out-of-fold logits; a patient whose logit is NaN takes no part.
        y: (n,) outcomes, 1 = responder.
        weight: (n,), at least 0; 1 each by default. Of k recordings of a patient each has 1/k.
        prior: of the slope. About 1 for logits that are a likelihood's own (regressions).

    Raises:
        InputError: no patient has a finite logit and a weight.
    """
    weights = np.ones(len(z)) if weight is None else weight
    fits = _fit(z, y, weights[None, :], prior)
    return Recalibration(*fits[0].tolist())


def cross_recalibrated(
    z: Floats,
    y: Ints,
    seed: int,
    *,
    weight: Floats | None = None,
    prior: SlopePrior,
    divisions: int = DIVISIONS,
) -> Floats:
    """Return every patient's probability (n,) from a recalibration fitted to the others.

    Args:
        z: (n,) out-of-fold logits, a row a patient; NaN gives NaN.
        y: (n,) outcomes.
        seed: of the stratified division of the patients.
        weight: as in :func:`fit_recalibration`.
        prior: as there.
        divisions: parts of the patients, cut to the size of the smaller class.

    Raises:
        InputError: fewer than two patients of a class have a logit.
    """
    from sklearn.model_selection import StratifiedKFold

    known = np.isfinite(z)
    parts = min(divisions, *np.bincount(y[known], minlength=2).tolist())
    if parts < 2:
        raise InputError(
            "recalibration: a class has fewer than two patients with a logit; two of each are "
            "needed. Add patients"
        )
    part = np.full(len(z), -1)  # those without a logit are in no part
    division = StratifiedKFold(parts, shuffle=True, random_state=seed)
    for k, (_, held) in enumerate(division.split(z[known, None], y[known])):
        part[np.flatnonzero(known)[held]] = k
    others = part[None, :] != np.arange(parts)[:, None]  # (parts, n)
    weights = np.ones(len(z)) if weight is None else weight
    fits = _fit(z, y, others * weights, prior)
    answer = np.full(len(z), np.nan)
    for k, (slope, intercept) in enumerate(fits.tolist()):
        answer[part == k] = Recalibration(slope, intercept).apply(z[part == k])
    return answer


def _fit(z: Floats, y: Ints, weight: Floats, prior: SlopePrior) -> Floats:
    """Return slope and intercept (B, 2) under each row of weights (B, n)."""
    known = np.isfinite(z)
    z, label, weight = z[known], y[known].astype(np.float64), weight[:, known]
    if len(z) == 0 or not np.all(weight.sum(axis=1) > 0):
        raise InputError("recalibration: nobody has a logit; at least one patient is needed")
    ones = weight @ label
    mixed = (ones > 0) & (ones < weight.sum(axis=1))
    share = (ones + 0.5) / (weight.sum(axis=1) + 1)  # where one class is missing, no certainty
    share[mixed] = ones[mixed] / weight.sum(axis=1)[mixed]
    answer = np.column_stack([np.zeros(len(weight)), logits(share)])  # the base rate
    rows = np.flatnonzero(_spread(z, weight) & mixed)
    middle, scale = z.mean(), max(z.std(), TINY)  # whatever the unit, Newton sees logits of SD 1
    fits = fit_logistic(
        np.column_stack([(z - middle) / scale, np.ones(len(z))]),
        np.broadcast_to(label, (len(rows), len(label))),
        weight[rows],
        np.array([prior.mean * scale, 0.0]),
        ridge=np.array([(prior.sd * scale) ** -2, 0.0]),
    )
    fits = np.column_stack([fits[:, 0] / scale, fits[:, 1] - fits[:, 0] * middle / scale])
    rising = fits[:, 0] > 0  # the loss is convex: where it falls below 0, its least value is at 0
    answer[rows[rising]] = fits[rising]
    return answer


def _spread(z: Floats, weight: Floats) -> Bools:
    """Return under which weights the logits differ by more than rounding, (B,)."""
    high = np.where(weight > 0, z, -np.inf).max(axis=1)
    low = np.where(weight > 0, z, np.inf).min(axis=1)
    return np.asarray(high - low > 1e-9 * np.maximum(np.abs(high), np.abs(low)))
