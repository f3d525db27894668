"""How the patients of two cohorts differ, variable by variable and in what a model says of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dyssync.arrays import Floats
from dyssync.errors import InputError
from dyssync.evaluation.logistic_fit import linear_predictor

LINEAR_PREDICTOR = "linear predictor"


@dataclass(frozen=True)
class Summary:
    """A variable in one cohort.

    Attributes:
        mean: of the known values; of a 0/1 variable the share of 1. NaN where none is known.
        sd: their standard deviation; NaN where it cannot be known.
        known: number of patients whose value is known.
        missing: number of the others.
    """

    mean: float
    sd: float
    known: int
    missing: int


@dataclass(frozen=True)
class Difference:
    """A variable in two cohorts.

    Attributes:
        variable: its name.
        binary: whether all known values of both cohorts are 0 or 1.
        first, second: the cohorts.
        standardised: mean of the second minus mean of the first, in SD; infinite where the means
            differ and neither cohort varies, NaN where a mean or SD is not known.
    """

    variable: str
    binary: bool
    first: Summary
    second: Summary
    standardised: float


def case_mix(first: pd.DataFrame, second: pd.DataFrame) -> tuple[Difference, ...]:
    """Return the standardised mean difference of every variable of either cohort.

    Missing values are left out and counted; a column that a cohort lacks is missing in all of it.

    Args:
        first: a row a patient, columns of numbers, 0/1 or booleans; development, by custom.
        second: likewise.

    Raises:
        InputError: columns do not hold numbers; all are named.

    References:
        Austin PC. Stat Med 2009;28:3083, doi 10.1002/sim.3697.
    """
    names = list(dict.fromkeys([*first.columns, *second.columns]))
    texts = [
        str(name)
        for name in names
        for cohort in (first, second)
        if name in cohort and not pd.api.types.is_numeric_dtype(cohort[name])
    ]
    if texts:
        raise InputError(
            f"case mix: {', '.join(dict.fromkeys(texts))}: text found, numbers are needed; leave "
            "the column out, or code it as 0/1"
        )
    return tuple(
        _difference(str(name), _values(first, name), _values(second, name)) for name in names
    )


def predictor_mix(first: Floats, second: Floats) -> Difference:
    """Return mean and SD of the linear predictor of one model in two cohorts.

    A smaller SD in the second cohort means patients more alike, whom any model tells apart less
    well; another mean, patients who respond more or less often as far as the model can see.

    Args:
        first: (n,) probabilities of response, 0-1; NaN is missing.
        second: (m,) likewise.

    Raises:
        InputError: a value is no probability.

    References:
        Debray TPA et al. J Clin Epidemiol 2015;68:279, doi 10.1016/j.jclinepi.2014.06.018.
    """
    return _difference(
        LINEAR_PREDICTOR, linear_predictor(first), linear_predictor(second), may_be_binary=False
    )


def _values(cohort: pd.DataFrame, name: object) -> Floats:
    if name not in cohort:
        return np.full(len(cohort), np.nan)
    return cohort[str(name)].to_numpy(dtype=np.float64, na_value=np.nan)


def _difference(
    variable: str, first: Floats, second: Floats, may_be_binary: bool = True
) -> Difference:
    known = np.concatenate([first, second])
    known = known[~np.isnan(known)]
    binary = may_be_binary and len(known) > 0 and bool(np.isin(known, (0, 1)).all())
    a, b = _summary(first, binary), _summary(second, binary)
    gap, sd = b.mean - a.mean, math.sqrt((a.sd**2 + b.sd**2) / 2)
    apart = math.copysign(math.inf, gap) if gap else 0.0
    standardised = gap / sd if sd != 0 else apart
    return Difference(variable, binary, a, b, standardised)


def _summary(values: Floats, binary: bool) -> Summary:
    held = values[~np.isnan(values)]
    n = len(held)
    mean = float(held.mean()) if n else math.nan
    if binary:
        sd = math.sqrt(mean * (1 - mean)) if n else math.nan
    else:
        sd = float(held.std(ddof=1)) if n > 1 else math.nan
    return Summary(mean, sd, n, len(values) - n)
