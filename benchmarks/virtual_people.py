"""Thousands of virtual patients for the benchmarks: made once, then read and measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dyssync.arrays import Floats, Ints
from dyssync.cohort.cohort import read_cohort
from dyssync.cohort.shards import HEARTS
from dyssync.ecg import ECG
from dyssync.models.measured import feature_matrix
from dyssync.simulation.cohort import VERSION, simulate_cohort
from dyssync.simulation.population import Population
from dyssync.workers import available_cores

# columns of truth.csv that tell paced and unpaced hearts apart, by what a corpus calls them
IN_TRUTH = {
    "wall_delay_ms": "wall_delay_intrinsic_ms",
    "dispersion_ms": "dispersion_intrinsic_ms",
}


@dataclass(frozen=True, eq=False)
class People:
    """Virtual patients, a recording each.

    Attributes:
        ecgs: n, with their clinical facts.
        responses: (n,) 0/1.
        falls: (n,) % of LVESV.
        chances: (n,) probability of response of who knows all of the heart; no model sees it.
        hearts: (n, len(HEARTS)) of :data:`~dyssync.cohort.shards.HEARTS`, without noise; likewise.
    """

    ecgs: tuple[ECG, ...]
    responses: Ints
    falls: Floats
    chances: Floats
    hearts: Floats

    def of(self, rows: Ints) -> tuple[list[ECG], Ints, Floats]:
        """Return recordings, responses and falls of some."""
        return [self.ecgs[i] for i in rows], self.responses[rows], self.falls[rows]


def virtual_people(n: int, seed: int, folder: Path, population: Population = "crt") -> People:
    """Return `n` virtual patients of a seed; simulated on the first call, measured on each.

    Call it inside ``keeping()``: the measurements are kept there. The population is as of
    :func:`~dyssync.simulation.cohort.simulate_cohort`.
    """
    kind = "" if population == "crt" else f"-{population}"
    home = folder / f"virtual-{n}-{seed}-v{VERSION}{kind}"
    if not home.is_dir():
        simulate_cohort(n, seed, home, population=population, workers=available_cores())
    cohort = read_cohort(home / "cohort.csv")
    for clinical in (True, False):
        feature_matrix(cohort.signals, "dictionary", clinical=clinical)
    responses = cohort.table["responder"].to_numpy(np.int64)
    held = pd.read_csv(home / "truth.csv", dtype={"patient_id": str}).set_index("patient_id")
    truth = held.loc[cohort.table["patient_id"]]
    chances = truth["p_response"].to_numpy(np.float64)
    hearts = truth[[IN_TRUTH.get(name, name) for name in HEARTS]].to_numpy(np.float64)
    return People(cohort.signals, responses, cohort.falls, chances, hearts)
