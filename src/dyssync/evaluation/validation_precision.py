"""How exactly a validation in so many patients can judge a model."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special

from dyssync.arrays import Floats
from dyssync.errors import ConfigError
from dyssync.evaluation.binormal import binormal_predictor
from dyssync.evaluation.delong import NORMAL_95


@dataclass(frozen=True)
class ValidationPrecision:
    """Standard errors that a validation in `n` patients will have, of a well calibrated model.

    Attributes:
        n, prevalence, auroc: as asked.
        slope_error: of the calibration slope.
        auroc_error: of the AUROC.
        log_oe_error: of ln(observed/expected).
    """

    n: int
    prevalence: float
    auroc: float
    slope_error: float
    auroc_error: float
    log_oe_error: float


def validation_precision(n: int, prevalence: float, auroc: float) -> ValidationPrecision:
    """Return the standard errors that a validation in `n` patients will have.

    Args:
        n: patients in the validation, 2 or more.
        prevalence: share of responders, in (0, 1).
        auroc: expected there, 0.501-0.99.

    Raises:
        ConfigError: a value is out of range.

    References:
        Riley RD et al. Stat Med 2021;40:4230, doi 10.1002/sim.9025. AUROC: Newcombe RG. Stat Med
        2006;25:559, doi 10.1002/sim.2324.
    """
    if n < 2:
        raise ConfigError(f"patients is {n}; 2 or more is needed. Change patients.")
    predictor, weights = binormal_predictor(auroc, prevalence)
    return ValidationPrecision(
        n=n, prevalence=prevalence, auroc=auroc,
        slope_error=slope_standard_error(n, predictor, weights),
        auroc_error=auroc_standard_error(n, prevalence, auroc),
        log_oe_error=math.sqrt((1 - prevalence) / (n * prevalence)),
    )  # fmt: skip


def slope_standard_error(n: int, predictor: Floats, weights: Floats) -> float:
    """Return the standard error of the calibration slope of a calibrated model.

    Args:
        n: patients.
        predictor: (m,) values of the linear predictor (logit of the probability).
        weights: (m,) share of patients at each, adding up to 1.

    References:
        Riley RD et al. Stat Med 2021;40:4230, doi 10.1002/sim.9025: Fisher's information of a
        logistic regression on the linear predictor.
    """
    p = special.expit(predictor)
    information = weights * p * (1 - p)  # (m,) of the intercept, a patient
    centre = float(information @ predictor / information.sum())
    return 1 / math.sqrt(n * float(information @ (predictor - centre) ** 2))


def auroc_standard_error(n: int, prevalence: float, auroc: float) -> float:
    """Return the standard error of the AUROC in `n` patients, before there are any.

    References:
        Newcombe RG. Stat Med 2006;25:559, doi 10.1002/sim.2324: the formula of Hanley and McNeil
        made symmetric in the classes.
    """
    half = n / 2 - 1
    spread = 1 + half * (1 - auroc) / (2 - auroc) + half * auroc / (1 + auroc)
    return math.sqrt(auroc * (1 - auroc) * spread / (n**2 * prevalence * (1 - prevalence)))


def patients_for_auroc(half_width: float, prevalence: float, auroc: float) -> int:
    """Return how many patients give the AUROC a 95 % interval of +/- `half_width`.

    Raises:
        ConfigError: `half_width` is not positive.
    """
    if not half_width > 0:
        raise ConfigError(
            f"half width is {half_width:g}; more than 0 is needed. Change half width."
        )
    # the square of the standard error is a quadratic in 1 / n
    k = (1 - auroc) / (2 - auroc) + auroc / (1 + auroc)
    wanted = (half_width / NORMAL_95) ** 2 * prevalence * (1 - prevalence) / (auroc * (1 - auroc))
    return math.ceil((k / 2 + math.sqrt(k**2 / 4 + 4 * wanted * (1 - k))) / (2 * wanted))
