"""Do the intervals of a study hold the truth in 95 of 100 cohorts? `make bench-coverage`.

A stand-in for all learners, fast enough for thousands of fits: ridge logistic regression on
Gaussian features, cross-fitted as a study does (2 repeats of 5 folds, 285 patients), in cohorts
whose truth is known. The estimand is what the graded answers stand for: the mean over pairs of fold
models of their performance in the whole population (20,000 others, by their true chances, so that
their own luck adds nothing), with the recalibration that a bundle would use.

Conformal sets are given to the same 20,000 from the logits of all ten members.
"""

# ruff: noqa: E402 - the libraries of NumPy read the number of threads when they are imported
from __future__ import annotations

from dyssync.workers import use_one_thread

use_one_thread()

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from dyssync.arrays import Floats, Indices, Ints
from dyssync.evaluation.conformal import ConformalReference, possible_outcomes
from dyssync.evaluation.estimates import estimates
from dyssync.evaluation.logistic import fit_logistic
from dyssync.evaluation.recalibration import (
    Recalibration,
    SlopePrior,
    cross_recalibrated,
    fit_recalibration,
)
from dyssync.evaluation.weighted import probability_metrics, threshold_metrics

PATIENTS, OTHERS = 285, 20_000
REPEATS, FOLDS = 2, 5
THRESHOLDS = np.array([0.5, 0.6, 0.7])
SIGNAL, BASE = (0.6, 0.45, 0.35, 0.3, 0.2), 0.6  # 63 % respond; Bayes AUROC .73
PAIRS = tuple((k, FOLDS + (k + shift) % FOLDS) for k in range(FOLDS) for shift in (0, 2))
PRIOR = SlopePrior(1.0, 0.3)  # of the recalibration's slope, as for regressions


@dataclass(frozen=True)
class Setting:
    """A population: Gaussian features of which the first five matter; the learner's penalty."""

    features: int
    ridge: float

    def draw(self, n: int, seed: int) -> tuple[Floats, Floats]:
        """Return features (n, d) and true chances of response (n,)."""
        x = np.random.default_rng(seed).normal(size=(n, self.features))
        return x, expit(BASE + x[:, : len(SIGNAL)] @ np.array(SIGNAL))


@dataclass(frozen=True, eq=False)
class Fitted:
    """Ten fold models of one cohort and its out-of-fold answers."""

    y: Ints
    coefficients: Floats  # (10, d + 1)
    testers: Indices  # (n, 2)
    tested: Floats  # (n, 2)
    seed: int

    @property
    def z(self) -> Floats:
        """Out-of-fold logits (n,)."""
        return np.asarray(self.tested.mean(axis=1))

    def answers(self) -> pd.DataFrame:
        """Return the table that a study grades."""
        p = cross_recalibrated(self.z, self.y, self.seed, prior=PRIOR)
        ids = np.arange(len(self.y))
        return pd.DataFrame({"model": "ridge", "patient_id": ids, "y": self.y, "z": self.z, "p": p})


def cross_fit(setting: Setting, seed: int) -> Fitted:
    """Return the study of one cohort."""
    x, chance = setting.draw(PATIENTS, seed)
    y = (np.random.default_rng(seed + 10**6).random(PATIENTS) < chance).astype(np.int64)
    weight = np.ones((REPEATS * FOLDS, PATIENTS))
    testers = np.zeros((PATIENTS, REPEATS), dtype=np.intp)
    for repeat in range(REPEATS):
        division = StratifiedKFold(FOLDS, shuffle=True, random_state=REPEATS * seed + repeat)
        for k, (_, held) in enumerate(division.split(x, y)):
            weight[FOLDS * repeat + k, held] = 0
            testers[held, repeat] = FOLDS * repeat + k
    design = np.column_stack([np.ones(PATIENTS), x])
    ridge = np.append(0.0, np.full(setting.features, setting.ridge))
    coefficients = fit_logistic(design, y, weight, np.zeros(len(ridge)), ridge=ridge)
    tested = np.take_along_axis(design @ coefficients.T, testers, axis=1)
    return Fitted(y, coefficients, testers, tested, seed)


def population(z: Floats, chance: Floats, recalibration: Recalibration) -> Mapping[str, Floats]:
    """Return every metric of logits z (n,) where patients respond by their chances (n,)."""
    p = np.tile(recalibration.apply(z), 2)
    y, weight = np.repeat([1, 0], len(z)), np.append(chance, 1 - chance)
    auroc = roc_auc_score(y, np.tile(z, 2), sample_weight=weight)
    by_threshold = threshold_metrics(y, p, weight[None, :], THRESHOLDS)
    return {
        "auroc": np.array([auroc]),
        **probability_metrics(y, p, weight[None, :]),
        **{name: values[0] for name, values in by_threshold.items()},
    }


def one_cohort(setting: Setting, seed: int, others: tuple[Floats, Floats]) -> pd.DataFrame:
    """Return estimates beside the truth, and the coverage of the conformal sets."""
    fitted = cross_fit(setting, seed)
    table = estimates(fitted.answers(), tuple(THRESHOLDS), seed)
    recalibration = fit_recalibration(fitted.z, fitted.y, prior=PRIOR)
    x, chance = others
    members = np.column_stack([np.ones(len(x)), x]) @ fitted.coefficients.T
    pairs = [population(members[:, pair].mean(axis=1), chance, recalibration) for pair in PAIRS]
    truth = {name: np.mean([pair[name] for pair in pairs], axis=0) for name in pairs[0]}
    table = table[table["metric"].isin(truth)].reset_index(drop=True)
    place = table.groupby("metric").cumcount()  # estimates keep the order of the thresholds
    table["truth"] = [truth[name][k] for name, k in zip(table["metric"], place, strict=True)]
    tested = np.full((len(fitted.y), members.shape[1]), np.nan)
    np.put_along_axis(tested, fitted.testers, fitted.tested, axis=1)
    p_values = ConformalReference(fitted.y, tested).p_values(members)
    for level in (0.8, 0.9):
        possible = possible_outcomes(p_values, level)
        for label, weight in ((0, 1 - chance), (1, chance)):
            held = float(weight @ possible[:, label] / weight.sum())
            name = f"conformal {level:g}, class {label}"
            table.loc[len(table), ["metric", "value"]] = name, held
    return table


def coverage(cohorts: pd.DataFrame) -> pd.DataFrame:
    """Return a row a metric: mean estimate and truth, SD of the error, half-width, % covered."""
    cohorts = cohorts.assign(
        error=cohorts["value"] - cohorts["truth"],
        half=(cohorts["high"] - cohorts["low"]) / 2,
        covered=100.0 * cohorts["truth"].between(cohorts["low"], cohorts["high"]),
    )
    cohorts.loc[cohorts["truth"].isna(), "covered"] = np.nan
    rows = cohorts.groupby(["metric", "threshold"], sort=False, dropna=False)
    found = rows[["value", "truth", "half", "covered"]].mean()
    found.insert(2, "error_sd", rows["error"].std())
    return found.reset_index()


def main() -> None:
    """Print the coverage of every interval."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="seed of the first cohort")
    parser.add_argument("--features", type=int, default=10)
    parser.add_argument("--ridge", type=float, default=3.0)
    options = parser.parse_args()
    setting = Setting(options.features, options.ridge)
    others = setting.draw(OTHERS, seed=10**7)
    seeds = range(options.first, options.first + options.cohorts)
    tables = [one_cohort(setting, seed, others) for seed in seeds]
    print(coverage(pd.concat(tables)).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
