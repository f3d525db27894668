"""The methods of a study in words, for a paper: generated from the run's record."""

from __future__ import annotations

from dyssync.evaluation.bootstrap import DRAWS
from dyssync.report.overview import Overview
from dyssync.report.wording import count, listing, percent
from dyssync.study.config import CROSS_FIT


def methods_text(study: Overview) -> str:
    """Return the methods as Markdown: a paragraph each on patients, models, grading, software."""
    paragraphs = (patients(study), fitting(study), grading(study), software(study))
    return "\n\n".join(("# Methods", *paragraphs)) + "\n"


def patients(study: Overview) -> str:
    """Return who was studied and what response is."""
    cohort, run = study.cohort, study.results.run
    kind = "simulated patient" if run.simulated else "patient"
    gone = len(study.results.tables["without_outcome"])
    left_out = (
        f" {count(cohort.excluded, 'recording')} could not be used." if cohort.excluded else ""
    )
    without = f" {count(gone, 'patient')} without an outcome took no part." if gone else ""
    return (
        f"We studied {count(cohort.patients, kind)} with {count(cohort.kept, 'recording')} before "
        f"implantation, of whom {cohort.responders:,} ({percent(cohort.share)}) responded. "
        "Response is what the cohort table says: its column responder, or a fall of the "
        f"left-ventricular end-systolic volume by at least 15 %.{left_out}{without}"
    )


def fitting(study: Overview) -> str:
    """Return how models were fitted, tested and put together."""
    run = study.results.run
    if run.protocol == CROSS_FIT:
        how = (
            f"fitted in {count(run.repeats, 'repeat')} of {run.folds}-fold cross-validation, "
            "stratified by response and divided by patient, so that each patient was tested "
            f"{count(run.repeats, 'time')}"
        )
    else:
        shares = ", ".join(percent(share) for share in run.fractions)
        how = f"fitted in {count(run.seeds, 'independent split')} by patient ({shares})"
    shuffled = " Labels were shuffled: this is a negative control." if run.shuffle_labels else ""
    return (
        f"{listing(list(study.models))} were {how}. Fits are never stopped or chosen by test "
        "patients. The prediction of a model is that of all its fits: their logits are averaged "
        "(standardised first where each network has a scale of its own) and recalibrated by a "
        "logistic regression on patients whom the fits had not seen. There is no further fit to "
        f"all patients. Settings: preset {run.preset}, and those listed in the report.{shuffled}"
    )


def grading(study: Overview) -> str:
    """Return how the predictions were graded."""
    return (
        "Each patient was answered by the fits that had not seen him or her, recalibrated without "
        "his or her own outcome. AUROC: DeLong's interval. "
        "Other measures (accuracy, also minus that of one answer for all; PPV, NPV, sensitivity, "
        "specificity; Brier score; observed to expected, calibration-in-the-large, slope, ICI; "
        "net benefit minus the better of treating all and none): percentile intervals of "
        f"{DRAWS:,} bootstrap samples of the patients. Both are widened for what refitting to "
        "other patients would change, as if the variance were "
        f"{study.refit_factor:.3g} times as large, where the fits decide it. The "
        f"threshold, {study.threshold:g}, was named before any result. Named comparisons, "
        "of every model with no model (AUROC, accuracy) and with QRS area (AUROC), have p-values "
        "corrected by Holm's method over all of them; other pairs are exploratory and have none. "
        "Means and standard deviations over the fits, with the interval of Nadeau and Bengio, are "
        "given beside, as in the published study (Mori 2025, doi 10.1111/jce.70212)."
    )


def software(study: Overview) -> str:
    """Return versions, fingerprint and command."""
    run, machine = study.results.run, study.results.environment
    return (
        f"Software: dyssync {run.version}, Python {machine.python}, "
        + ", ".join(f"{name} {version}" for name, version in machine.packages.items())
        + f". Data fingerprint: {run.fingerprint}. Command: `{run.command}`."
    )
