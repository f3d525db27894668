"""Whether the models of a bundle need another intercept or slope here, and the bundle that has it.

A study's bundle says how its members answer in one record a model; an update changes two numbers in
it and the answer to those of whom nothing can be said. The fits stay as they were graded, and so do
the conformal sets, which know ranks only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from dyssync.arrays import Floats, Ints
from dyssync.errors import InputError
from dyssync.evaluation.logistic import logits, probabilities
from dyssync.evaluation.updating import (
    INTERCEPT,
    INTERCEPT_AND_SLOPE,
    NONE,
    Update,
    closed_test,
    update_power,
)
from dyssync.prediction.bundle import POOL, Answering, Bundle, Graded, save_bundle
from dyssync.prediction.crossfit import CrossFit
from dyssync.validation.answers import ALONE, USUAL

UPDATES = (
    "model", "members", "n", "responders", "choice", "intercept", "slope",
    "p_original", "p_intercept", "seen_if_right", "seen_if_extreme", "seen_if_shifted", "refused",
)  # fmt: skip
# Two faults that a user would want to know of, to say how often the test would have seen them: a
# slope of 0.75, as of an overfitted model (Van Calster 2016, 10.1016/j.jclinepi.2015.12.005), and
# half a logit between predicted and observed, which near 50 % is 12 patients of 100.
EXTREME_SLOPE, SHIFT = 0.75, 0.5
POWER_SEED = 0x90E4


@dataclass(frozen=True)
class ClosedTest:
    """What the closed test says of one set of members of a model.

    Attributes:
        model: name.
        members: "fit", or "ecg" of those fitted without clinical facts.
        n, responders: patients whom they answered for.
        update: None where there is none to be estimated.
        seen_if_right: share of such cohorts, 0-1, in which the test changes a model that is right;
            seen_if_extreme, seen_if_shifted: one whose slope should be :data:`EXTREME_SLOPE`, or
            whose intercept :data:`SHIFT`. NaN where that was not simulated.
        refused: why the members cannot be updated; empty where they can.
    """

    model: str
    members: str
    n: int
    responders: int
    update: Update | None
    seen_if_right: float = float("nan")
    seen_if_extreme: float = float("nan")
    seen_if_shifted: float = float("nan")
    refused: str = ""

    @property
    def changes(self) -> bool:
        """Whether the test asks for a change that can be made."""
        return self.update is not None and not self.refused and self.update.choice != NONE


def closed_tests(answers: pd.DataFrame, *, power: bool = True) -> tuple[ClosedTest, ...]:
    """Return what the closed test says of all members of all models.

    Those that use clinical facts are tested on the patients they answered for, those that use none
    on all: nothing keeps them from answering for each.

    Args:
        answers: as of :func:`dyssync.validation.answers.answer_cohort`.
        power: whether to simulate how often the test would see faults.
    """
    return tuple(
        _tested(str(model), members, rows["y"].to_numpy(np.int64), p, power=power)
        for model, own in answers.groupby("model", sort=False)
        for members, rows, p in _by_members(own)
    )


def _by_members(own: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, Floats]]:
    usual = own[own["members"] == USUAL]
    yield USUAL, usual, usual["p"].to_numpy(np.float64)
    alone = own[own["p_ecg_alone"].notna()]
    if len(alone):
        yield ALONE, alone, alone["p_ecg_alone"].to_numpy(np.float64)


def _tested(model: str, members: str, y: Ints, p: Floats, *, power: bool) -> ClosedTest:
    counts = (model, members, len(y), int(y.sum()))
    try:
        update = closed_test(y, p)
    except InputError:
        text = "one answer for all, or classes too few or apart: nothing to estimate"
        return ClosedTest(*counts, None, refused=text if len(y) else "no patient to answer for")
    wrong = "patients are ranked the wrong way round here" if update.slope <= 0 else ""
    if not power:
        return ClosedTest(*counts, update, refused=wrong)
    predictor, rng = logits(p), np.random.default_rng(POWER_SEED)
    right, extreme, shifted = (
        1 - update_power(len(y), predictor, rng, intercept, slope).none
        for intercept, slope in ((0.0, 1.0), (0.0, EXTREME_SLOPE), (SHIFT, 1.0))
    )
    return ClosedTest(*counts, update, right, extreme, shifted, wrong)


def update_table(tested: tuple[ClosedTest, ...]) -> pd.DataFrame:
    """Return a row a model and members, columns :data:`UPDATES`."""
    unknown = Update("", np.nan, np.nan, np.nan, np.nan)
    rows = []
    for one in tested:
        u = one.update or unknown
        rows.append(
            (
                one.model, one.members, one.n, one.responders, u.choice, u.intercept, u.slope,
                u.p_original, u.p_intercept,
                one.seen_if_right, one.seen_if_extreme, one.seen_if_shifted, one.refused,
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(UPDATES))


def recalibrated(fit: CrossFit, update: Update) -> CrossFit:
    """Return the fit whose answers p are ``expit(intercept + slope logit p)`` of what they were.

    The curve that Venn-Abers ranges come from stays that of the study: a range is the one that the
    study's patients leave about the new log-odds.
    """
    base = update.intercept + update.slope * logits(np.array([fit.base_rate]))
    return replace(
        fit,
        slope=update.slope * fit.slope,
        intercept=update.intercept + update.slope * fit.intercept,
        base_rate=float(probabilities(base)[0]),
    )


def save_updated(bundle: Bundle, tested: tuple[ClosedTest, ...], cohort: str, folder: Path) -> None:
    """Write the bundle with every change that the closed test asks for; it appears whole.

    Args:
        bundle: as it was validated.
        tested: of its models; one that is not among them stays as it is.
        cohort: how the sentence in the history names the cohort.
        folder: of the new bundle.

    Raises:
        InputError: it cannot be written.
    """
    models = {}
    for name, members in bundle.members.items():
        said = bundle.answering(name)
        for one in tested:
            if one.model == name and one.changes and one.update is not None:
                said = _changed(said, one, one.update, cohort)
        sources = {member: bundle.folder / "models" / name / member for member in members}
        models[name] = Graded(sources, said, bundle.folder / POOL)
    save_bundle(folder, models, bundle.about)


def _changed(said: Answering, one: ClosedTest, update: Update, cohort: str) -> Answering:
    history = (*said.history, history_sentence(one, update, cohort))
    if one.members == USUAL:
        return replace(said, usual=recalibrated(said.usual, update), history=history)
    assert said.ecg_alone is not None
    return replace(said, ecg_alone=recalibrated(said.ecg_alone, update), history=history)


def history_sentence(one: ClosedTest, update: Update, cohort: str) -> str:
    """Return what was changed, on whom and by which test."""
    what = {
        INTERCEPT: f"intercept {update.intercept:+.4f}",
        INTERCEPT_AND_SLOPE: f"intercept {update.intercept:+.4f}, slope {update.slope:.4f}",
    }[update.choice]
    return (
        f"Members {one.members}: log-odds updated ({what}) on {one.n} patients, {one.responders} "
        f"responders, of {cohort}; closed test, p {update.p_original:.2g}."
    )
