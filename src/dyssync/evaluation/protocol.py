"""From the predictions of all models and seeds to the tables of the study."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from dyssync.evaluation.metrics import METRICS, NAN
from dyssync.evaluation.resampling import corrected_mean
from dyssync.evaluation.thresholds import COLUMNS, FIXED, THRESHOLD, THRESHOLD_BOUNDS

NO_THRESHOLD = "none"  # the rule of a metric that needs no threshold


def metric_table(predictions: pd.DataFrame, thresholds: pd.DataFrame) -> pd.DataFrame:
    """Return model, seed, threshold_rule, metric, value of every test part.

    Args:
        predictions: model, seed, part, y, p.
        thresholds: model, seed, threshold_rule, value, see :mod:`dyssync.evaluation.thresholds`;
            each is also listed as metric "threshold". Without one for a model and seed, that has
            only the metrics that need none.
    """
    test = predictions[predictions["part"] == "test"]
    cuts: dict[tuple[object, ...], list[tuple[str, float]]] = {}
    for model, seed, rule, value in thresholds[list(COLUMNS)].itertuples(index=False):
        cuts.setdefault((model, seed), []).append((rule, value))
    rows: list[tuple[object, ...]] = []
    for key, own in test.groupby(["model", "seed"], sort=False):
        y, p = own["y"].to_numpy(np.int64), own["p"].to_numpy(np.float64)
        for rule, cut in cuts.get(key, ()):
            rows.append((*key, rule, THRESHOLD, cut))
            rows += [(*key, rule, n, METRICS[n].compute(y, p, cut)) for n in _metrics(True)]
        rows += [(*key, NO_THRESHOLD, n, METRICS[n].compute(y, p, NAN)) for n in _metrics(False)]
    return pd.DataFrame(rows, columns=["model", "seed", "threshold_rule", "metric", "value"])


def short_table_columns() -> tuple[tuple[str, str], ...]:
    """Return metric and threshold rule of each column of the table that a study prints."""
    return tuple(
        (name, FIXED if METRICS[name].uses_threshold else NO_THRESHOLD)
        for name in METRICS
        if METRICS[name].in_short_table
    )


def _metrics(using_threshold: bool) -> list[str]:
    return [name for name in METRICS if METRICS[name].uses_threshold == using_threshold]


def summarise_metrics(metrics: pd.DataFrame, test_share: float) -> pd.DataFrame:
    """Return mean, SD, corrected 95 % interval and range over seeds, a row a model and metric.

    The t interval is cut where the metric ends: beyond it no true value can lie.
    """
    rows = []
    keys = ["model", "threshold_rule", "metric"]
    for key, held in metrics.groupby(keys, sort=False):
        values = held["value"].to_numpy(np.float64)
        mean = corrected_mean(values, test_share)
        metric = str(key[2])
        bounds = THRESHOLD_BOUNDS if metric == THRESHOLD else METRICS[metric].bounds
        interval = np.clip([mean.low, mean.high], *bounds)
        defined = values[~np.isnan(values)]
        low, high = (defined.min(), defined.max()) if len(defined) else (np.nan, np.nan)
        rows.append((*key, mean.mean, mean.sd, *interval, low, high, mean.n, len(values) - mean.n))
    columns = [
        *keys, "mean", "sd", "low", "high", "minimum", "maximum", "n_defined", "n_undefined",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def pairwise_tests(metrics: pd.DataFrame, test_share: float) -> pd.DataFrame:
    """Return the corrected test of every pair of models, seed by seed on the same test part.

    `difference` is model_a minus model_b; seeds where either is undefined are left out.
    """
    rows = []
    kept = metrics[metrics["metric"] != THRESHOLD]
    for (rule, metric), held in kept.groupby(["threshold_rule", "metric"], sort=False):
        wide = held.pivot(index="seed", columns="model", values="value")
        for a, b in combinations(held["model"].unique(), 2):
            d = corrected_mean((wide[a] - wide[b]).to_numpy(np.float64), test_share)
            rows.append((rule, metric, a, b, d.mean, d.low, d.high, d.p_value, d.n))
    columns = [
        "threshold_rule", "metric", "model_a", "model_b",
        "difference", "low", "high", "p_value", "n_seeds",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
