"""The head on a frozen trunk: a linear model of its features and, where asked, clinical facts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from dyssync.arrays import Floats, Ints, Singles
from dyssync.errors import ModelError
from dyssync.models.linear import CURVATURE, fit_fall, fit_response
from dyssync.records import Record

# L2 penalties that are tried for the fall in %: of a standardised feature, and of what pretraining
# read from the features, one of few and of known use (docs/learning.md).
FEATURE_PENALTIES = (1e3, 3e3, 1e4, 1e5)
READOUT_PENALTIES = (3e1, 1e2, 3e2)
# Penalty of a standardised clinical fact, of which the literature says that they matter: as in
# `ridge`, where 5 % of 1500 measured best.
FACT_PENALTY = 75.0


@dataclass(frozen=True)
class Head(Record):
    """The log-odds of response as a linear function of features and facts.

    Attributes:
        features: slope of each feature, k.
        facts: slope of each standardised clinical fact; empty where none is used.
        fact_medians: stand for facts that are not known.
        fact_means, fact_scales: of the patients that were learnt from.
        intercept: log-odds where features are 0 and facts average.
        penalties: that were chosen, by kind of column.
    """

    features: tuple[float, ...]
    facts: tuple[float, ...]
    fact_medians: tuple[float, ...]
    fact_means: tuple[float, ...]
    fact_scales: tuple[float, ...]
    intercept: float
    penalties: Mapping[str, float]

    def check(self, features: int, facts: int) -> None:
        """Refuse a head that does not stand on so many features and facts.

        Raises:
            ModelError: it does not, or not all of it are numbers.
        """
        columns = (self.facts, self.fact_medians, self.fact_means, self.fact_scales)
        numbers = (*self.features, self.intercept, *(v for column in columns for v in column))
        if (
            len(self.features) != features
            or any(len(column) != facts for column in columns)
            or not all(map(math.isfinite, numbers))
            or not all(scale > 0 for scale in self.fact_scales)
        ):
            raise ModelError("the head does not fit its trunk; copy the bundle again")

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
    features: Floats,
    readouts: Mapping[str, Singles],
    facts: Floats,
    labels: Ints,
    falls: Floats | None,
    weights: Floats,
) -> Head:
    """Fit a head; nothing in it is left for chance.

    Args:
        features: (n, k).
        readouts: by kind, (number, k): directions that may be gone along more freely.
        facts: (n, number of facts), NaN where not known; no columns where none shall be used.
        labels: (n,) responses.
        falls: (n,) % of LVESV, finite, to be learnt in place of the response; None for that.
        weights: (n,) above 0, mean 1.
    """
    z, centre, scale = _standardised(features)
    known = np.isfinite(facts)
    columns = zip(facts.T, known.T, strict=True)
    medians = np.array([np.median(held[k]) if k.any() else 0.0 for held, k in columns])
    f, fact_centre, fact_scale = _standardised(np.where(known, facts, medians))
    # each column as a combination of standardised features: a feature itself, or a readout
    ways = {"feature": np.eye(z.shape[1])} | {
        kind: _unit_ways(directions * scale, z) for kind, directions in readouts.items()
    }
    rows = np.column_stack([*(z @ way.T for way in ways.values()), f])
    tried = [FEATURE_PENALTIES, *(READOUT_PENALTIES for _ in readouts)]
    choices = list(product(*tried))
    of_facts, sizes = np.full(f.shape[1], FACT_PENALTY), [len(way) for way in ways.values()]
    penalties = [np.concatenate([np.repeat(choice, sizes), of_facts]) for choice in choices]
    if falls is None:
        fitted = fit_response(rows, labels, weights, [CURVATURE * p for p in penalties])
    else:
        fitted = fit_fall(rows, falls, weights, penalties)
    along, fact_slopes = np.split(fitted.slopes, [sum(sizes)])
    slopes = (along @ np.vstack(list(ways.values()))) / scale
    return Head(
        features=tuple(slopes.tolist()),
        facts=tuple(fact_slopes.tolist()),
        fact_medians=tuple(medians.tolist()),
        fact_means=tuple(fact_centre.tolist()),
        fact_scales=tuple(fact_scale.tolist()),
        intercept=fitted.intercept - float(centre @ slopes),
        penalties=dict(zip(ways, choices[fitted.chosen], strict=True)),
    )


def _unit_ways(directions: Floats, z: Floats) -> Floats:
    """Return directions in standardised features, scaled so that the rows vary with an SD of 1."""
    spread = (z @ directions.T).std(axis=0)
    return np.asarray(directions / np.where(spread > 0, spread, 1.0)[:, None])


def _standardised(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return standardised columns, their means and SDs; 1 for a column that never varies."""
    centre, spread = values.mean(axis=0), values.std(axis=0)
    scale = np.where(spread > 1e-9 * np.abs(centre), spread, 1.0)
    return (values - centre) / scale, centre, scale
