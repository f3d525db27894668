"""From the logits of a model's members to one graded probability.

A study fits a model several times, each time to most of the patients, and tests each fit on the
rest. These fits are what predicts: there is no other model, fitted to all, that nobody ever tested.
Everything that turns their logits into an answer is learnt here from patients whom the fit at hand
has not seen: scale, recalibration, conformal scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dyssync.arrays import Bools, Floats, Ints
from dyssync.errors import ModelError
from dyssync.evaluation.conformal import ConformalReference
from dyssync.evaluation.recalibration import (
    Recalibration,
    SlopePrior,
    cross_recalibrated,
    fit_recalibration,
)
from dyssync.evaluation.venn_abers import VennAbers, fit_venn_abers
from dyssync.models.base import LARGEST_LEARNT, SMALLEST_SCALE, log_odds
from dyssync.records import Record

if TYPE_CHECKING:
    import pandas as pd

# SD of the recalibration's slope about 1, for models whose logit is meant as a log-odds: with 285
# patients the slope alone has a standard error of about .2, so that a little prior steadies it.
SLOPE_PRIOR_SD = 0.3
# SD about 0 of the slope of a network's score, per SD of the score: 0.5 is that of an AUROC of .64,
# 1 that of .76 (binormal). Without it the slope that a cohort of 285 happens to show is too steep
# as often as too flat, and what is too steep harms more: over 20 virtual cohorts the mean error of
# `resnet18`'s probabilities (ICI) is .037 with it and .040 without.
SCORE_PRIOR_SD = 0.5
CALIBRATION_SEED = 0xCA1


@dataclass(frozen=True, eq=False)
class Answered:
    """What the members of a model say of n recordings.

    Attributes:
        p: (n,) probability of response; the base rate where nothing can be said.
        members: (n, M) the same by each member alone.
        venn_abers: (n, 2) lower and upper end; NaN where nothing can be said.
        p_values: (n, 2) conformal p-value of "no response" and of "response"; 1 where nothing can
            be said.
        silent: (n,) whether nothing can be said.
    """

    p: Floats
    members: Floats
    venn_abers: Floats
    p_values: Floats
    silent: Bools


@dataclass(frozen=True)
class CrossFit(Record):
    """How the logits of members become one answer; learnt from the patients they were tested on.

    Attributes:
        members: names, M.
        centres, scales: M each; a member's logit is standardised with them. 0 and 1 for models
            whose logit is a log-odds.
        slope, intercept: of the log-odds over the mean standardised logit of all members.
        graded_slope, graded_intercept: of the same over the mean of those that tested a patient,
            who are fewer, so that their mean is noisier.
        base_rate: share of responders, 0-1.
        outcomes: of the tested patients, in no order that could name them.
        tested_by: of each, positions of the members that tested him or her.
        scores: of each, the standardised logits of those members.
    """

    members: tuple[str, ...]
    centres: tuple[float, ...]
    scales: tuple[float, ...]
    slope: float
    intercept: float
    graded_slope: float
    graded_intercept: float
    base_rate: float
    outcomes: tuple[int, ...]
    tested_by: tuple[tuple[int, ...], ...]
    scores: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        """Refuse what does not fit together: it may come from anybody's file.

        Raises:
            ModelError: it does not, or numbers are out of their range.
        """
        n = len(self.members)
        lines = (self.slope, self.intercept, self.graded_slope, self.graded_intercept)
        numbers = (*self.centres, *self.scales, *lines, *(z for own in self.scores for z in own))
        wrong = [
            text
            for is_wrong, text in (
                (not n or len(set(self.members)) < n, "members are none, or one is twice"),
                ({len(self.centres), len(self.scales)} != {n}, "a centre and scale a member"),
                (not all(abs(number) < LARGEST_LEARNT for number in numbers), "no such numbers"),
                (not all(scale > SMALLEST_SCALE for scale in self.scales), "scales not above 0"),
                (not 0 < self.base_rate < 1, "base_rate is no share"),
                (not set(self.outcomes) <= {0, 1}, "outcomes other than 0 and 1"),
                (not _tell_one_story(self), "outcomes, members and scores that do not agree"),
            )
            if is_wrong
        ]
        if wrong:
            raise ModelError("; ".join(wrong))

    def answer(self, logits: Floats) -> Answered:
        """Return the answer to recordings of which the members gave these logits.

        Args:
            logits: (n, M), in the order of `members`; NaN where a member can say nothing.
        """
        z = (logits - np.array(self.centres)) / np.array(self.scales)
        silent = np.isnan(z).any(axis=1)
        deployed = Recalibration(self.slope, self.intercept)
        mean = np.where(silent, np.nan, z.mean(axis=1))
        p = np.where(silent, self.base_rate, deployed.apply(mean))
        members = np.where(silent[:, None], self.base_rate, deployed.apply(z))
        intervals = np.full((len(z), 2), np.nan)
        p_values = np.ones((len(z), 2))
        if self.scores and not silent.all():
            heard = ~silent
            intervals[heard] = self._venn_abers.intervals(deployed.logits(mean[heard]))
            p_values[heard] = self._reference.p_values(z[heard])
        return Answered(p, members, intervals, p_values, silent)

    @cached_property
    def _reference(self) -> ConformalReference:
        """The tested patients; (patients, M) scores, NaN where a member did not test."""
        z = np.full((len(self.outcomes), len(self.members)), np.nan)
        for row, (at, values) in enumerate(zip(self.tested_by, self.scores, strict=True)):
            z[row, list(at)] = values
        return ConformalReference(np.array(self.outcomes, dtype=np.int64), z)

    @cached_property
    def _venn_abers(self) -> VennAbers:
        graded = Recalibration(self.graded_slope, self.graded_intercept)
        return fit_venn_abers(graded.logits(self._reference.z), self._reference.y)


def _tell_one_story(fit: CrossFit) -> bool:
    """Return whether each tested patient has members that tested him, and a score of each."""
    places = {*range(len(fit.members))}
    return len(fit.outcomes) == len(fit.tested_by) == len(fit.scores) and all(
        0 < len(own) == len(scores) == len(set(own)) and set(own) <= places
        for own, scores in zip(fit.tested_by, fit.scores, strict=False)
    )


@dataclass(frozen=True, eq=False)
class Graded:
    """Out-of-fold answers to the tested patients, and what answers others.

    Attributes:
        fit: what answers others.
        table: patient_id, y, times (tested), silent (nothing could be said), z (mean standardised
            logit; where silent, that of the base rate), p (by a recalibration that has not seen the
            patient), p_non_responder and p_responder (conformal p-values among the other
            patients); sorted by patient.
    """

    fit: CrossFit
    table: pd.DataFrame


def cross_fit(
    tested: pd.DataFrame,
    members: Sequence[str],
    *,
    own_scale: bool,
    shrunken: bool = False,
    base_rate: float | None = None,
) -> Graded:
    """Learn from the test parts of all members how they answer together.

    Args:
        tested: seed, patient_id, y, logit: a row a member and patient it was tested on; seed is
            the position of the member, from 1.
        members: their names, in the order of the seeds.
        own_scale: whether the logits of each have their own centre and scale.
        shrunken: whether they are too small on purpose; a slope of 1 is then less to be expected,
            and the prior is twice as wide.
        base_rate: share of responders, 0-1, for those of whom nothing can be said; None takes that
            of the tested, who are not all patients where splits are independent.
    """
    import pandas as pd

    wide = tested.pivot(index="patient_id", columns="seed", values="logit").sort_index()
    wide = wide.reindex(columns=range(1, len(members) + 1))
    raw = wide.to_numpy(np.float64)  # (patients, M)
    y = tested.groupby("patient_id")["y"].first().loc[wide.index].to_numpy(np.int64)
    centres, scales = _scales(raw) if own_scale else (np.zeros(raw.shape[1]), np.ones(raw.shape[1]))
    z = (raw - centres) / scales
    times = tested.groupby("patient_id").size().loc[wide.index].to_numpy(np.int64)
    heard = np.isfinite(z).sum(axis=1) == times
    mean = np.full(len(z), np.nan)
    mean[heard] = np.nanmean(z[heard], axis=1)
    prior = _slope_prior(mean[heard], own_scale, shrunken)
    base_rate = float(y.mean()) if base_rate is None else base_rate
    graded = _recalibration(mean, y, prior, base_rate)
    deployed = _steadier(graded, z[heard], raw.shape[1])
    p, conformal = np.full(len(z), base_rate), np.ones((len(z), 2))
    if _both_classes(y[heard]):
        p[heard] = cross_recalibrated(mean, y, CALIBRATION_SEED, prior=prior)[heard]
        conformal[heard] = ConformalReference(y[heard], z[heard]).own_p_values()
    order = np.flatnonzero(heard)[np.argsort(mean[heard], kind="stable")]
    fit = CrossFit(
        members=tuple(members),
        centres=tuple(centres.tolist()),
        scales=tuple(scales.tolist()),
        slope=deployed.slope,
        intercept=deployed.intercept,
        graded_slope=graded.slope,
        graded_intercept=graded.intercept,
        base_rate=base_rate,
        outcomes=tuple(y[order].tolist()),
        tested_by=tuple(tuple(np.flatnonzero(np.isfinite(z[i])).tolist()) for i in order),
        scores=tuple(tuple(z[i][np.isfinite(z[i])].tolist()) for i in order),
    )
    table = pd.DataFrame(
        {
            "patient_id": wide.index.to_numpy(),
            "y": y,
            "times": times,
            "silent": ~heard,
            "z": np.where(heard, mean, _of_base_rate(graded, mean, base_rate)),
            "p": p,
            "p_non_responder": conformal[:, 0],
            "p_responder": conformal[:, 1],
        }
    )
    return Graded(fit, table)


def _slope_prior(z: Floats, own_scale: bool, shrunken: bool) -> SlopePrior:
    """Return what is expected of the slope of (n,) mean logits."""
    if own_scale:
        spread = float(z.std()) if len(z) else 1.0
        return SlopePrior(0.0, SCORE_PRIOR_SD / (spread if spread > 0 else 1.0))
    return SlopePrior(1.0, (2.0 if shrunken else 1.0) * SLOPE_PRIOR_SD)


def _of_base_rate(graded: Recalibration, z: Floats, base_rate: float) -> float:
    """Return the logit that is recalibrated to the base rate, so that ranks have a place for it."""
    if graded.slope == 0:
        return float(np.nanmean(z)) if np.isfinite(z).any() else 0.0
    return (log_odds(base_rate) - graded.intercept) / graded.slope


def _both_classes(y: Ints) -> bool:
    return bool(np.bincount(y, minlength=2).min() >= 2)


def _scales(raw: Floats) -> tuple[Floats, Floats]:
    """Return mean and SD of each member's logits in its own test part; no outcome is used."""
    heard = np.isfinite(raw).any(axis=0)
    centres, scales = np.zeros(raw.shape[1]), np.ones(raw.shape[1])
    centres[heard] = np.nanmean(raw[:, heard], axis=0)
    spread = np.nanstd(raw[:, heard], axis=0)
    scales[heard] = np.where(spread > 0, spread, 1.0)
    return centres, scales


