"""Class-conditional cross-conformal sets: answers that defer where both outcomes stay possible.

A new patient is compared, for each outcome, with the graded patients who had it, and like with
like: with patient i by the mean logit of just those members that tested i. Scores are ``-z`` for a
responder and ``+z`` for a non-responder: the larger, the stranger.

At 90 %, the set of possible outcomes holds the true one in about 90 of 100 responders and in about
90 of 100 non-responders, whoever is exchangeable with the study's patients. The proven floor of
cross-conformal sets is 80 of 100 there (1 - 2 alpha). Fold models that are alike give 1 - alpha;
models that disagree much give more, at the price of more deferrals: a new patient's p-value is a
mean over the pairs of members, which evens out what the single pair of a graded patient does not.

References:
    Vovk V. Ann Math Artif Intell 2015;74:9, doi 10.1007/s10472-013-9368-4 (cross-conformal).
    Barber RF et al. Ann Stat 2021;49:486, doi 10.1214/20-AOS1965 (CV+, like with like).
    Vovk V, Lindsay D, Nouretdinov I, Gammerman A. Mondrian confidence machine, 2003 (classes).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dyssync.arrays import Bools, Floats, Ints
from dyssync.errors import check_range

LEVELS = (0.8, 0.9)
RESPONDER, NON_RESPONDER, DEFER = "responder", "non-responder", "defer"


@dataclass(frozen=True, eq=False)
class ConformalReference:
    """The graded patients that others are compared with.

    Attributes:
        y: (n,) outcomes, 1 = responder.
        tested: (n, M) logit of each member that tested the patient, NaN of the others; who was
            tested by none takes no part.
    """

    y: Ints
    tested: Floats

    def p_values(self, member_logits: Floats) -> Floats:
        """Return how usual each outcome would be for new patients.

        Args:
            member_logits: (m, members); a NaN among the members leaves both p-values NaN.

        Returns:
            (m, 2) p-values in (0, 1] of "does not respond" and "responds".
        """
        stranger = np.zeros((len(member_logits), 2))
        groups, group = np.unique(~np.isnan(self.tested), axis=0, return_inverse=True)
        for k, members in enumerate(groups):
            if members.any():
                # summed as those of the patients are, so that ties are ties
                new = _mean(np.where(members, member_logits, np.nan))
                stranger += _count_stranger(self.y[group == k], self.z[group == k], new)
        p_values = (1 + stranger) / (1 + self._of_each_class())
        p_values[np.isnan(member_logits).any(axis=1)] = np.nan
        return p_values

    @cached_property
    def z(self) -> Floats:
        """Mean logit of the members that tested each patient, (n,); NaN where none did."""
        return _mean(self.tested)

    def own_p_values(self) -> Floats:
        """Return the p-values (n, 2) of the graded patients, each against all the others."""
        stranger = _count_stranger(self.y, self.z, self.z)
        size = np.tile(self._of_each_class(), (len(self.y), 1))
        own = np.arange(len(self.y)), self.y
        stranger[own] -= 1  # as strange as himself
        size[own] -= 1
        p_values = (1 + stranger) / (1 + size)
        p_values[np.isnan(self.z)] = np.nan
        return p_values

    def _of_each_class(self) -> Ints:
        return np.bincount(self.y[~np.isnan(self.z)], minlength=2)


def _mean(logits: Floats) -> Floats:
    """Return the mean over columns of what is no NaN, (n,); NaN where all are."""
    known = ~np.isnan(logits)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, logits, 0.0).sum(axis=1) / known.sum(axis=1))


def possible_outcomes(p_values: Floats, level: float) -> Bools:
    """Return whether "does not respond" and "responds" stay possible, (m, 2).

    Args:
        p_values: (m, 2); where one is NaN both outcomes stay possible.
        level: share of each class whose set shall hold the truth, 0-1.

    Raises:
        ConfigError: `level` is no share.
    """
    alpha = 1 - check_range("level", level, 0.0, 1.0)
    # a p-value is a count over a count: 0.1 and 1 - 0.9 must be one number
    return np.asarray((p_values > alpha + 1e-12) | np.isnan(p_values).any(axis=1, keepdims=True))


def conformal_answers(p_values: Floats, level: float) -> tuple[str, ...]:
    """Return "responder", "non-responder", or "defer" where both or none is possible.

    >>> conformal_answers(np.array([[0.05, 0.6], [0.5, 0.02], [0.3, 0.4], [np.nan, 0.4]]), 0.9)
    ('responder', 'non-responder', 'defer', 'defer')
    """
    words = {(False, True): RESPONDER, (True, False): NON_RESPONDER}
    possible = possible_outcomes(p_values, level).tolist()
    return tuple(words.get((no, yes), DEFER) for no, yes in possible)


def _count_stranger(y: Ints, z: Floats, new: Floats) -> Floats:
    """Count in each class (m, 2) who is as strange as the new patients (m,) or stranger."""
    no, yes = (np.sort(z[(y == outcome) & ~np.isnan(z)]) for outcome in (0, 1))
    not_below = len(no) - np.searchsorted(no, new, side="left")  # non-responders of higher logit
    not_above = np.searchsorted(yes, new, side="right")  # responders of lower logit
    return np.column_stack([not_below, not_above]).astype(np.float64)
