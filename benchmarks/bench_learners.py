"""How much the models that measure learn from 228 patients: `make bench-learners`.

Draws of 228 virtual patients, each model fitted once to each and tested on thousands of others,
beside QRS area alone and the limit: who knows all of the heart (Bayes).
"""

# ruff: noqa: E402 - the libraries of NumPy read the number of threads when they are imported
from __future__ import annotations

from dyssync.workers import use_one_thread

use_one_thread()  # as a study fits

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn.metrics import roc_auc_score

from dyssync.keeping import keeping
from dyssync.models.boosting import Boosting
from dyssync.models.logistic import Logistic
from dyssync.models.protocols import ResponseModel
from dyssync.models.ridge import Ridge
from dyssync.models.rules import QRSArea
from markdown_rows import head, row
from virtual_people import People, virtual_people

LEARNERS: Mapping[str, ResponseModel] = {
    "ridge, fall": Ridge(),
    "ridge, fall, ECG alone": Ridge(clinical=False),
    "ridge, response": Ridge(target="response"),
    "lightgbm, fall": Boosting(),
    "lightgbm, fall, ECG alone": Boosting(clinical=False),
    "lightgbm, response": Boosting(target="response"),
    "logistic": Logistic(),
    "qrs-area": QRSArea(),
}


def compare(people: People, patients: int, draws: int, pool: int) -> None:
    """Print the mean AUROC of each learner over the draws.

    Args:
        people: the first `pool` are drawn from, the others are tested on.
        patients: in a draw.
        draws: how many.
        pool: patients.
    """
    others = np.arange(pool, len(people.responses))
    tested, y, _ = people.of(others)
    bayes = roc_auc_score(y, people.chances[others])
    print(f"{draws} draws of {patients}, tested on {len(others)} others; Bayes {bayes:.3f}\n")
    print(head("learner", "AUROC, mean", "SE"))
    for name, model in LEARNERS.items():
        found = []
        for draw in range(draws):
            rows = np.random.default_rng(draw).permutation(pool)[:patients]
            x, labels, falls = people.of(rows)
            logits = model.fit(x, labels, seed=draw, fall=falls).logits(tested)
            # of whom nothing can be said lies in the middle
            found.append(roc_auc_score(y, np.where(np.isnan(logits), np.nanmedian(logits), logits)))
        print(row(name, f"{np.mean(found):.4f}", f"{stats.sem(found):.4f}"))


def main() -> None:
    """Make the patients and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=6000)
    parser.add_argument("--pool", type=int, default=2000)
    parser.add_argument("--patients", type=int, default=228)
    parser.add_argument("--draws", type=int, default=24)
    parser.add_argument("--seed", type=int, default=777)
    parser.add_argument("--folder", type=Path, default=Path("build/bench-intervals"))
    options = parser.parse_args()
    with keeping():
        people = virtual_people(options.people, options.seed, options.folder)
        compare(people, options.patients, options.draws, options.pool)


if __name__ == "__main__":
    main()
