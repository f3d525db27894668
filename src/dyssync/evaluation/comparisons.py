"""Which model is better than what: a few questions asked beforehand, and the rest to look at.

285 patients cannot rank models: two that differ by .05 in AUROC are told apart in one study of
five. Asking all pairs in three metrics at once finds something in half of all studies of equal
models. So the questions are named before any result (is it better than no model, and than QRS area
alone?), their p-values are Holm's over all of them, and other pairs stand without.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from dyssync.arrays import Floats, Ints
from dyssync.evaluation.delong import NORMAL_95, REFIT_FACTOR, auroc_difference
from dyssync.evaluation.multiplicity import holm

# What every model is compared with: no model at all, and one number of the ECG.
NO_MODEL, ONE_NUMBER = "prevalence", "qrs-area"
NAMED, EXPLORATORY = "named", "exploratory"
COLUMNS = ("kind", "metric", "model_a", "model_b", "difference", "low", "high", "p", "p_holm")


def compare_models(
    answers: pd.DataFrame, threshold: float, factor: float = REFIT_FACTOR
) -> pd.DataFrame:
    """Return the named comparisons with Holm's p-values, then all other pairs in AUROC without.

    Named, for every model but the two it is compared with: AUROC and accuracy against no model
    (everybody gets the base rate, and is called by the commoner class), and AUROC against QRS area.

    Args:
        answers: model, patient_id, y, z (logit, for ranks), p of out-of-fold answers.
        threshold: from which probability a patient is called a responder, 0-1.
        factor: of the variances, 1 where no model was fitted to these patients; see
            :mod:`dyssync.evaluation.delong`.
    """
    wide = answers.pivot(index="patient_id", columns="model", values=["z", "p"])
    y = answers.groupby("patient_id")["y"].first().loc[wide.index].to_numpy(np.int64)
    models = [str(name) for name in dict.fromkeys(answers["model"])]  # in the order of the study
    scores, probabilities = (
        {name: wide[column, name].to_numpy(np.float64) for name in models} for column in "zp"
    )
    rows = [(NAMED, *row) for row in _named(y, scores, probabilities, threshold, factor)]
    asked = {(metric, a, b) for _, metric, a, b, *_ in rows}
    for a, b in combinations([name for name in scores if name != NO_MODEL], 2):
        if not asked & {("auroc", a, b), ("auroc", b, a)}:
            found = auroc_difference(y, scores[a], scores[b], factor)
            values = (found.difference, found.low, found.high, np.nan)
            rows.append((EXPLORATORY, "auroc", a, b, *values))
    table = pd.DataFrame(rows, columns=list(COLUMNS[:-1]))
    return table.assign(p_holm=holm(table["p"].to_numpy(np.float64)))


def _named(
    y: Ints,
    scores: dict[str, Floats],
    probabilities: dict[str, Floats],
    threshold: float,
    factor: float,
) -> Iterator[tuple[str, str, str, float, float, float, float]]:
    for name, z in scores.items():
        if name == NO_MODEL:
            continue
        chance = auroc_difference(y, z, np.zeros(len(y)), factor)
        values = (chance.difference, chance.low, chance.high, chance.p_value)
        yield ("auroc", name, NO_MODEL, *values)
        gain = accuracy_above_floor(y, probabilities[name], threshold, factor)
        yield ("accuracy", name, NO_MODEL, *gain)
        if ONE_NUMBER in scores and name != ONE_NUMBER:
            found = auroc_difference(y, z, scores[ONE_NUMBER], factor)
            values = (found.difference, found.low, found.high, found.p_value)
            yield ("auroc", name, ONE_NUMBER, *values)


def accuracy_above_floor(
    y: Ints, p: Floats, threshold: float, factor: float = REFIT_FACTOR
) -> tuple[float, float, float, float]:
    """Return by how much accuracy lies above the floor, which calls all by the commoner class.

    Patient by patient, with the same factor for refitting as the AUROC.

    Returns:
        Difference, the ends of its 95 % interval, and the two-sided p-value.
    """
    commoner = int(y.mean() >= 0.5)
    gain = ((p >= threshold) == (y == 1)).astype(float) - (y == commoner)
    difference = float(gain.mean())
    se = float(np.sqrt(factor * gain.var(ddof=1) / len(gain))) if len(gain) > 1 else np.nan
    p_value = float(2 * stats.norm.sf(abs(difference) / se)) if se > 0 else float(difference == 0)
    low, high = difference - NORMAL_95 * se, difference + NORMAL_95 * se
    return difference, float(low), float(high), float("nan") if np.isnan(se) else p_value
