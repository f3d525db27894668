"""The head on a frozen trunk: a linear model of its features and, where asked, clinical facts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats, Ints
from dyssync.models.linear import fit_fall, fit_response
from dyssync.records import Record

# L2 penalties of a standardised feature that are tried, for the fall in % and for the response.
FALL_PENALTIES = tuple(10 ** np.arange(2.0, 5.6, 0.25))
RESPONSE_PENALTIES = tuple(10 ** np.arange(1.5, 4.6, 0.5))
# Penalty of a standardised clinical fact, of which the literature says that they matter: as in
# `ridge`, where 5 % of 1500 and of 333 measured best.
FALL_FACT, RESPONSE_FACT = 75.0, 16.7


@dataclass(frozen=True)
class Head(Record):
    """The log-odds of response as a linear function of features and facts.

    Attributes:
        features: slope of each feature, k.
        facts: slope of each standardised clinical fact; empty where none is used.
        fact_medians: stand for facts that are not known.
        fact_means, fact_scales: of the patients that were learnt from.
        intercept: log-odds where features are 0 and facts average.
        penalty: that was chosen.
    """

    features: tuple[float, ...]
    facts: tuple[float, ...]
    fact_medians: tuple[float, ...]
    fact_means: tuple[float, ...]
    fact_scales: tuple[float, ...]
    intercept: float
    penalty: float

    def logits(self, features: Floats, facts: Floats) -> Floats:
        """Return log-odds, (n,).

        Args:
            features: (n, k).
            facts: (n, number of facts), NaN where not known.
        """
        logits = features @ np.array(self.features) + self.facts_logits(facts) + self.intercept
        return np.asarray(logits, dtype=np.float64)

    def facts_logits(self, facts: Floats) -> Floats:
        """Return what the facts add to the log-odds, (n,)."""
        known = np.where(np.isnan(facts), np.array(self.fact_medians), facts)
        standardised = (known - np.array(self.fact_means)) / np.array(self.fact_scales)
        return np.asarray(standardised @ np.array(self.facts), dtype=np.float64)


def fit_head(
    features: Floats, facts: Floats, labels: Ints, falls: Floats | None, weights: Floats
) -> Head:
    """Fit a head; nothing in it is left for chance.

    Args:
        features: (n, k).
        facts: (n, number of facts), NaN where not known; no columns where none shall be used.
        labels: (n,) responses.
        falls: (n,) % of LVESV, finite, to be learnt in place of the response; None for that.
        weights: (n,) above 0, mean 1.
    """
    z, centre, scale = _standardised(features)
    known = np.isfinite(facts)
    medians = np.array(
        [np.median(c[k]) if k.any() else 0.0 for c, k in zip(facts.T, known.T, strict=True)]
    )
    f, fact_centre, fact_scale = _standardised(np.where(known, facts, medians))
    rows = np.column_stack([z, f])
    if falls is None:
        penalties = [_penalty(p, RESPONSE_FACT, rows, z) for p in RESPONSE_PENALTIES]
        fitted = fit_response(rows, labels, weights, penalties)
        penalty = RESPONSE_PENALTIES[fitted.chosen]
    else:
        penalties = [_penalty(p, FALL_FACT, rows, z) for p in FALL_PENALTIES]
        fitted = fit_fall(rows, falls, weights, penalties)
        penalty = FALL_PENALTIES[fitted.chosen]
    slopes, fact_slopes = np.split(fitted.slopes, [z.shape[1]])
    slopes = slopes / scale
    return Head(
        features=tuple(slopes.tolist()),
        facts=tuple(fact_slopes.tolist()),
        fact_medians=tuple(medians.tolist()),
        fact_means=tuple(fact_centre.tolist()),
        fact_scales=tuple(fact_scale.tolist()),
        intercept=fitted.intercept - float(centre @ slopes),
        penalty=float(penalty),
    )


def _penalty(of_feature: float, of_fact: float, rows: Floats, features: Floats) -> Floats:
    penalties = np.full(rows.shape[1], of_feature)
    penalties[features.shape[1] :] = of_fact
    return penalties


def _standardised(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return standardised columns, their means and SDs; 1 for a column that never varies."""
    centre, spread = values.mean(axis=0), values.std(axis=0)
    scale = np.where(spread > 1e-9 * np.abs(centre), spread, 1.0)
    return (values - centre) / scale, centre, scale
