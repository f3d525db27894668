"""Do the intervals of a study cover, and does its bundle answer as well as it was graded?

    make bench-intervals                                  about an hour on two cores
    python benchmarks/bench_intervals.py --cohorts 20 --people 3000    a look
    python benchmarks/bench_intervals.py --models resnet18,ssl-resnet18 --cohorts 20 --others 500 \
        --equals 0                                        networks: four minutes a cohort and core

Virtual cohorts of 285 are drawn from thousands of virtual patients, each is cross-fitted with the
models of the study, in the code that a study runs, and what it says is held against the truth:
what the same fits are worth on patients who are not in the cohort. Networks are as in `make demo`.

* coverage of the 95 % intervals. The truth of an out-of-fold metric is its value on the others, of
  answers by two fits, one a repeat, as in the study; mean over five such pairs;
* how often a study of six equal models calls one of them better than another;
* the answer of the bundle on the others: calibration, Brier score, AUROC against the graded one,
  and the conformal sets.
"""

# ruff: noqa: E402 - the libraries of NumPy read the number of threads when they are imported
from __future__ import annotations

from dyssync.workers import use_one_thread

use_one_thread()  # as a study fits

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from dyssync.arrays import Floats, Ints
from dyssync.cohort.splits import fold_patients
from dyssync.evaluation.comparisons import NO_MODEL, ONE_NUMBER, compare_models
from dyssync.evaluation.conformal import DEFER, RESPONDER, conformal_answers
from dyssync.evaluation.estimates import estimates
from dyssync.evaluation.metrics import METRICS
from dyssync.evaluation.recalibration import Recalibration
from dyssync.keeping import keeping
from dyssync.models import MODELS
from dyssync.models.protocols import Pretrained, ResponseModel
from dyssync.prediction.crossfit import CrossFit, Graded, cross_fit
from dyssync.study.virtual import SHORTENED
from dyssync.workers import available_cores
from markdown_rows import head, row
from virtual_people import People, virtual_people

PATIENTS = 285
QUICK_MODELS = "lightgbm,ridge,logistic,qrs-area"
THRESHOLDS = (0.4, 0.5, 0.6, 0.7)
PAIRS = tuple((k, 5 + k) for k in range(5))  # of fits, one a repeat
# Six models that are equal by construction: one kind of weak trees, other columns and rows each.
EQUALS = tuple(f"equal-{k}" for k in range(6))
WEAK: Mapping[str, Any] = {"rounds": 30, "column_share": 0.05, "row_share": 0.5}
LEVELS = (0.8, 0.9)
Rows: TypeAlias = list[tuple[Any, ...]]
Result: TypeAlias = tuple[Rows, Rows, Rows, bool | None]


@dataclass(frozen=True)
class Asked:
    """What is done with each cohort.

    Attributes:
        people: all virtual patients.
        models: names.
        others: most patients outside of the cohort that tell the truth.
        equals: cohorts in which six equal models are compared, too.
        logits: folder in which logits are kept, and from which they are taken if they are there.
    """

    people: People
    models: tuple[str, ...]
    others: int
    equals: int
    logits: Path | None

    def make(self, name: str) -> ResponseModel:
        """Return an unfitted model as in `make demo`."""
        presets = MODELS[name]().PRESETS
        return MODELS[name](**{**presets.get("quick", {}), **presets.get(SHORTENED, {})})


_asked: Asked  # of a worker


def _fold_logits(
    rows: Ints, make: Sequence[ResponseModel], others: Ints, moved: int = 0
) -> tuple[pd.DataFrame, Floats]:
    """Fit one model to each fold; return the test parts' logits, and (others, fits) of the others.

    Args:
        rows: patients of the cohort.
        make: an unfitted model a fit.
        others: patients outside.
        moved: added to the seeds of the fits.
    """
    ids = [f"{i:06d}" for i in rows]
    place = dict(zip(ids, rows.tolist(), strict=True))
    splits = fold_patients(pd.Series(_asked.people.responses[rows], index=ids))
    rest, _, _ = _asked.people.of(others)
    tables, outside = [], []
    for split, model in zip(splits, make, strict=True):
        x, y, fall = _asked.people.of(np.array([place[p] for p in split.train]))
        model.fit(x, y, seed=split.seed + moved, fall=fall)
        tested, outcomes, _ = _asked.people.of(np.array([place[p] for p in split.test]))
        tables.append(
            pd.DataFrame(
                {
                    "seed": split.seed,
                    "patient_id": split.test,
                    "y": outcomes,
                    "logit": model.logits(tested),
                }
            )
        )
        outside.append(model.logits(rest))
    return pd.concat(tables), np.column_stack(outside)


