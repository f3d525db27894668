"""Compare what LightGBM may see, in the study's protocol: `make bench-features`.

Two repeats of five folds, as in a study, on the stand-in cohorts of LUDB (left-ventricular
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
from dyssync.cohort.splits import fold_patients
from dyssync.ecg import ECG
from dyssync.evaluation.protocol import metric_table, summarise_metrics
from dyssync.evaluation.resampling import corrected_mean
from dyssync.keeping import keeping
from dyssync.models.boosting import Boosting
from dyssync.models.logistic import Logistic
from dyssync.models.protocols import ResponseModel
from dyssync.models.ridge import Ridge
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


def variants() -> Mapping[str, ResponseModel]:
    """Return the models that are compared, unfitted."""
    return {
        DEFAULT: Boosting(features="dictionary", clinical=False, monotone=False),
        EARLIER: Boosting(features="waveform", clinical=False, monotone=False),
        "both": Boosting(features="both", clinical=False, monotone=False),
        "dictionary, signs": Boosting(features="dictionary", clinical=False),
        "dictionary, clinical": Boosting(features="dictionary", monotone=False),
        "as by default": Boosting(),
        "ridge": Ridge(),
        "logistic": Logistic(),
        "qrs-area": QRSArea(),
        "guideline-esc-2021": GuidelineESC2021(),
        "guideline-hrs-2023": GuidelineHRS2023(),
        "lbbb-strauss": StrictLBBB(),
    }


def predict_all(cohort: Cohort, repeats: int) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Return predictions, importances of the dictionary, and patients tested over learnt from."""
    with keeping():  # each recording is measured once
        return _predict_all(cohort, repeats)


def _predict_all(cohort: Cohort, repeats: int) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    tables, importances = [], []
    for split in fold_patients(cohort.responses, repeats):
        train, tested = labelled(cohort, split.train), labelled(cohort, split.test)
        for name, model in variants().items():
            model.fit(*train, seed=split.seed)
            ecgs, y = tested
            tables.append(
                pd.DataFrame(
                    {
                        "model": name,
                        "seed": split.seed,
                        "patient_id": [e.patient_id for e in ecgs],
                        "part": "test",
                        "y": y,
                        "p": model.response_probability(ecgs),
                    }
                )
            )
            if isinstance(model, Boosting) and name == DEFAULT:
                found = model.contributions(ecgs)
                importances.append(
                    pd.Series(np.abs(found.log_odds).mean(axis=0), list(found.names))
                )
    share = len(split.test) / len(split.train)
    return pd.concat(tables), pd.concat(importances, axis=1), share


def labelled(cohort: Cohort, patients: tuple[str, ...]) -> tuple[list[ECG], Ints]:
    """Return the recordings of these patients and their responses."""
    rows = cohort.rows_of(patients)
    return [cohort.signals[i] for i in rows], cohort.table["responder"].to_numpy(np.int64)[rows]


def show(title: str, predictions: pd.DataFrame, test_share: float) -> None:
    """Print the metrics of all variants and the tests of each against the earlier features."""
    metrics = metric_table(predictions, 0.5)
    summary = summarise_metrics(metrics, test_share)
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
    auroc = metrics[metrics["metric"] == "auroc"].pivot(
        index="seed", columns="model", values="value"
    )
    for name in variants():
        if name != EARLIER:
            gain = corrected_mean((auroc[name] - auroc[EARLIER]).to_numpy(), test_share)
            print(
                f"    {name:22s} {gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}], "
                f"p = {gain.p_value:.3f}"
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
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--cohorts", nargs="+", default=COHORTS, help="tables, relative to --data")
    options = parser.parse_args()
    for name in options.cohorts:
        cohort = read_cohort(options.data / name)
        predictions, importances, share = predict_all(cohort, options.repeats)
        title = f"{name}: {len(cohort.responses)} patients, {options.repeats} x 5 folds"
        show(title, predictions, share)
        show_importances(importances)
        show_cutoffs(cohort)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
