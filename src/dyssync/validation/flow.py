"""Who is counted in a validation, and what those without an outcome could change."""

from __future__ import annotations

from dyssync.cohort import Cohort
from dyssync.cohort.table import FOLLOWUP
from dyssync.evaluation.flow import responder_shares
from dyssync.validation.record import Flow


def flow_of(cohort: Cohort) -> Flow:
    """Return who is counted, and what those without an outcome could change."""
    responses, gone = cohort.responses, cohort.without_outcome
    words = gone["followup"].astype(str).str.strip().str.lower()
    died, responders = int((words == "died").sum()), int(responses.sum())
    lost = len(gone) - died
    shares = responder_shares(responders, len(responses) - responders, died, lost)
    # the table of exclusions names those without an outcome, too
    unusable = cohort.excluded[~cohort.excluded["reason"].isin(list(FOLLOWUP.values()))]
    return Flow(
        recordings=len(cohort.table),
        patients=len(responses),
        excluded=int(unusable["row"].nunique()),
        died=died,
        lost=lost,
        responders=responders,
        share=shares.measured,
        deaths_as_non_responders=shares.deaths_as_non_responders,
        worst=shares.worst,
        best=shares.best,
    )
