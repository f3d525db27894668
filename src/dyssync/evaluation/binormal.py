"""A model known by two numbers only, its AUROC and the share of responders.

Its scores are normal in responders and in non-responders, with equal SD: then the calibrated
probability of each score is known, and all that the sample size needs follows without simulation.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special, stats

from dyssync.arrays import Floats
from dyssync.errors import check_range

# Below, the model knows nothing; above, one normal distribution of scores says too little.
LEAST_AUROC, LARGEST_AUROC = 0.501, 0.99
LEAST_SHARE = 0.001  # of the rarer class
NODES = 100  # of the quadrature: R2 agrees with a fine grid to 1e-8 within these ranges


def binormal_predictor(auroc: float, prevalence: float) -> tuple[Floats, Floats]:
    """Return values (2 m,) of the calibrated linear predictor, and their weights that add up to 1.

    Args:
        auroc: 0.501-0.99.
        prevalence: share of responders, 0.001-0.999.

    Raises:
        ConfigError: a value is out of range.
    """
    check_range("auroc", auroc, LEAST_AUROC, LARGEST_AUROC)
    check_range("prevalence", prevalence, LEAST_SHARE, 1 - LEAST_SHARE)
    distance = math.sqrt(2) * float(stats.norm.ppf(auroc))  # of the means, in SD
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    weights = weights / weights.sum()
    scores = np.concatenate([nodes + distance, nodes])  # responders, non-responders
    predictor = special.logit(prevalence) + distance * scores - distance**2 / 2
    return predictor, np.concatenate([prevalence * weights, (1 - prevalence) * weights])


def cox_snell_r2(auroc: float, prevalence: float) -> float:
    """Return the Cox-Snell R2 of a calibrated model with this AUROC, 0-1.

    Riley et al. simulate a million patients with these scores and fit them; here the same number is
    integrated. R2 = 1 - exp(-2 I), with I the mean gain in log-likelihood over the share alone.

    Raises:
        ConfigError: a value is out of range.

    References:
        Riley RD, Van Calster B, Collins GS. Stat Med 2021;40:859, doi 10.1002/sim.8806.

    >>> round(cox_snell_r2(0.7, 0.632), 3)
    0.113
    """
    predictor, weights = binormal_predictor(auroc, prevalence)
    gain = float(weights @ _log_likelihood(special.expit(predictor))) - float(
        _log_likelihood(np.array(prevalence))
    )
    return 1 - math.exp(-2 * gain)


def largest_cox_snell_r2(prevalence: float) -> float:
    """Return the Cox-Snell R2 of a model that is always right, 0-0.75 (Nagelkerke's divisor).

    References:
        Nagelkerke NJD. Biometrika 1991;78:691, doi 10.1093/biomet/78.3.691.
    """
    return 1 - math.exp(2 * float(_log_likelihood(np.array(prevalence))))


def _log_likelihood(p: Floats) -> Floats:
    """Return the expected log-likelihood of patients who respond with probability p."""
    return np.asarray(special.xlogy(p, p) + special.xlog1py(1 - p, -p))
