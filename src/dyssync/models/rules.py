"""Rules that rank patients without learning: guideline class, QRS area, strict LBBB.

The order of patients is the rule's, fixed before any data are seen. Fitting learns two numbers
only, the intercept and the slope (never below a little more than 0) of a logistic curve over the
rank, so that a probability stands beside those of the models. Where a rule says nothing, the
probability is the training part's share of responders.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from dyssync.arrays import Floats
from dyssync.cohort.clinical import clinical_fact
from dyssync.ecg import ECG
from dyssync.errors import ModelError
from dyssync.image import Input
from dyssync.learning.training import UNWATCHED, Watch
from dyssync.measurements import measure
from dyssync.measurements.answers import yes_if
from dyssync.measurements.candidates import Candidate, Recommendation
from dyssync.measurements.guidelines import esc_2021, hrs_2023
from dyssync.measurements.heartbeat import UNSEEN_MS, unseen_leads
from dyssync.models.base import (
    SMALLEST_SCALE,
    ProbabilityMixin,
    base_rate_of,
    check_labels,
    check_weights,
    ecgs_of,
    learnt_number,
    learnt_rate,
    log_odds,
)
from dyssync.models.protocols import Labelled, Labels, Ranges, State

# A rule that ranks the training patients the wrong way round keeps its order: what it is worth on
# the test patients must be seen, not repaired.
LEAST_SLOPE = 1e-3
WHERE_NOT_KNOWN = (
    "LVEF and symptoms are then taken to meet the guideline, and there is no class where the NYHA "
    "class or the sex decides"
)
CURVE = ("centre", "scale", "slope", "intercept")
UNCHECKED = "row not checked against the guideline's text"

# Least QRS area with a better course after CRT, uVs
AREA_CUTOFFS: Mapping[float, str] = {
    69.0: "Mafi Rad 2014",
    98.0: "van Deursen 2015",
    102.0: "PMC6898809",
    109.0: "Ghossein 2021",
}


class RankedRule(ProbabilityMixin, ABC):
    """A score that needs no fit, and the logistic curve that turns it into a probability."""

    QUICK_TO_FIT: ClassVar[bool] = True
    facts: tuple[str, ...] = ()  # of the table

    @abstractmethod
    def score(self, ecg: ECG) -> float:
        """Return the rank of one patient, larger for a likelier response; NaN: no statement."""

    def fit(
        self,
        X: Sequence[Input],
        y: Labels,
        *,
        seed: int = 0,
        fall: Floats | None = None,
        weight: Floats | None = None,
        validation: Labelled | None = None,
        watch: Watch = UNWATCHED,
    ) -> Self:
        """Place the curve over the scores; the order of patients is not learnt."""
        labels = check_labels(X, y)
        weights = check_weights(weight, len(X))
        scores = self._scores(X)
        known = np.isfinite(scores)
        self.classes_ = np.array([0, 1])
        self.base_rate_ = base_rate_of(labels, weights)
        self.centre_, self.scale_ = 0.0, 1.0
        self.slope_, self.intercept_ = LEAST_SLOPE, log_odds(self.base_rate_)
        if len(np.unique(scores[known])) > 1:
            self.centre_, self.scale_ = float(scores[known].mean()), float(scores[known].std())
            if len(np.unique(labels[known])) > 1:
                z = (scores[known] - self.centre_) / self.scale_
                from sklearn.linear_model import LogisticRegression

                curve = LogisticRegression()
                curve.fit(z[:, None], labels[known], sample_weight=weights[known])
                if curve.coef_[0, 0] > LEAST_SLOPE:
                    self.slope_ = float(curve.coef_[0, 0])
                    self.intercept_ = float(curve.intercept_[0])
        return self

    def logits(self, X: Sequence[Input]) -> Floats:
        """Return the log-odds of response, (n,) float64; NaN where the rule says nothing."""
        slope = self._learned("slope_")
        scores = self._scores(X)
        return np.asarray(self.intercept_ + slope * (scores - self.centre_) / self.scale_)

    def state(self) -> State:
        """Return the curve."""
        self._learned("slope_")
        return State({name: getattr(self, f"{name}_") for name in ("base_rate", *CURVE)})

    def restore(self, state: State) -> Self:
        """Take the curve back.

        Raises:
            ModelError: it is damaged.
        """
        self.classes_ = np.array([0, 1])
        self.base_rate_ = learnt_rate(state.values)
        for name in CURVE:
            setattr(self, f"{name}_", learnt_number(state.values, name))
        if not self.scale_ > SMALLEST_SCALE:
            raise ModelError("scale: a number above 0 is needed; copy the bundle again")
        return self

    def limits(self, X: Sequence[ECG]) -> tuple[str, ...]:
        """Return what the rule lacks on these patients; nothing, unless a rule says else."""
        return ()

    def _scores(self, X: Sequence[Input]) -> Floats:
        ecgs = ecgs_of(X, type(self).__name__)
        scores = [float("nan") if ecg is None else self.score(ecg) for ecg in ecgs]
        return np.array(scores, dtype=np.float64)


class _Guideline(RankedRule):
    """A guideline's class of recommendation as a rank: I, IIa, IIb, III."""

    recommend: Callable[[Candidate], Recommendation]

    def score(self, ecg: ECG) -> float:
        """Return 3 for class I, 2 IIa, 1 IIb, 0 III; NaN where the guideline says nothing."""
        return self._recommendation(ecg).rank

    def statement(self, ecg: ECG) -> str:
        """Return class, row, what was assumed, and whether the row was checked."""
        found = self._recommendation(ecg)
        if not found.known:
            return f"class {found.reason}"
        words = [f"class {found.name}" if found.name else "no class", found.reason]
        if found.assumed:
            words.append(f"not known and taken to meet the condition: {', '.join(found.assumed)}")
        if not found.checked:
            words.append(UNCHECKED)
        return "; ".join(words)

    def limits(self, X: Sequence[ECG]) -> tuple[str, ...]:
        """Name the clinical columns that are missing."""
        n = len(X)
        missing = {f: sum(math.isnan(clinical_fact(e, f)) for e in X) for f in self.facts}
        short = [f"{f} ({k} of {n})" for f, k in missing.items() if k]
        if not short:
            return ()
        return (f"not known for some patients: {', '.join(short)}; {WHERE_NOT_KNOWN}",)

    def _recommendation(self, ecg: ECG) -> Recommendation:
        return type(self).recommend(candidate_of(ecg))