def _kept(
    name: str, rows: Ints, make: Sequence[ResponseModel], others: Ints
) -> tuple[pd.DataFrame, Floats]:
    """Return what `_fold_logits` does, from the folder of logits if it has been there before."""
    if _asked.logits is None:
        return _fold_logits(rows, make, others)
    table, outside = _asked.logits / f"{name}.csv", _asked.logits / f"{name}.npy"
    if not (table.is_file() and outside.is_file()):
        tested, logits = _fold_logits(rows, make, others)
        np.save(outside, logits)
        tested.to_csv(table, index=False)
    return pd.read_csv(table, dtype={"patient_id": str}), np.load(outside)


def _weights(model: ResponseModel) -> str:
    """Return which encoder a model starts from, to be kept beside its name; "" for none."""
    encoder = model.first_encoder() if isinstance(model, Pretrained) else None
    return f"-{encoder.record.sha256[:8]}" if encoder is not None else ""


def _graded(tested: pd.DataFrame, model: ResponseModel) -> Graded:
    seeds = sorted(tested["seed"].unique())
    members = [f"fit-{s:02d}" for s in seeds]
    return cross_fit(tested, members, own_scale=model.OWN_SCALE, shrunken=model.SHRUNKEN)


def _truth(fit: CrossFit, logits: Floats, y: Ints) -> dict[tuple[str, float], float]:
    """Return what answers by two fits are worth on the others, by metric and threshold."""
    graded = Recalibration(fit.graded_slope, fit.graded_intercept)
    found: dict[tuple[str, float], list[float]] = {}
    standardised = (logits - np.array(fit.centres)) / np.array(fit.scales)
    for pair in PAIRS:
        z = standardised[:, list(pair)].mean(axis=1)
        p = np.where(np.isnan(z), fit.base_rate, graded.apply(z))
        for name in METRICS:
            metric = METRICS[name]
            for cut in THRESHOLDS if metric.uses_threshold else (np.nan,):
                value = metric.compute(y, p, cut)
                found.setdefault((name, -1.0 if np.isnan(cut) else cut), []).append(value)
    return {key: float(np.mean(values)) for key, values in found.items()}


def study_of(number: int) -> Result:
    """Draw a cohort and study it.

    Returns:
        Rows (model, metric, threshold, value, low, high, truth); rows of the deployed answer
        (model, quantity, value); rows of its sets (model, level, class, covered, n, deferred,
        decided, decided rightly); and whether six equal models were told apart
        (None where they were not asked).
    """
    n = len(_asked.people.responses)
    rng = np.random.default_rng(np.random.SeedSequence([number, 0xC0407]))
    rows = rng.permutation(n)[:PATIENTS]
    others = rng.permutation(np.setdiff1d(np.arange(n), rows))[: _asked.others]
    y = _asked.people.responses[others]
    intervals: Rows = []
    deployed: Rows = []
    sets: Rows = []
    for name in _asked.models:
        models = [_asked.make(name) for _ in range(10)]
        tested, outside = _kept(f"{name}{_weights(models[0])}-{number}", rows, models, others)
        graded = _graded(tested, models[0])
        truth = _truth(graded.fit, outside, y)
        table = estimates(graded.table.assign(model=name), THRESHOLDS, seed=1)
        for said in table.to_dict("records"):
            key = (said["metric"], -1.0 if np.isnan(said["threshold"]) else said["threshold"])
            values = (said["value"], said["low"], said["high"], truth[key])
            intervals.append((name, *key, *values))
        answered = graded.fit.answer(outside)
        deployed += _deployed(name, y, answered.p, truth)
        sets += _sets(name, y, answered.p_values, answered.p)
    apart = _told_apart(rows, others) if number < _asked.equals else None
    return intervals, deployed, sets, apart


def _deployed(
    name: str, y: Ints, p: Floats, truth: Mapping[tuple[str, float], float]
) -> Iterator[tuple[Any, ...]]:
    for metric in ("auroc", "brier", "ici", "calibration_slope", "calibration_in_the_large"):
        yield (name, metric, METRICS[metric].compute(y, p, 0.5))
    yield (name, "graded auroc", truth["auroc", -1.0])
    yield (name, "floor of brier", float(y.mean() * (1 - y.mean())))


def _sets(name: str, y: Ints, p_values: Floats, p: Floats) -> Iterator[tuple[Any, ...]]:
    for level in LEVELS:
        said = np.array(conformal_answers(p_values, level))
        possible = p_values > 1 - level + 1e-12
        for outcome in (0, 1):
            held = y == outcome
            decided = held & (said != DEFER)
            right = decided & ((said == RESPONDER) == (y == 1))
            counts = (possible[held, outcome].sum(), held.sum(), (held & (said == DEFER)).sum())
            yield (name, level, outcome, *map(int, (*counts, decided.sum(), right.sum())))


