"""Sample size: what so many patients are enough for."""

from __future__ import annotations

from dataclasses import dataclass

from dyssync.evaluation.sample_size import development_sample_size
from dyssync.evaluation.validation_precision import validation_precision
from dyssync.report.overview import Overview
from dyssync.report.section import Section, template_beside
from dyssync.report.wording import count

# Expected of an ECG model of CRT response in new patients: what published ones reach in other
# centres lies around it (docs/reading-the-report.md).
EXPECTED_AUROC = 0.70
FEW, TWELVE = 6, 12  # candidate parameters: what a careful regression has
BEFORE_FEATURES = 4  # columns of a table of contributions: model, seed, patient_id, base


@dataclass(frozen=True)
class Shrinkage:
    """Expected slope in new patients by the number of candidate parameters."""

    parameters: int
    whose: str
    shrinkage: str
    needed: str


@dataclass(frozen=True)
class SampleSizeFacts:
    """The criteria of Riley and others for this cohort, in words and numbers.

    Attributes:
        auroc: that is expected.
        learnt: patients that one fit learns from.
        share: sentence on the share of responders.
        rows: by number of parameters.
        precision: sentence on what can be measured in so many patients.
    """

    auroc: float
    learnt: int
    share: str
    rows: tuple[Shrinkage, ...]
    precision: str


def gather(study: Overview) -> SampleSizeFacts | None:
    """Return the criteria; None where one class is absent."""
    cohort = study.cohort
    if not 0 < cohort.share < 1:
        return None
    splits = study.results.tables["splits"]
    train = splits[splits["part"] == "train"].groupby("seed")["patient_id"].nunique()
    learnt = int(train.min()) if len(train) else cohort.patients
    whole = development_sample_size(cohort.patients, FEW, cohort.share, EXPECTED_AUROC)
    precise = validation_precision(cohort.patients, cohort.share, EXPECTED_AUROC)
    return SampleSizeFacts(
        auroc=EXPECTED_AUROC,
        learnt=learnt,
        share=(
            f"{count(cohort.patients, 'patient')} tell the share of responders to ± "
            f"{100 * whole.share_half_width:.1f} points; ± 5 points need {whole.n_share:,}."
        ),
        rows=tuple(
            _shrinkage(learnt, parameters, whose, cohort.share)
            for parameters, whose in sorted(_parameters(study).items())
        ),
        precision=(
            f"In {count(cohort.patients, 'patient')} the AUROC of a fixed, well calibrated model "
            f"is measured with a standard error of {precise.auroc_error:.3f}, its calibration "
            f"slope with one of {precise.slope_error:.2f}."
        ),
    )


def _parameters(study: Overview) -> dict[int, str]:
    """Return the numbers of candidate parameters to look at, and who has so many."""
    found = {FEW: "a small regression", TWELVE: "a regression of a dozen"}
    for model, table in study.results.contributions.items():
        n = len(table.columns) - BEFORE_FEATURES
        if n > 0:
            found[n] = f"{found[n]}, {model}" if n in found and n not in (FEW, TWELVE) else model
    return found


def _shrinkage(n: int, parameters: int, whose: str, share: float) -> Shrinkage:
    found = development_sample_size(n, parameters, share, EXPECTED_AUROC)
    return Shrinkage(parameters, whose, f"{found.shrinkage:.2f}", f"{found.n_needed:,}")


SECTION = Section("Sample size", template_beside(__file__), gather)
