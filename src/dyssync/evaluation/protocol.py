"""The study's table as published: every fit on its own test part, mean and SD over the fits."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dyssync.evaluation.metrics import METRICS
from dyssync.evaluation.resampling import corrected_mean


def metric_table(predictions: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Return model, seed, metric, value of every fit.

    Args:
        predictions: model, seed, part, y, p; rows of the part "test" count.
        threshold: from which probability a patient is called a responder, 0-1.
    """
    test = predictions[predictions["part"] == "test"]
    rows: list[tuple[object, ...]] = []
    for key, own in test.groupby(["model", "seed"], sort=False):
        y, p = own["y"].to_numpy(np.int64), own["p"].to_numpy(np.float64)
        rows += [(*key, name, METRICS[name].compute(y, p, threshold)) for name in METRICS]
    return pd.DataFrame(rows, columns=["model", "seed", "metric", "value"])


def short_table_columns() -> tuple[str, ...]:
    """Return the metrics that are columns of the table that a study prints."""
    return tuple(name for name in METRICS if METRICS[name].in_short_table)


def summarise_metrics(metrics: pd.DataFrame, test_share: float) -> pd.DataFrame:
    """Return mean, SD, corrected 95 % interval and range over fits, a row a model and metric.

    The t interval is cut where the metric ends: beyond it no true value can lie.

    Args:
        metrics: as of :func:`metric_table`.
        test_share: patients tested over patients learnt from, in one fit.
    """
    rows = []
    keys = ["model", "metric"]
    for key, held in metrics.groupby(keys, sort=False):
        values = held["value"].to_numpy(np.float64)
        mean = corrected_mean(values, test_share)
        interval = np.clip([mean.low, mean.high], *METRICS[str(key[1])].bounds)
        defined = values[~np.isnan(values)]
        low, high = (defined.min(), defined.max()) if len(defined) else (np.nan, np.nan)
        rows.append((*key, mean.mean, mean.sd, *interval, low, high, mean.n, len(values) - mean.n))
    columns = [
        *keys, "mean", "sd", "low", "high", "minimum", "maximum", "n_defined", "n_undefined",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
