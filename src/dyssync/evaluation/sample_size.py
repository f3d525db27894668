"""How many patients a model of response needs to learn from.

All of it is known before any model is fitted: from the number of patients, the share of responders,
the number of candidate parameters and the AUROC that is expected.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import optimize

from dyssync.errors import ConfigError
from dyssync.evaluation.binormal import cox_snell_r2, largest_cox_snell_r2
from dyssync.evaluation.delong import NORMAL_95

SHRINKAGE = 0.9  # the least that Riley et al. ask for, doi 10.1136/bmj.m441
OPTIMISM = 0.05  # the largest in the apparent Nagelkerke R2, same source
MARGIN = 0.05  # of the share of responders, same source


@dataclass(frozen=True)
class SampleSize:
    """What `n` patients are enough for, and how many would be, by the criteria of Riley et al.

    Attributes:
        n, parameters, prevalence, auroc: as asked.
        cox_snell_r2: that a model of this AUROC has, 0-1; `largest_r2`: that any could have.
        shrinkage: expected slope in new patients of a model fitted without penalty, 0-1;
            criterion (i) asks for 0.9.
        optimism: expected fall of Nagelkerke's R2 in new patients; criterion (ii): 0.05 at most.
        share_half_width: half of the 95 % interval of the share of responders; criterion (iii):
            0.05 at most.
        n_shrinkage, n_optimism, n_share: patients that each criterion asks for.
    """

    n: int
    parameters: int
    prevalence: float
    auroc: float
    cox_snell_r2: float
    largest_r2: float
    shrinkage: float
    optimism: float
    share_half_width: float
    n_shrinkage: int
    n_optimism: int
    n_share: int

    @property
    def n_needed(self) -> int:
        """Patients that meet all three criteria."""
        return max(self.n_shrinkage, self.n_optimism, self.n_share)


def development_sample_size(n: int, parameters: int, prevalence: float, auroc: float) -> SampleSize:
    """Return what a model with `parameters` candidate parameters can be expected to do.

    Args:
        n: patients to learn from, 1 or more.
        parameters: candidates before any selection, 1 or more; a factor of four levels has three.
        prevalence: share of responders, in (0, 1).
        auroc: expected in new patients, 0.501-0.99.

    Raises:
        ConfigError: a value is out of range.

    References:
        Riley RD et al. BMJ 2020;368:m441, doi 10.1136/bmj.m441; Stat Med 2019;38:1276,
        doi 10.1002/sim.7992.
    """
    for name, count in (("patients", n), ("parameters", parameters)):
        if count < 1:
            raise ConfigError(f"{name} is {count}; 1 or more is needed. Change {name}.")
    r2 = cox_snell_r2(auroc, prevalence)
    largest = largest_cox_snell_r2(prevalence)
    shrinkage = expected_shrinkage(n, parameters, r2)
    spread = prevalence * (1 - prevalence)
    return SampleSize(
        n=n, parameters=parameters, prevalence=prevalence, auroc=auroc,
        cox_snell_r2=r2,
        largest_r2=largest,
        shrinkage=shrinkage,
        optimism=(r2 / shrinkage - r2) / largest,
        share_half_width=NORMAL_95 * math.sqrt(spread / n),
        n_shrinkage=patients_for_shrinkage(parameters, r2, SHRINKAGE),
        n_optimism=patients_for_shrinkage(parameters, r2, r2 / (r2 + OPTIMISM * largest)),
        n_share=math.ceil((NORMAL_95 / MARGIN) ** 2 * spread),
    )  # fmt: skip


def expected_shrinkage(n: int, parameters: int, r2: float) -> float:
    """Return the slope, 0-1, to be expected in new patients of a model fitted without penalty.

    The formula of Riley et al. for n, solved for the shrinkage S with n given: S = 1 + parameters /
    (n ln(1 - r2 / S)), where r2 / S is the apparent R2. There is exactly one solution.

    Args:
        n: patients to learn from.
        parameters: candidate parameters.
        r2: Cox-Snell R2 in new patients, in (0, 1).

    References:
        Riley RD et al. Stat Med 2019;38:1276, doi 10.1002/sim.7992.
    """

    def missing(shrinkage: float) -> float:
        return (1 - shrinkage) * n * -math.log1p(-r2 / shrinkage) - parameters

    # towards r2 the apparent R2 nears 1 and any number of parameters is paid for; at 1 none is
    low = r2 * (1 + 1e-15)
    if missing(low) <= 0:
        return r2
    return float(optimize.brentq(missing, low, 1.0))


def patients_for_shrinkage(parameters: int, r2: float, shrinkage: float) -> int:
    """Return how many patients keep the expected shrinkage at `shrinkage` or nearer to 1.

    Raises:
        ConfigError: `shrinkage` is not above `r2`: no number of patients would be that bad.
    """
    if not r2 < shrinkage < 1:
        raise ConfigError(
            f"shrinkage is {shrinkage:g}; more than the R2 of {r2:g} and less than 1 is needed. "
            "Change shrinkage."
        )
    return math.ceil(parameters / ((shrinkage - 1) * math.log1p(-r2 / shrinkage)))
