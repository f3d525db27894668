"""PPV and NPV: the counts behind them, and what they would be in another mix of patients.

`answers` is the table of :mod:`dyssync.evaluation.estimates`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dyssync.arrays import Floats
from dyssync.evaluation.bootstrap import metric_band, patient_weights
from dyssync.evaluation.delong import REFIT_FACTOR
from dyssync.evaluation.estimates import each_model
from dyssync.evaluation.weighted import ratio, threshold_metrics

SHARES = (0.5, 0.6, 0.7)  # of responders, below and above a cohort's usual 60 %


def called_counts(answers: pd.DataFrame, thresholds: Sequence[float]) -> pd.DataFrame:
    """Return the patients behind PPV and NPV, in counts.

    Returns:
        Columns model, threshold, n, called and called_right (responders), not_called and
        not_called_right (non-responders).
    """
    rows = []
    for model, y, _, p in each_model(answers):
        for threshold in thresholds:
            called = p >= threshold
            right = int((called & (y == 1)).sum()), int((~called & (y == 0)).sum())
            n_called, n_not = int(called.sum()), int((~called).sum())
            rows.append((model, threshold, len(y), n_called, right[0], n_not, right[1]))
    columns = ["called", "called_right", "not_called", "not_called_right"]
    return pd.DataFrame(rows, columns=["model", "threshold", "n", *columns])


def predictive_values(
    answers: pd.DataFrame,
    thresholds: Sequence[float],
    seed: int,
    shares: Sequence[float] = SHARES,
    factor: float = REFIT_FACTOR,
) -> pd.DataFrame:
    """Return what PPV and NPV would be where another share of patients responds.

    By Bayes from sensitivity and specificity, as if these carried over.

    Returns:
        Columns model, metric ("ppv" or "npv"), threshold, share, value, low, high.
    """
    cuts = np.asarray(thresholds, dtype=np.float64)
    rows: list[tuple[object, ...]] = []
    for model, y, _, p in each_model(answers):
        weight = np.vstack([np.ones(len(y)), patient_weights(len(y), seed)])  # itself, then draws
        rates = threshold_metrics(y, p, weight, cuts)
        for share in shares:
            both = values_at_share(rates["sensitivity"], rates["specificity"], share)
            for name, values in zip(("ppv", "npv"), both, strict=True):
                band = metric_band(name, values[0], values[1:], factor)
                found = zip(cuts, band.value, band.low, band.high, strict=True)
                rows += [(model, name, t, share, *interval) for t, *interval in found]
    columns = ["model", "metric", "threshold", "share", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def values_at_share(
    sensitivity: Floats, specificity: Floats, share: float
) -> tuple[Floats, Floats]:
    """Return PPV and NPV, in the shape of the rates, where a share (0-1) of patients responds.

    >>> ppv, npv = values_at_share(np.array([0.9]), np.array([0.8]), 0.5)
    >>> round(float(ppv[0]), 3), round(float(npv[0]), 3)
    (0.818, 0.889)
    """
    found, false = share * sensitivity, (1 - share) * (1 - specificity)
    spared, missed = (1 - share) * specificity, share * (1 - sensitivity)
    return ratio(found, found + false), ratio(spared, spared + missed)
