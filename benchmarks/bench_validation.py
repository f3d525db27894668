"""Do the intervals of a validation hold the truth? `make bench-validation`.

A bundle of fast models from one virtual cohort of 285 answers 6,000 other virtual patients. What it
is worth in all of them is the truth; 400 cohorts of 200, drawn from them with replacement, are each
graded as `dyssync validate` grades a cohort. An interval is right if 93 to 97 % of them hold the
truth. With 400 cohorts a share of 95 % has a standard error of 1.1 points.
"""

# ruff: noqa: E402 - the libraries of NumPy read the number of threads when they are imported
from __future__ import annotations

from dyssync.workers import use_one_thread

use_one_thread()

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from dyssync.cohort.cohort import read_cohort
from dyssync.evaluation.coverage import coverage_table
from dyssync.evaluation.metrics import METRICS
from dyssync.prediction.bundle import load_bundle
from dyssync.simulation.cohort import simulate_cohort
from dyssync.study.config import build_config
from dyssync.study.plan import Task
from dyssync.study.results import read_csv, write_csv
from dyssync.study.run import run_study
from dyssync.validation.answers import answer_cohort
from dyssync.validation.grading import grade
from dyssync.validation.updates import closed_tests
from dyssync.workers import OnProgress, available_cores, each, unwatched
from markdown_rows import head, row

BUILD = Path("build") / "bench-validation"
MODELS = ("lightgbm", "ridge", "logistic", "qrs-area")
DEVELOPMENT, DEVELOPMENT_SEED = 285, 1001
OTHERS, OTHERS_SEED = 6000, 1002
THRESHOLDS = (0.4, 0.5, 0.6, 0.7)
SHOWN = (
    "observed_to_expected", "calibration_in_the_large", "calibration_slope", "ici", "auroc",
    "brier", "scaled_brier", "accuracy", "net_benefit_gain",
)  # fmt: skip
KEY = ["model", "metric", "at"]


class _Quiet:
    """Is told of a study and says nothing."""

    def say(self, text: str) -> None:
        """Take a sentence."""

    def progress(self, what: str) -> OnProgress:
        """Take progress."""
        return unwatched

    def working(self, tasks: list[Task]) -> Callable[[str], OnProgress]:
        """Take progress of tasks."""
        return lambda key: unwatched


def answers_of_others(others: Path | None) -> pd.DataFrame:
    """Return what the bundle says of all others; kept in build/ for the next run."""
    kept, run, home = BUILD / "answers.csv", BUILD / "run", BUILD / "development"
    if kept.is_file():
        return read_csv(kept)
    if not home.is_dir():
        simulate_cohort(DEVELOPMENT, DEVELOPMENT_SEED, home)
    if not (run / "bundle").is_dir():
        settings = {"cohort": home / "cohort.csv", "models": MODELS, "preset": "quick"}
        config = build_config(settings, None, ["refits=0"])
        run_study(config, run, _Quiet(), cache=BUILD / "cache", force=run.is_dir())
    folder = others or BUILD / "others"
    if not folder.is_dir():
        simulate_cohort(OTHERS, OTHERS_SEED, folder, workers=available_cores())
    cohort = read_cohort(folder / "cohort.csv", exclude_problems=True, workers=available_cores())
    bundle = load_bundle(run)
    found = answer_cohort(bundle, tuple(bundle.members), cohort, workers=available_cores())
    write_csv(kept, found.table)
    return found.table


