"""Compare what LightGBM may see, in the study's protocol: `make bench-features`.

Ten seeds, split by patient as in a study, on the stand-in cohorts of LUDB (left-ventricular
hypertrophy) and PTB-XL (myocardial infarction; its voltages are not true). The outcomes are not
response to CRT: the table says which features carry more about the heart, not what CRT does. The
signs of :mod:`dyssync.models.physiology` are those of response, so the constrained variant is at a
disadvantage here by design. Rules are beside them.
"""

# ruff: noqa: E402 - the libraries of NumPy read the number of threads when they are imported
from __future__ import annotations

from dyssync.workers import use_one_thread

use_one_thread()  # as a study fits

import argparse
from collections.abc import Mapping

import numpy as np
import pandas as pd

from dyssync.arrays import Ints
from dyssync.cohort.cohort import Cohort, read_cohort
from dyssync.cohort.splits import Part, split_patients
from dyssync.ecg import ECG
from dyssync.evaluation.protocol import metric_table, pairwise_tests, summarise_metrics
from dyssync.evaluation.thresholds import fixed_thresholds
from dyssync.keeping import keeping
from dyssync.models.boosting import Boosting
from dyssync.models.logistic import Logistic
from dyssync.models.protocols import ResponseModel
from dyssync.models.rules import (
    AREA_CUTOFFS,
    GuidelineESC2021,
    GuidelineHRS2023,
    QRSArea,
    StrictLBBB,
)
from real_data import data_option

COHORTS = ("ludb/cohort_lvh.csv", "ptbxl/cohort_mi.csv")
DEFAULT, EARLIER = "dictionary", "waveform"
SHOWN = ("auroc", "brier", "accuracy")
PARTS: tuple[Part, ...] = ("validation", "test")


def variants() -> Mapping[str, ResponseModel]:
    """Return the models that are compared, unfitted."""
    ecg_only = {"clinical": False, "monotone": False}
    return {
        DEFAULT: Boosting(features="dictionary", **ecg_only),
        EARLIER: Boosting(features="waveform", **ecg_only),
        "both": Boosting(features="both", **ecg_only),
        "dictionary, signs": Boosting(features="dictionary", clinical=False),
        "dictionary, clinical": Boosting(features="dictionary", monotone=False),
        "as by default": Boosting(),
        "logistic": Logistic(),
        "qrs-area": QRSArea(),
        "guideline-esc-2021": GuidelineESC2021(),
        "guideline-hrs-2023": GuidelineHRS2023(),
        "lbbb-strauss": StrictLBBB(),
    }


def predict_all(cohort: Cohort, n_seeds: int) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Return predictions, importances of the dictionary, and the share of test patients."""
    with keeping():  # each recording is measured once
        return _predict_all(cohort, n_seeds)


def _predict_all(cohort: Cohort, n_seeds: int) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    responses = cohort.responses
    tables, importances = [], []
    for seed in range(1, n_seeds + 1):
        split = split_patients(responses, seed, (0.6, 0.2, 0.2))
        held = {part: labelled(cohort, split.part(part)) for part in ("train", *PARTS)}
        for name, model in variants().items():
            model.fit(*held["train"], seed=seed, validation=held["validation"])
            for part in PARTS:
                ecgs, y = held[part]
                tables.append(
                    pd.DataFrame(
                        {
                            "model": name,
                            "seed": seed,
                            "patient_id": [e.patient_id for e in ecgs],
                            "part": part,
                            "y": y,
                            "p": model.response_probability(ecgs),
                        }
                    )
                )
            if isinstance(model, Boosting) and name == DEFAULT:
                found = model.contributions(held["test"][0])
                importances.append(
                    pd.Series(np.abs(found.log_odds).mean(axis=0), list(found.names))
                )
    rest = len(split.train) + len(split.validation)
    return pd.concat(tables), pd.concat(importances, axis=1), len(split.test) / rest


def labelled(cohort: Cohort, patients: tuple[str, ...]) -> tuple[list[ECG], Ints]:
    """Return the recordings of these patients and their responses."""
    rows = cohort.rows_of(patients)
    return [cohort.signals[i] for i in rows], cohort.table["responder"].to_numpy(np.int64)[rows]


def show(title: str, predictions: pd.DataFrame, test_share: float) -> None:
    """Print the metrics of all variants and the tests of each against the earlier features."""
    metrics = metric_table(predictions, fixed_thresholds(predictions, 0.5))
    summary = summarise_metrics(metrics, test_share)
    tests = pairwise_tests(metrics, test_share)
    print(f"\n{title}")
    print(f"  {'':22s}" + "".join(f"{name:>26s}" for name in SHOWN))
    for model in summary["model"].unique():
        cells = []
        for name in SHOWN:
            rows = summary[(summary["model"] == model) & (summary["metric"] == name)]
            row = rows.iloc[0]
            cells.append(f"{row['mean']:.3f} [{row['low']:.3f}, {row['high']:.3f}]")
        print(f"  {model:22s}" + "".join(f"{cell:>26s}" for cell in cells))
    print(f"  AUROC against {EARLIER}, corrected test (Nadeau and Bengio):")
    auroc = tests[tests["metric"] == "auroc"]
    for row in auroc.to_dict("records"):
        if EARLIER in (row["model_a"], row["model_b"]):
            sign = 1 if row["model_b"] == EARLIER else -1
            other = row["model_a"] if sign == 1 else row["model_b"]
            low, high = sorted((sign * row["low"], sign * row["high"]))
            print(
                f"    {other:22s} {sign * row['difference']:+.3f} [{low:+.3f}, {high:+.3f}], "
                f"p = {row['p_value']:.3f}"
            )


def show_importances(table: pd.DataFrame) -> None:
    """Print the five measurements with the largest mean contribution over the seeds."""
    mean = table.mean(axis=1).sort_values(ascending=False)
    top = (table.rank(ascending=False) <= 5).sum(axis=1).to_dict()
    print("  most important measurements (mean |log-odds|; seeds in whose first five it is):")
    for name, value in mean.head(5).items():
        print(f"    {name:22s} {value:.3f}  {top[name]} of {table.shape[1]}")


def show_cutoffs(cohort: Cohort) -> None:
    """Print sensitivity and specificity of the published QRS areas for the cohort's outcome."""
    y = cohort.table["responder"].to_numpy()
    area = np.array([QRSArea().score(ecg) for ecg in cohort.signals])
    known = np.isfinite(area)
    for cut, source in AREA_CUTOFFS.items():
        met = area[known] >= cut
        print(
            f"  QRS area >= {cut:g} uVs ({source}): {met.sum()} of {known.sum()} recordings, "
            f"sensitivity {met[y[known] == 1].mean():.2f}, "
            f"specificity {1 - met[y[known] == 0].mean():.2f}"
        )


def main() -> int:
    """Compare on every stand-in cohort."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data_option(parser)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--cohorts", nargs="+", default=COHORTS, help="tables, relative to --data")
    options = parser.parse_args()
    for name in options.cohorts:
        cohort = read_cohort(options.data / name)
        predictions, importances, share = predict_all(cohort, options.seeds)
        show(f"{name}: {len(cohort.responses)} patients, {options.seeds} seeds", predictions, share)
        show_importances(importances)
        show_cutoffs(cohort)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
