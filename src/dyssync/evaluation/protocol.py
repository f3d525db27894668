"""From the predictions of all models and seeds to the tables of the study."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from dyssync.evaluation.metrics import METRICS, youden_threshold
from dyssync.evaluation.resampling import corrected_mean

THRESHOLD_BOUNDS = (0.0, 1.0)  # a threshold is a probability
FIXED, CHOSEN, NO_THRESHOLD = "fixed", "validation", "none"


def metric_table(predictions: pd.DataFrame, threshold: float = 0.5) -> pd.DataFrame:
    """Return model, seed, threshold_rule, metric, value of every test part.

    Args:
        predictions: model, seed, patient_id, part, y, p.
        threshold: the fixed one; beside it stands the one chosen on the validation part of the
            same seed (Youden), listed as metric "threshold".
    """
    rows: list[tuple[object, ...]] = []
    for (model, seed), held in predictions.groupby(["model", "seed"], sort=False):
        test = held[held["part"] == "test"]
        validation = held[held["part"] == "validation"]
        y, p = test["y"].to_numpy(np.int64), test["p"].to_numpy(np.float64)
        chosen = youden_threshold(
            validation["y"].to_numpy(np.int64), validation["p"].to_numpy(np.float64)
        )
        for rule, value in ((FIXED, threshold), (CHOSEN, chosen)):
            rows.append((model, seed, rule, "threshold", value))
            for name in METRICS:
                if METRICS[name].uses_threshold:
                    rows.append((model, seed, rule, name, METRICS[name].compute(y, p, value)))
        for name in METRICS:
            if not METRICS[name].uses_threshold:
                metric = METRICS[name].compute(y, p, threshold)
                rows.append((model, seed, NO_THRESHOLD, name, metric))
    return pd.DataFrame(rows, columns=["model", "seed", "threshold_rule", "metric", "value"])


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
        bounds = THRESHOLD_BOUNDS if metric == "threshold" else METRICS[metric].bounds
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
    kept = metrics[metrics["metric"] != "threshold"]
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
