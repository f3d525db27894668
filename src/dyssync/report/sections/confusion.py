"""Right and wrong, in counts of patients, at the threshold named beforehand."""

from __future__ import annotations

from dyssync.evaluation.confusion import Confusion, count_confusion
from dyssync.report.overview import Overview
from dyssync.report.section import Section, template_beside


def gather(study: Overview) -> dict[str, Confusion]:
    """Count the out-of-fold answers of every model; each patient once."""
    return {
        one.model: count_confusion(one.y, one.p, study.threshold) for one in study.answers if one.n
    }


SECTION = Section("Right and wrong, in counts", template_beside(__file__), gather)