def _recalibration(z: Floats, y: Ints, prior: SlopePrior, base_rate: float) -> Recalibration:
    if not _both_classes(y[np.isfinite(z)]):
        return Recalibration(0.0, log_odds(base_rate))
    return fit_recalibration(z, y, prior=prior)


def _steadier(graded: Recalibration, z: Floats, n_members: int) -> Recalibration:
    """Return the recalibration for the mean of all members.

    The mean of those that tested a patient carries more of their noise than the mean of all, and
    noise in a predictor flattens its slope: by V / (V - e), where V is the variance of the mean
    over patients and e the part of it that the further members average out. The variance between
    members on one patient tells it; where nobody was tested twice it is not known, and nothing is
    changed.
    """
    times = np.isfinite(z).sum(axis=1)
    twice = times > 1
    if not twice.any() or graded.slope == 0:
        return graded
    mean = np.nanmean(z, axis=1)
    noise = float(np.nanvar(z[twice], axis=1, ddof=1).mean())
    surplus = noise * (float((1 / times).mean()) - 1 / n_members)
    variance = float(mean.var())
    # never more than double: noise as large as that leaves no signal to scale up
    gain = variance / max(variance - max(surplus, 0.0), variance / 2)
    centre = float(mean.mean())
    slope = graded.slope * gain
    return Recalibration(slope, graded.intercept + (graded.slope - slope) * centre)
