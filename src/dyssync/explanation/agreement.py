"""Do two networks give the same patient's map the same name, more often than by accident?

If maps said something about patients, two networks that were asked about one patient would agree
more often than two that were asked about different ones. What the latter gives follows from how
often each network uses each name: Cohen's kappa (1960, DOI 10.1177/001316446002000104), pooled over
all pairs of networks that share patients, each pair with its own marginals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats
from dyssync.explanation.regions import NONE, REGIONS

NAMES = tuple(region for region in REGIONS if region != NONE)
DRAWS = 10_000  # of the bootstrap; its ends then vary by 0.04 points (SD over seeds)
# Below, no interval. Where names are drawn by accident, two networks with 36 maps each agree "above
# chance" in 13 % of 300 trials that share 2 patients, in 5 % with 3, in 1-2 % with 5 and in 1-4 %
# with 8 to 30 (2.5 % are due); two repeats of five folds in 0-5 % with 3 to 120 patients.
LEAST_PATIENTS = 5
NAN = float("nan")


@dataclass(frozen=True)
class Agreement:
    """Agreement of pairs of networks on the name of a patient's map.

    Attributes:
        n_pairs: pairs of maps of one patient by two networks.
        agreement: share of pairs with the same name, 0-1; NaN without pairs.
        expected: what it were if no name depended on the patient, 0-1.
        low: lower end of the 95 % interval of (agreement - expected), over patients; NaN where
            fewer than :data:`LEAST_PATIENTS` have maps of two networks.
        high: upper end.
    """

    n_pairs: int
    agreement: float
    expected: float
    low: float
    high: float

    @property
    def above_chance(self) -> bool | None:
        """Whether the interval lies above 0; None where there is no interval."""
        return None if np.isnan(self.low) else bool(self.low > 0)


def kappa(agreement: float, expected: float) -> float:
    """Return Cohen's kappa: 0 is accident, 1 full agreement; NaN where all maps have one name."""
    room = 1 - expected
    return (agreement - expected) / room if room > 0 else NAN


@dataclass(frozen=True, eq=False)
class _Labels:
    """Names of n patients' maps by J networks.

    Attributes:
        named: (n, J, 3) float64, 1 where a network gives the patient's map this of :data:`NAMES`.
        asked: (n, J) float64, 1 where the network named a map of the patient.
    """

    named: Floats
    asked: Floats


def region_agreement(
    patients: Sequence[str],
    networks: Sequence[int],
    regions: Sequence[str],
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> Agreement:
    """Return how far networks agree on patients, and what their marginals alone would give.

    An empty map lies nowhere and is left out. The interval is a percentile bootstrap over patients:
    the networks are those that there are. With 180 patients in two repeats of five folds, names of
    which half are the patient's own (kappa .25) are found in 98 of 100 studies, a kappa of .16 in
    85, one of .09 in 40.

    Args:
        patients: (k,) id of each map's patient; a network has at most one map of a patient.
        networks: (k,) its network, such as the seed.
        regions: (k,) its name: precordial, limb, both or none.
        rng: draws the patients.
        draws: of the bootstrap.
    """
    labels = _table(patients, networks, regions)
    n = len(labels.asked)
    agreeing, expected, pairs = _sums(labels, np.ones(n))
    if not pairs:
        return Agreement(0, NAN, NAN, NAN, NAN)
    shared = int((labels.asked.sum(axis=1) > 1).sum())
    found = Agreement(round(pairs), agreeing / pairs, expected / pairs, NAN, NAN)
    if shared < LEAST_PATIENTS:
        return found
    differences = []
    for _ in range(draws):
        times = np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64)
        agreeing, expected, pairs = _sums(labels, times)
        if pairs:
            differences.append((agreeing - expected) / pairs)
    low, high = np.percentile(differences, [2.5, 97.5])
    return Agreement(found.n_pairs, found.agreement, found.expected, float(low), float(high))


def _table(patients: Sequence[str], networks: Sequence[int], regions: Sequence[str]) -> _Labels:
    kept = [i for i, region in enumerate(regions) if region in NAMES]
    rows = {patient: i for i, patient in enumerate(dict.fromkeys(patients[i] for i in kept))}
    columns = {network: j for j, network in enumerate(dict.fromkeys(networks[i] for i in kept))}
    named = np.zeros((len(rows), len(columns), len(NAMES)))
    for i in kept:
        named[rows[patients[i]], columns[networks[i]], NAMES.index(regions[i])] = 1.0
    return _Labels(named, named.sum(axis=2))


def _sums(labels: _Labels, times: Floats) -> tuple[float, float, float]:
    """Return agreeing, expected and all pairs, when patient i is there `times[i]` times.

    The sum over pairs of the products of some vectors is half of (square of their sum minus sum of
    their squares): no list of pairs is needed, however many networks there are.
    """
    named, asked = labels.named, labels.asked
    seen = times @ asked  # (J,)
    uses = np.einsum("i,ijr->jr", times, named) / np.maximum(seen, 1.0)[:, None]  # (J, 3)
    n_asked, n_named = asked.sum(axis=1), named.sum(axis=1)  # (n,), (n, 3)
    agreeing = ((n_named**2).sum(axis=1) - n_asked) / 2
    expected = (((asked @ uses) ** 2).sum(axis=1) - asked @ (uses**2).sum(axis=1)) / 2
    pairs = n_asked * (n_asked - 1) / 2
    return float(times @ agreeing), float(times @ expected), float(times @ pairs)
