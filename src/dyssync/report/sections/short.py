"""In short: what came out, in sentences that follow from the tables and claim no more."""

from __future__ import annotations

from dyssync.report.findings import (
    calibration,
    discrimination,
    more_accurate,
    more_useful,
    one_answer,
    order,
    than_one_number,
)
from dyssync.report.overview import Overview
from dyssync.report.section import Section, template_beside
from dyssync.report.verdicts import verdicts
from dyssync.report.wording import count, percent


def gather(study: Overview) -> tuple[str, ...]:
    """Return the sentences, what matters most first."""
    found = verdicts(study.results.tables["comparisons"])
    return (
        *_who(study),
        *more_accurate(study, found),
        *more_useful(study),
        *than_one_number(found),
        *discrimination(study, found),
        *order(study, found),
        *calibration(study, found),
        *one_answer(study),
    )


def _who(study: Overview) -> tuple[str, ...]:
    cohort = study.cohort
    if not cohort.patients:
        return ("The cohort is empty.",)
    kind = "simulated patient" if study.results.run.simulated else "patient"
    lines = [
        f"{count(cohort.patients, kind)}, {count(cohort.responders, 'responder')} "
        f"({percent(cohort.share)}). {count(len(study.models), 'model')}, each fitted "
        f"{count(study.n_fits, 'time')}; what a prediction says is graded on patients whom its "
        "fits had not seen."
    ]
    fewest = min((one.n for one in study.answers), default=0)
    if fewest < cohort.patients:
        lines.append(f"Not every patient was tested: answers of a model come from {fewest:,} up.")
    return tuple(lines)


SECTION = Section("In short", template_beside(__file__), gather)
