"""How a model does in men and women, in each centre, with and without ischaemia."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from dyssync.arrays import Bools, Floats, Ints
from dyssync.errors import InputError
from dyssync.evaluation.delong import NORMAL_95, auroc_interval
from dyssync.evaluation.metrics import NAN

NOT_KNOWN = "not known"  # a level of its own, for it may be another kind of patient
# With 20 of each class an AUROC of 0.7 has a 95 % interval of +/- 0.16 (Newcombe, see
# validation_precision): it just excludes chance. Smaller levels could not even do that.
FEWEST = 20


@dataclass(frozen=True)
class Subgroup:
    """One level of a group. Estimates are NaN where `refused` has a reason.

    Attributes:
        group: column of the patient table.
        level: its value as text, "yes" and "no" of a 0/1 column, or "not known".
        n: patients with a probability.
        responders: of these.
        unanswered: patients of the level without a probability, who are left out.
        mean_p: mean probability of response, 0-1.
        oe, oe_low, oe_high: responders observed per expected, with its 95 % interval.
        auroc, auroc_low, auroc_high: with its 95 % interval (DeLong), 0-1.
        refused: why there are no estimates; empty where there are.
    """

    group: str
    level: str
    n: int
    responders: int
    unanswered: int
    mean_p: float = NAN
    oe: float = NAN
    oe_low: float = NAN
    oe_high: float = NAN
    auroc: float = NAN
    auroc_low: float = NAN
    auroc_high: float = NAN
    refused: str = ""


def subgroups(
    patients: pd.DataFrame,
    y: Ints,
    p: Floats,
    *,
    score: Floats | None = None,
    factor: float = 1.0,
) -> tuple[Subgroup, ...]:
    """Return calibration and discrimination in every level of every column.

    Args:
        patients: (n rows) a column a group; an empty cell is "not known". Columns in their order,
            levels in that of the alphabet, "not known" last.
        y: (n,) outcomes, 1 = responder.
        p: (n,) probabilities of response, 0-1; NaN is no answer.
        score: (n,) what the AUROC ranks by; None takes `p`. Out-of-fold probabilities that were
            recalibrated without the patient mix the ranks a little: there it is the logit.
        factor: of the AUROC's variance, 1 where no model was fitted to these patients; see
            :mod:`dyssync.evaluation.delong`.

    Raises:
        InputError: the lengths differ.

    References:
        Interval of O/E: Debray TPA et al. BMJ 2017;356:i6460, doi 10.1136/bmj.i6460, of its
        logarithm. AUROC: DeLong ER et al. Biometrics 1988;44:837, doi 10.2307/2531595.
    """
    if not len(patients) == len(y) == len(p):
        raise InputError(
            f"subgroups: {len(patients)} patients, {len(y)} outcomes, {len(p)} probabilities; one "
            "of each for every patient is needed"
        )
    ranks = p if score is None else score
    found = []
    for group in patients.columns:
        levels = _levels(patients[group])
        names = sorted(set(levels) - {NOT_KNOWN})
        found += [
            _subgroup(str(group), level, levels == level, y, p, ranks, factor)
            for level in [*names, *({NOT_KNOWN} & set(levels))]
        ]
    return tuple(found)


def _levels(column: pd.Series) -> npt.NDArray[np.str_]:
    """Return the level of each patient as text."""
    known = column.notna() & (column.astype(str).str.strip() != "")
    names = {0: "no", 1: "yes"} if column[known].isin([0, 1]).all() else {}
    return np.array(
        [
            names.get(value, _text(value)) if there else NOT_KNOWN
            for value, there in zip(column, known, strict=True)
        ],
        dtype=np.str_,
    )


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value).strip()


def _subgroup(
    group: str, level: str, members: Bools, y: Ints, p: Floats, score: Floats, factor: float
) -> Subgroup:
    answered = members & ~np.isnan(p)
    y, p, score = y[answered], p[answered], score[answered]
    n, responders = len(y), int(y.sum())
    counts = (group, level, n, responders, int(members.sum()) - n)
    few = [
        kind
        for kind, number in (("responders", responders), ("non-responders", n - responders))
        if number < FEWEST
    ]
    if few:
        return Subgroup(*counts, refused=f"fewer than {FEWEST} {' and '.join(few)}")
    oe = responders / float(p.sum())
    ratio = math.exp(NORMAL_95 * math.sqrt((1 - responders / n) / responders))
    area = auroc_interval(y, score, factor)
    return Subgroup(
        *counts, float(p.mean()), oe, oe / ratio, oe * ratio, area.auroc, area.low, area.high
    )
