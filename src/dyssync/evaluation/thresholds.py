"""From which probability a patient is called a responder: fixed, or chosen on the validation part.

All functions return a table with the columns of :data:`COLUMNS`, a row a model and seed; tables of
several rules are put one below the other.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from dyssync.arrays import Floats, Ints
from dyssync.errors import InputError, check_range
from dyssync.evaluation.metrics import sensitivity, specificity

COLUMNS = ("model", "seed", "threshold_rule", "value")
FIXED, CHOSEN = "fixed", "validation"  # rules
# In a table of metrics: what the row of the threshold itself is called, and its bounds.
THRESHOLD, THRESHOLD_BOUNDS = "threshold", (0.0, 1.0)
NAMED = 3  # models and seeds in a message


def study_thresholds(predictions: pd.DataFrame, fixed: float) -> pd.DataFrame:
    """Return both thresholds of the protocol: `fixed`, and the one chosen on the validation part.

    Args:
        predictions: model, seed, part, y, p.
        fixed: 0-1.

    Raises:
        InputError: a model has no validation part in a seed.
        ConfigError: `fixed` is no probability.
    """
    return pd.concat([fixed_thresholds(predictions, fixed), chosen_thresholds(predictions)])


def fixed_thresholds(predictions: pd.DataFrame, value: float) -> pd.DataFrame:
    """Return the same threshold for every model and seed of `predictions` (model, seed).

    Raises:
        ConfigError: `value` is no probability.
    """
    check_range("threshold", value, *THRESHOLD_BOUNDS)
    table = predictions[["model", "seed"]].drop_duplicates()
    return table.assign(threshold_rule=FIXED, value=value)[list(COLUMNS)]


def chosen_thresholds(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return Youden's threshold of the validation part of every model and seed.

    Args:
        predictions: model, seed, part, y, p; the test part is not looked at.

    Raises:
        InputError: a model has no validation part in a seed; such models and seeds are named.
    """
    rows, without = [], []
    for (model, seed), own in predictions.groupby(["model", "seed"], sort=False):
        part = own[own["part"] == "validation"]
        if part.empty:
            without.append(f"{model} in seed {seed}")
            continue
        y, p = part["y"].to_numpy(np.int64), part["p"].to_numpy(np.float64)
        rows.append((model, seed, CHOSEN, youden_threshold(y, p)))
    if without:
        more = f" and {len(without) - NAMED} more" if len(without) > NAMED else ""
        raise InputError(
            f"predictions: no validation part of {', '.join(without[:NAMED])}{more}, and a "
            "threshold is chosen there; add that part, or use a fixed threshold"
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def youden_threshold(y: Ints, p: Floats) -> float:
    """Return the threshold with the largest sensitivity + specificity - 1.

    Candidates lie half-way between neighbouring probabilities. Among equals the one nearest to 0.5
    is taken; 0.5 when there is nothing to choose (one class, or one probability for all).

    References:
        Youden WJ. Cancer 1950;3:32.
    """
    values = np.unique(p)
    if len(values) < 2 or len(np.unique(y)) < 2:
        return 0.5
    candidates = (values[1:] + values[:-1]) / 2
    scores = np.array([sensitivity(y, p, t) + specificity(y, p, t) for t in candidates])
    best = candidates[scores >= scores.max() - 1e-12]
    return float(best[np.argmin(np.abs(best - 0.5))])
