"""What a validation says of itself: bundle, cohort, flow, case mix, precision, in one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dyssync.records import Record

VALIDATION = "validation.json"


@dataclass(frozen=True)
class Origin(Record):
    """Where a bundle comes from.

    Attributes:
        digest: sha256 of its manifest, which holds that of every file.
        dyssync: version that wrote it.
        n_patients: it was developed on.
        base_rate: share of responders among them, 0-1.
        simulated: these patients do not exist.
        shuffled_labels: it is a negative control.
        history: by model, what was changed since.
    """

    digest: str
    dyssync: str
    n_patients: int
    base_rate: float
    simulated: bool
    shuffled_labels: bool
    history: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Flow(Record):
    """Who is counted.

    Attributes:
        recordings, patients: that were graded.
        excluded: recordings that could not be used.
        died, lost: patients without an outcome for that reason.
        responders: among the graded patients.
        share: of responders among the graded, 0-1.
        deaths_as_non_responders: the same with the dead counted.
        worst, best: bounds: the dead count, and none or all of the lost respond.
    """

    recordings: int
    patients: int
    excluded: int
    died: int
    lost: int
    responders: int
    share: float
    deaths_as_non_responders: float
    worst: float
    best: float


@dataclass(frozen=True)
class Spread(Record):
    """A variable in development and here.

    Attributes:
        mean, sd: there; None where the bundle does not keep it.
        mean_here, sd_here: of the patients of whom it is known; None where nobody's is.
        missing_here: patients of whom it is not known.
        standardised: difference of the means in SD; None where it is not known.
    """

    mean: float | None
    sd: float | None
    mean_here: float | None
    sd_here: float | None
    missing_here: int
    standardised: float | None


@dataclass(frozen=True)
class Precision(Record):
    """How exactly so many patients can judge a model that is right, by its AUROC in development.

    Attributes:
        auroc: in development, out of fold.
        slope_error, auroc_error, log_oe_error: standard errors to be expected here.
        patients_for_auroc: that would give an AUROC within 0.05 (95 % interval).
    """

    auroc: float
    slope_error: float
    auroc_error: float
    log_oe_error: float
    patients_for_auroc: int


@dataclass(frozen=True)
class ValidationRecord(Record):
    """Everything of a validation that stands in no table.

    Attributes:
        dyssync: version that validated.
        bundle: what was validated.
        cohort: name of the table; no path, as the folder may be shared.
        cohort_digest: sha256 of patients and recordings, in their order.
        simulated: the patients here do not exist.
        models: names, in the order of the bundle.
        left_out: models that cannot take these recordings.
        threshold: from which a patient is called a responder, named by the bundle, 0-1.
        thresholds: all that are shown.
        flow: who is counted.
        predictors: by model, its linear predictor (log-odds) in development and here.
        facts: clinical facts here; the bundle keeps none of its own patients.
        precision: by model; none of those that give all patients one answer.
        verdicts: by model, what can be said of its calibration, a sentence each.
        cautions: what to know before the numbers, a sentence each.
        updated: models that the bundle beside this record answers differently with.
        command: how to get the same.
    """

    dyssync: str
    bundle: Origin
    cohort: str
    cohort_digest: str
    simulated: bool
    models: tuple[str, ...]
    left_out: tuple[str, ...]
    threshold: float
    thresholds: tuple[float, ...]
    flow: Flow
    predictors: Mapping[str, Spread]
    facts: Mapping[str, Spread]
    precision: Mapping[str, Precision]
    verdicts: Mapping[str, tuple[str, ...]]
    cautions: tuple[str, ...]
    updated: tuple[str, ...]
    command: str
