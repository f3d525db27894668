"""What every export is made of: one recording, what was found in it, and the one answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dyssync import __version__
from dyssync.image import Input, ecg_of
from dyssync.inspection.answer import RESEARCH_ONLY
from dyssync.inspection.findings import Findings, examine
from dyssync.prediction.bundle import Bundle
from dyssync.prediction.predictor import Prediction
from dyssync.prediction.short import ShortAnswer, short_answer

NO_ANSWER = "none of the models asked gives the one answer"


@dataclass(frozen=True, eq=False)
class Case:
    """One recording with its answer.

    Attributes:
        recording: signal, or picture of a page.
        found: what was measured; None of a picture.
        prediction: of the models asked.
        answer: the one answer; None where no model that gives it was asked.
        origin: of the answer, in words: version, bundle, who was learnt from.
        digest: of the bundle.
        made_at: when, with its time zone.
    """

    recording: Input
    found: Findings | None
    prediction: Prediction
    answer: ShortAnswer | None
    origin: str
    digest: str
    made_at: datetime

    @property
    def cautions(self) -> tuple[str, ...]:
        """Why the numbers may not hold: of the prediction, then of the measurements."""
        measured = () if self.found is None else self.found.cautions
        return tuple(dict.fromkeys((*self.prediction.cautions, *measured)))

    @property
    def disclaimer(self) -> str:
        """What stands on every export."""
        return f"{RESEARCH_ONLY} {self.origin}"


def make_case(recording: Input, prediction: Prediction, bundle: Bundle, made_at: datetime) -> Case:
    """Return a recording and its prediction, measured, for exports.

    Args:
        recording: that was predicted.
        prediction: of it.
        bundle: that it comes from.
        made_at: with a time zone.
    """
    about = bundle.about
    kind = "simulated patients" if about.simulated else "patients"
    ecg = ecg_of(recording)
    return Case(
        recording=recording,
        found=None if ecg is None else examine(ecg),
        prediction=prediction,
        answer=short_answer(prediction),
        origin=(
            f"A research estimate by dyssync {__version__}; its models learnt from "
            f"{about.n_patients} {kind} of one study, and whether they hold elsewhere is not known."
        ),
        digest=bundle.digest,
        made_at=made_at,
    )
