"""Where one patient lies among those of the study: by a model's score, like with like.

A bundle names no patient and holds no measurement of any; it holds how the members of each model
scored the patients that they were tested on, and how these fared. That is enough to rank another
one: under the same members, who has less?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from dyssync.arrays import Floats
from dyssync.prediction.crossfit import CrossFit


@dataclass(frozen=True)
class Place:
    """One patient among those of the study.

    Attributes:
        below: of the patients, those with a smaller score; ties count half.
        of: patients.
        responded: of those patients of the study whose score is nearest, how many responded.
        nearest: how many that are.
        probabilities: graded answers to the patients of the study, 0-1.
        outcomes: of each, 1 for a responder.
    """

    below: float
    of: int
    responded: int
    nearest: int
    probabilities: tuple[float, ...]
    outcomes: tuple[int, ...]


NEAREST = 0.2  # of the patients of the study; 57 of 285


def place_among(fit: CrossFit, logits: Floats) -> Place | None:
    """Return where a patient lies; None where a member says nothing, or nobody was tested.

    Args:
        fit: of the members.
        logits: (M,) of the patient, in their order.
    """
    own = (logits - np.array(fit.centres)) / np.array(fit.scales)
    if np.isnan(own).any() or not fit.scores:
        return None
    study = _means(fit.scores)
    # the patient's score by those members that tested the one he or she is compared with
    same = _means([own[list(members)] for members in fit.tested_by])
    outcomes = np.array(fit.outcomes, dtype=np.int64)
    nearest = np.argsort(np.abs(study - same), kind="stable")[: round(NEAREST * len(study))]
    return Place(
        below=float((study < same).sum() + 0.5 * (study == same).sum()),
        of=len(study),
        responded=int(outcomes[nearest].sum()),
        nearest=len(nearest),
        probabilities=tuple(expit(fit.graded_intercept + fit.graded_slope * study).tolist()),
        outcomes=fit.outcomes,
    )


def _means(rows: Sequence[Sequence[float] | Floats]) -> Floats:
    """Return the mean of each row; rows of one length, as folds give them, all at once."""
    if len({len(row) for row in rows}) == 1:
        return np.asarray(np.array(rows).mean(axis=1))
    return np.array([np.mean(row) for row in rows])
