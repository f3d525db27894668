"""Metrics of predicted probabilities: plain functions and one table.

Every metric takes `y` (n,) int 0/1, `p` (n,) float64 0-1 and a threshold (a patient with
``p >= threshold`` is called a responder), and returns NaN where it is undefined, never 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from sklearn import metrics as reference

from dyssync.arrays import Bools, Floats, Ints
from dyssync.evaluation import calibration
from dyssync.evaluation.gains import accuracy_gain, net_benefit_gain
from dyssync.registry import Registry

NAN = float("nan")
Compute: TypeAlias = Callable[[Ints, Floats, float], float]


@dataclass(frozen=True)
class Metric:
    """A metric and how to speak of it; all that any table, figure or page knows of it.

    Attributes:
        compute: from y, p and threshold to a number or NaN.
        label: as in a table head.
        meaning: what it tells, in words for a cardiologist.
        ideal: the best value there is; of two values the nearer one is the better.
        bounds: least and largest value there can be; an interval ends there.
        uses_threshold: whether the threshold matters.
        percent: a share, which is shown times 100.
        in_short_table: whether it is a column of the table that a study prints.
    """

    compute: Compute
    label: str
    meaning: str
    ideal: float = 1.0
    bounds: tuple[float, float] = (0.0, 1.0)
    uses_threshold: bool = False
    percent: bool = False
    in_short_table: bool = True

    def higher_is_better(self, *values: float) -> bool | None:
        """Return whether the higher of these values is the nearer to the ideal, the lower, or None.

        None where the ideal lies between them, or where one is NaN: neither direction is better.

        >>> METRICS["brier"].higher_is_better(0.2, 0.25)
        False
        """
        if all(value <= self.ideal for value in values):
            return True
        return False if all(value >= self.ideal for value in values) else None


def _share(hits: Bools, among: Bools) -> float:
    return float(hits[among].mean()) if among.any() else NAN


def accuracy(y: Ints, p: Floats, threshold: float) -> float:
    """Return the share of patients called rightly."""
    return float(np.mean((p >= threshold) == (y == 1)))


def ppv(y: Ints, p: Floats, threshold: float) -> float:
    """Return the share of responders among those called responders; NaN when none is."""
    return _share(y == 1, p >= threshold)


def npv(y: Ints, p: Floats, threshold: float) -> float:
    """Return the share of non-responders among those called non-responders; NaN when none is."""
    return _share(y == 0, p < threshold)


def sensitivity(y: Ints, p: Floats, threshold: float) -> float:
    """Return the share of responders that are called so; NaN without responders."""
    return _share(p >= threshold, y == 1)


def specificity(y: Ints, p: Floats, threshold: float) -> float:
    """Return the share of non-responders that are called so; NaN without non-responders."""
    return _share(p < threshold, y == 0)


def auroc(y: Ints, p: Floats, threshold: float = 0.5) -> float:
    """Return the area under the ROC curve; NaN with one class.

    >>> auroc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    return float(reference.roc_auc_score(y, p)) if len(np.unique(y)) == 2 else NAN


def auprc(y: Ints, p: Floats, threshold: float = 0.5) -> float:
    """Return the average precision; the share of responders is what chance reaches."""
    return float(reference.average_precision_score(y, p)) if np.any(y == 1) else NAN


def brier(y: Ints, p: Floats, threshold: float = 0.5) -> float:
    """Return the mean squared error of the probability."""
    return float(np.mean((p - y) ** 2))


def _without_threshold(measure: Callable[[Ints, Floats], float]) -> Compute:
    return lambda y, p, threshold: measure(y, p)


_called = partial(Metric, uses_threshold=True, percent=True)
_calibrated = partial(Metric, in_short_table=False)

METRICS: Registry[Metric] = Registry(
    "metric",
    {
        "accuracy": _called(
            accuracy, "Accuracy", "share of patients who were classified correctly"
        ),
        "ppv": _called(ppv, "PPV", "of those predicted to respond, the share who did"),
        "npv": _called(npv, "NPV", "of those predicted not to respond, the share who did not"),
        "sensitivity": _called(
            sensitivity, "Sensitivity", "share of the responders who were recognised"
        ),
        "specificity": _called(
            specificity, "Specificity", "share of the non-responders who were recognised"
        ),
        "auroc": Metric(
            auroc,
            "AUROC",
            "how often a responder is ranked above a non-responder; 0.5 is chance",
        ),
        "auprc": Metric(
            auprc,
            "AUPRC",
            "average PPV over all thresholds; chance is the share of responders",
        ),
        "brier": Metric(
            brier, "Brier score", "mean squared error of the probability; lower is better", ideal=0
        ),
        "calibration_in_the_large": _calibrated(
            _without_threshold(calibration.calibration_in_the_large),
            "Calibration-in-the-large",
            "by how many logits response was commoner than predicted; 0 is right",
            ideal=0.0,
            bounds=(-np.inf, np.inf),
        ),
        "calibration_slope": _calibrated(
            _without_threshold(calibration.calibration_slope),
            "Calibration slope",
            "below 1 the probabilities are too extreme, above 1 too timid",
            bounds=(-np.inf, np.inf),
        ),
        "observed_to_expected": _calibrated(
            _without_threshold(calibration.observed_to_expected),
            "O/E",
            "responders observed for each one that was predicted; 1 is right",
            bounds=(0.0, np.inf),
        ),
        "ici": _calibrated(
            _without_threshold(calibration.integrated_calibration_index),
            "ICI",
            "mean distance of the probabilities from the smooth calibration curve",
            ideal=0.0,
        ),
        "scaled_brier": _calibrated(
            _without_threshold(calibration.scaled_brier),
            "Scaled Brier score",
            "share of the base rate's squared error that the model removes; below 0 it adds",
            bounds=(-np.inf, 1.0),
            percent=True,
        ),
        "accuracy_gain": _called(
            accuracy_gain,
            "Accuracy minus floor",
            "more patients classified correctly than by one answer for all",
            ideal=0.5,  # half the patients are wrong at worst by one answer for all
            bounds=(-1.0, 0.5),
            in_short_table=False,
        ),
        "net_benefit_gain": _called(
            net_benefit_gain,
            "Net benefit gained",
            "net benefit minus the better of treating all and treating none",
            bounds=(-np.inf, 1.0),
            in_short_table=False,
        ),
    },
)