class GuidelineESC2021(_Guideline):
    """Class of recommendation for CRT of the 2021 ESC guidelines."""

    recommend = staticmethod(esc_2021)
    facts = ("lvef", "nyha")


class GuidelineHRS2023(_Guideline):
    """Class of recommendation for CRT of the 2023 HRS/APHRS/LAHRS guideline."""

    recommend = staticmethod(hrs_2023)
    facts = ("lvef", "nyha", "sex")


def candidate_of(ecg: ECG) -> Candidate:
    """Return what a guideline asks: from the ECG, and from the table where it says so."""
    found = measure(ecg)
    lvef, nyha = (clinical_fact(ecg, name) for name in ("lvef", "nyha"))
    table = clinical_fact(ecg, "af")
    asked = {
        "lbbb": found.answers["lbbb_esc"],
        "paced": found.answers["paced"],
        "sinus_rhythm": ~(
            found.answers["atrial_fibrillation"] if math.isnan(table) else yes_if(table == 1)
        ),
    }
    qrs_ms, unseen = found["qrs_duration_ms"], unseen_leads(found.lost)
    why = {name: ", ".join(answer.reasons) for name, answer in asked.items()}
    return Candidate(
        qrs_ms=qrs_ms,
        lbbb=asked["lbbb"].value,
        sinus_rhythm=asked["sinus_rhythm"].value,
        lvef=None if math.isnan(lvef) else lvef,
        nyha=None if math.isnan(nyha) else round(nyha),
        sex=ecg.sex,
        paced=asked["paced"].value,
        qrs_most_ms=qrs_ms + UNSEEN_MS if unseen else None,
        why={**why, "qrs_ms": f"seen without {', '.join(unseen)}"},
    )


class QRSArea(RankedRule):
    """QRS area as a score, or met against one cut-off.

    Args:
        cutoff: uVs; 0 ranks by the area itself. Published: 69, 98, 102 and 109
            (:data:`AREA_CUTOFFS`).
    """

    RANGES: ClassVar[Ranges] = {"cutoff": (0.0, 1000.0)}

    def __init__(self, *, cutoff: float = 0.0) -> None:
        self.cutoff = cutoff

    def score(self, ecg: ECG) -> float:
        """Return the area, uVs, or 1 at and above the cut-off, else 0."""
        area = measure(ecg)["qrs_area_uvs"]
        return area if not self.cutoff or math.isnan(area) else float(area >= self.cutoff)

    def statement(self, ecg: ECG) -> str:
        """Return the area and the published cut-offs that it reaches."""
        area = measure(ecg)["qrs_area_uvs"]
        if math.isnan(area):
            lost = ", ".join(measure(ecg).lost_of("qrs_area_uvs"))
            return "QRS area could not be measured" + (f" ({lost})" if lost else "")
        met = [f"{cut:g} ({source})" for cut, source in AREA_CUTOFFS.items() if area >= cut]
        missed = [f"{cut:g} ({source})" for cut, source in AREA_CUTOFFS.items() if area < cut]
        words = [f"QRS area {area:.0f} uVs"]
        words += [f"reaches {', '.join(met)}"] if met else []
        words += [f"below {', '.join(missed)}"] if missed else []
        return "; ".join(words)


class StrictLBBB(RankedRule):
    """Strict LBBB (Strauss 2011): yes before no."""

    def score(self, ecg: ECG) -> float:
        """Return 1 where strict LBBB is met, 0 where not; NaN where it is not known."""
        return measure(ecg)["lbbb_strauss"]

    def statement(self, ecg: ECG) -> str:
        """Return whether the criteria are met, or why that is not known."""
        answer = measure(ecg).answers["lbbb_strauss"]
        if answer.value is None:
            return f"strict LBBB {answer}"
        return f"strict LBBB {'met' if answer.value else 'not met'}"

    def limits(self, X: Sequence[ECG]) -> tuple[str, ...]:
        """Say for how many the sex, which sets the limit of duration, is not known."""
        unknown = sum(ecg.sex is None for ecg in X)
        if not unknown:
            return ()
        return (
            f"sex not known for {unknown} of {len(X)} recordings: strict LBBB is not known of "
            "those whose QRS lasts 130-139 ms",
        )