def truth_of(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the value of every metric in all patients: model, metric, at, truth."""
    rows: list[tuple[str, str, str, float]] = []
    for model, own in answers.groupby("model", sort=False):
        y, p = own["y"].to_numpy(np.int64), own["p"].to_numpy(np.float64)
        for name in SHOWN:
            cuts = THRESHOLDS if METRICS[name].uses_threshold else (np.nan,)
            rows += [
                (
                    str(model),
                    name,
                    "" if np.isnan(at) else f"{at:g}",
                    METRICS[name].compute(y, p, at),
                )
                for at in cuts
            ]
    aurocs = {model: value for model, name, _, value in rows if name == "auroc"}
    rows += [(m, "AUROC - qrs-area", "", aurocs[m] - aurocs["qrs-area"]) for m in MODELS[:-1]]
    covered = _covered(answers).drop(columns=["low", "high"])
    table = pd.DataFrame(rows, columns=[*KEY, "truth"])
    return pd.concat([table, covered.rename(columns={"value": "truth"})], ignore_index=True)


def _covered(answers: pd.DataFrame) -> pd.DataFrame:
    """Return conformal coverage in the columns of the other measures."""
    table = coverage_table(answers)
    name = "conformal, " + table["outcome"]
    return table.assign(metric=name, at=table["level"].map("{:g}".format), value=table["covered"])[
        [*KEY, "value", "low", "high"]
    ]


def graded_cohort(seed: int, answers: pd.DataFrame, n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the intervals of one cohort, and what its closed tests choose."""
    patients = answers["patient_id"].drop_duplicates().to_numpy()
    drawn = np.random.default_rng([0xBE, seed]).choice(patients, n)
    ids = pd.DataFrame({"patient_id": drawn, "place": [f"{k:04d}" for k in range(n)]})
    own = ids.merge(answers, on="patient_id").sort_values(["model", "place"])
    own = own.assign(patient_id=own["place"])
    tables = grade(own, THRESHOLDS, 0.5)
    found = tables["estimates"]
    found = found.assign(at=found["threshold"].map(lambda t: "" if np.isnan(t) else f"{t:g}"))
    pairs = tables["comparisons"]
    pairs = pairs[(pairs["metric"] == "auroc") & (pairs["model_b"] == "qrs-area")]
    pairs = pairs.assign(metric="AUROC - qrs-area", at="", model=pairs["model_a"])
    pairs = pairs.rename(columns={"difference": "value"})
    columns = [*KEY, "value", "low", "high"]
    intervals = pd.concat([found[columns], pairs[columns], _covered(own)])
    choices = [
        (t.model, t.members, t.update.choice if t.update is not None else t.refused)
        for t in closed_tests(own, power=False)
    ]
    return intervals, pd.DataFrame(choices, columns=["model", "members", "choice"])


def main() -> None:
    """Print for every model and measure how many intervals hold the truth."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cohorts", type=int, default=400)
    parser.add_argument("--patients", type=int, default=200, help="a cohort")
    parser.add_argument("--others", type=Path, help="folder of virtual patients to use instead")
    asked = parser.parse_args()
    answers = answers_of_others(asked.others)
    truth = truth_of(answers)
    draw = partial(graded_cohort, answers=answers, n=asked.patients)
    found = list(each(draw, range(asked.cohorts), workers=available_cores()))
    table = pd.concat([intervals for intervals, _ in found]).merge(truth, on=KEY)
    table["half"] = (table["high"] - table["low"]) / 2
    held = (table["low"] <= table["truth"]) & (table["truth"] <= table["high"])
    table["covers"] = held.astype(float).where(table["low"].notna())
    print(head("model", "measure", "at", "truth", "mean", "half-width", "holds the truth, %"))
    for key, own in table.groupby(KEY, sort=False):
        values = own[["truth", "value", "half"]].mean()
        share = 100 * own["covers"].mean()
        print(row(*key, *(f"{value:.3f}" for value in values), f"{share:.1f}"))
    choices = pd.concat([choices for _, choices in found])
    print("\n" + head("model", "members", "closed test", "share of cohorts, %"))
    for key, own in choices.groupby(["model", "members"], sort=False):
        for choice, share in own["choice"].value_counts(normalize=True).items():
            print(row(*key, choice, f"{100 * share:.0f}"))


if __name__ == "__main__":
    main()
