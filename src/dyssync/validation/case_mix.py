"""How the patients differ from those a bundle was developed on, as far as the bundle knows."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from dyssync.arrays import Floats, Ints
from dyssync.cohort.clinical import FACTS
from dyssync.evaluation.case_mix import Difference, case_mix, predictor_mix
from dyssync.evaluation.logistic import probabilities
from dyssync.evaluation.metrics import auroc
from dyssync.evaluation.validation_precision import patients_for_auroc, validation_precision
from dyssync.prediction.bundle import Answering, Bundle
from dyssync.prediction.crossfit import CrossFit
from dyssync.prediction.members import BASE_RATE
from dyssync.validation.answers import USUAL
from dyssync.validation.record import Precision, Spread

HALF_WIDTH = 0.05  # of the AUROC's interval, as a target to compare the cohort with
LEAST_AUROC, LARGEST_AUROC = 0.501, 0.99  # that the formulas take


def developed(fit: CrossFit) -> tuple[Ints, Floats]:
    """Return outcome and graded probability (n,) of the patients whom members were tested on.

    The recalibration has seen these outcomes, so that the probabilities serve to describe the
    cohort and to rank it, not to grade calibration.
    """
    y = np.array(fit.outcomes, dtype=np.int64)
    mean = np.array([np.mean(scores) for scores in fit.scores], dtype=np.float64)
    return y, probabilities(fit.graded_intercept + fit.graded_slope * mean)


def predictors(bundle: Bundle, answers: pd.DataFrame) -> Mapping[str, Spread]:
    """Return the linear predictor of each model in development and here.

    Args:
        bundle: that answered.
        answers: as of :func:`dyssync.validation.answers.answer_cohort`.
    """
    found = {}
    for name, own in answers.groupby("model", sort=False):
        _, before = developed(_main_fit(bundle.answering(str(name)), own))
        here = own["p"].where(own["basis"] != BASE_RATE).to_numpy(np.float64)
        found[str(name)] = spread(predictor_mix(before, here))
    return found


def precisions(bundle: Bundle, answers: pd.DataFrame, share: float) -> Mapping[str, Precision]:
    """Return how exactly this cohort can judge each model that tells patients apart.

    Args:
        bundle: that answered.
        answers: as of :func:`dyssync.validation.answers.answer_cohort`.
        share: of responders here, 0-1.
    """
    found = {}
    for name, own in answers.groupby("model", sort=False):
        y, p = developed(_main_fit(bundle.answering(str(name)), own))
        if len(np.unique(p)) < 2 or len(np.unique(y)) < 2:
            continue
        before = auroc(y, p)
        expected = min(max(before, LEAST_AUROC), LARGEST_AUROC)
        precise = validation_precision(len(own), share, expected)
        found[str(name)] = Precision(
            auroc=before,
            slope_error=precise.slope_error,
            auroc_error=precise.auroc_error,
            log_oe_error=precise.log_oe_error,
            patients_for_auroc=patients_for_auroc(HALF_WIDTH, share, expected),
        )
    return found


def fact_spreads(facts: pd.DataFrame) -> Mapping[str, Spread]:
    """Return the clinical facts of the patients here, those that nobody's table knows included."""
    here = facts.reindex(columns=list(FACTS)).astype(np.float64)
    nobody = pd.DataFrame(columns=list(FACTS), dtype=np.float64)
    return {one.variable: spread(one) for one in case_mix(nobody, here)}


def spread(found: Difference) -> Spread:
    """Return the difference of two cohorts as a record; what is not known is None."""
    return Spread(
        mean=_known(found.first.mean),
        sd=_known(found.first.sd),
        mean_here=_known(found.second.mean),
        sd_here=_known(found.second.sd),
        missing_here=found.second.missing,
        standardised=_known(found.standardised),
    )


def _main_fit(said: Answering, own: pd.DataFrame) -> CrossFit:
    """Return the fit that answered for most of the patients."""
    usual = (own["members"] == USUAL).mean() >= 0.5
    return said.usual if usual or said.ecg_alone is None else said.ecg_alone


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