def _told_apart(rows: Ints, others: Ints) -> bool:
    """Return whether any of six equal models is called better or worse than another."""
    tables = []
    for k, name in enumerate(EQUALS):
        models = [MODELS["lightgbm"](**WEAK) for _ in range(10)]
        tested, _ = _fold_logits(rows, models, others[:1], moved=100 * (k + 1))
        tables.append(_graded(tested, models[0]).table.assign(model=ONE_NUMBER if k == 0 else name))
    floor = tables[0].assign(model=NO_MODEL, z=0.0, p=tables[0]["y"].mean())
    found = compare_models(pd.concat([*tables, floor]), 0.5)
    asked = (found["kind"] == "named") & (found["model_b"] == ONE_NUMBER)
    return bool((found.loc[asked, "p_holm"] < 0.05).any())


def report(results: Sequence[Result], models: Sequence[str], keep: Path) -> None:
    """Print the tables, and keep every interval in a file."""
    columns = ["model", "metric", "threshold", "value", "low", "high", "truth"]
    table = pd.DataFrame([r for found in results for r in found[0]], columns=columns)
    table.to_csv(keep / "intervals.csv", index=False)
    table["covered"] = (table["low"] <= table["truth"]) & (table["truth"] <= table["high"])
    table["half"] = (table["high"] - table["low"]) / 2
    table = table[table["low"].notna()]
    print(f"\n## Coverage of 95 % intervals, {len(results)} cohorts of {PATIENTS}\n")
    print(head("metric", "threshold", *models, "all", "half-width"))
    for (metric, cut), held in table.groupby(["metric", "threshold"], sort=False):
        own = [f"{100 * held[held['model'] == m]['covered'].mean():.1f}" for m in models]
        cells = [*own, f"{100 * held['covered'].mean():.1f}", f"{held['half'].mean():.3f}"]
        print(row(metric, "" if float(str(cut)) < 0 else cut, *cells))
    print("\n## The deployed answer on all others, mean over cohorts\n")
    deployed = pd.DataFrame([r for f in results for r in f[1]], columns=["model", "what", "value"])
    means = deployed.pivot_table(index="model", columns="what", values="value").loc[list(models)]
    print(head("model", *map(str, means.columns)))
    for model, values in means.iterrows():
        print(row(model, *(f"{v:.4f}" for v in values)))
    print("\n## Conformal sets of the deployed answer, pooled\n")
    counts = ["covered", "n", "deferred", "decided", "right"]
    sets = pd.DataFrame(
        [r for f in results for r in f[2]], columns=["model", "level", "class", *counts]
    )
    print(head("level", "class", "covered, %", "deferred, %", "right of the decided, %"))
    for (level, outcome), held in sets.groupby(["level", "class"]):
        total = held[counts].sum()
        shares = (
            total["covered"] / total["n"],
            total["deferred"] / total["n"],
            total["right"] / max(1, total["decided"]),
        )
        word = "responders" if outcome else "non-responders"
        print(row(f"{float(str(level)):.0%}", word, *(f"{100 * s:.1f}" for s in shares)))
    apart = [found[3] for found in results if found[3] is not None]
    if not apart:
        return
    print(
        f"\nsix equal models told apart (named, Holm): {100 * np.mean(apart):.1f} % of "
        f"{len(apart)} studies"
    )


def main() -> None:
    """Draw, study and print."""
    global _asked
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=500)
    parser.add_argument("--equals", type=int, default=500, help="cohorts with six equal models")
    parser.add_argument("--models", default=QUICK_MODELS)
    parser.add_argument("--people", type=int, default=8000)
    parser.add_argument("--others", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=777)
    parser.add_argument("--folder", type=Path, default=Path("build/bench-intervals"))
    parser.add_argument("--workers", type=int, default=available_cores())
    parser.add_argument(
        "--logits",
        type=Path,
        help="folder that keeps the logits of every fit, so that a run goes on where it stopped; "
        "for one choice of people and models",
    )
    options = parser.parse_args()
    if options.logits:
        options.logits.mkdir(parents=True, exist_ok=True)
    names = tuple(options.models.split(","))
    with keeping():
        people = virtual_people(options.people, options.seed, options.folder)
        _asked = Asked(people, names, options.others, options.equals, options.logits)
        # forked, so that the measurements are shared
        with get_context("fork").Pool(options.workers, use_one_torch_thread) as pool:
            results = []
            for found in pool.imap_unordered(study_of, range(options.cohorts)):
                results.append(found)
                print(f"\r{len(results)} of {options.cohorts}", end="", flush=True)
    report(results, names, options.folder)


def use_one_torch_thread() -> None:
    """Let a worker train as one of a study does."""
    import torch

    torch.set_num_threads(1)


if __name__ == "__main__":
    main()
