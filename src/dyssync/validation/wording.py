"""Sentences of a validation. No cohort shows that a model is right: it can fail to show a fault."""

from __future__ import annotations

from collections.abc import Sequence

from dyssync.cohort import Cohort
from dyssync.evaluation.updating import INTERCEPT, NONE
from dyssync.validation.answers import USUAL
from dyssync.validation.record import Flow, Origin
from dyssync.validation.updates import EXTREME_SLOPE, SHIFT, ClosedTest


def verdict(tested: ClosedTest, *, both: bool) -> str:
    """Return what the closed test lets say of the calibration of one set of members.

    Args:
        tested: what the test says.
        both: the model has members for patients with clinical facts, and others.
    """
    who = ""
    if both:
        facts = "with clinical facts" if tested.members == USUAL else "by the ECG alone"
        who = f"{facts} ({tested.n} patients): "
    if tested.update is None:
        return f"{who}calibration cannot be judged ({tested.refused})"
    u = tested.update
    if u.choice == NONE:
        return (
            f"{who}not shown miscalibrated (closed test, p {u.p_original:.2g}); so many patients "
            f"would show a slope of {EXTREME_SLOPE:g} in {tested.seen_if_extreme:.0%} of such "
            f"cohorts, and log-odds off by {SHIFT:g} in {tested.seen_if_shifted:.0%}"
        )
    change = f"intercept {u.intercept:+.2f}"
    if u.choice != INTERCEPT:
        change += f", slope {u.slope:.2f}"
    refused = f"; not updated: {tested.refused}" if tested.refused else ""
    return f"{who}miscalibrated (closed test, p {u.p_original:.2g}): {change}{refused}"


def cautions(
    origin: Origin, flow: Flow, cohort: Cohort, left_out: Sequence[str], *, simulated: bool
) -> tuple[str, ...]:
    """Return what a reader must know before the numbers, a sentence each."""
    found = []
    if origin.simulated:
        found.append("The bundle was developed on simulated patients, who do not exist.")
    if simulated:
        found.append(
            "The patients of this cohort are simulated: they are no evidence about real ones."
        )
    if origin.shuffled_labels:
        found.append("The bundle is a negative control (shuffled labels): its models know nothing.")
    found.append(
        "Whether single patients here were also in development cannot be told: the bundle keeps a "
        "digest of its whole cohort only."
    )
    if any(origin.history.values()):
        found.append(
            "Models of this bundle were updated before; patients of that cohort must not be here."
        )
    if left_out:
        found.append(f"{', '.join(left_out)}: left out, a signal is needed and these are pictures.")
    if flow.excluded:
        found.append(f"{flow.excluded} rows were left out because they cannot be used.")
    return (*found, *_without_outcome(flow, cohort, simulated))


def _without_outcome(flow: Flow, cohort: Cohort, simulated: bool) -> list[str]:
    if flow.died or flow.lost:
        return [
            f"{flow.died} patients died and {flow.lost} were lost before the outcome was measured: "
            f"{flow.share:.1%} of the measured respond, {flow.deaths_as_non_responders:.1%} with "
            f"deaths as non-responders, {flow.worst:.1%} to {flow.best:.1%} whatever became of the "
            "lost. All other numbers are of those who were measured."
        ]
    if simulated or "followup" in cohort.table:
        return []
    return [
        "Only patients with an outcome are here, as far as the table tells; early deaths may be "
        "missing. A column followup (echo, died, lost) would count them."
    ]
