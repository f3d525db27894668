"""What the report says about the patients: counts, shares, reasons for leaving some out."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from dyssync.report.wording import span, text_of
from dyssync.study.results import StudyResults

PART_ORDER = ("train", "validation", "test")


@dataclass(frozen=True)
class PartFacts:
    """Patients and responder share of one part of the splits, smallest and largest over seeds."""

    name: str
    patients: str
    responders: str
    share: str


@dataclass(frozen=True)
class CohortFacts:
    """The cohort flow; ``reasons``: why recordings were left out, with counts, commonest first."""

    read: int
    excluded: int
    kept: int
    patients: int
    responders: int
    non_responders: int
    share: float
    reasons: tuple[tuple[str, int], ...]
    excluded_rows: tuple[tuple[str, str, str], ...]
    recording: str
    parts: tuple[PartFacts, ...]

    @property
    def commoner_share(self) -> float:
        """Share of the commoner class: how often it is right to call everyone so."""
        return max(self.share, 1 - self.share)


def summarise_cohort(results: StudyResults) -> CohortFacts:
    """Count recordings, exclusions, patients and classes, and the parts of the splits."""
    cohort, excluded = results.tables["cohort"], results.tables["excluded"]
    patients = cohort.drop_duplicates("patient_id")
    responders = int((patients["responder"] == 1).sum())
    reasons = excluded["reason"].fillna("no reason given").astype(str)
    return CohortFacts(
        read=len(cohort) + len(excluded),
        excluded=len(excluded),
        kept=len(cohort),
        patients=len(patients),
        responders=responders,
        non_responders=len(patients) - responders,
        share=responders / len(patients) if len(patients) else float("nan"),
        reasons=tuple((str(reason), int(n)) for reason, n in reasons.value_counts().items()),
        excluded_rows=tuple(
            (text_of(row), text_of(patient), reason)
            for row, patient, reason in zip(
                excluded["row"], excluded["patient_id"], reasons, strict=True
            )
        ),
        recording=_recording(cohort),
        parts=_parts(results.tables["splits"]),
    )


def _parts(splits: pd.DataFrame) -> tuple[PartFacts, ...]:
    people = splits.drop_duplicates(["seed", "part", "patient_id"])
    names = [str(name) for name in people["part"].unique()]
    known = [name for name in PART_ORDER if name in names]
    parts = []
    for name in known + [name for name in names if name not in known]:
        seeds = people[people["part"] == name].groupby("seed")["responder"]
        sizes, responders = seeds.size(), seeds.sum()
        parts.append(
            PartFacts(
                name=name,
                patients=span(sizes.tolist()),
                responders=span(responders.tolist()),
                share=span((100 * responders / sizes).tolist(), "%"),
            )
        )
    return tuple(parts)


def _recording(cohort: pd.DataFrame) -> str:
    if cohort.empty:
        return ""
    rates = span(pd.to_numeric(cohort["fs"]).tolist(), "Hz")
    return f"{span(pd.to_numeric(cohort['seconds']).tolist(), 's')} at {rates}"
