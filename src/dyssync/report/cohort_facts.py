"""What the report says about the patients and the run: counts, shares, settings, versions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dyssync.report.wording import span
from dyssync.study.results import StudyResults

PART_ORDER = ("train", "validation", "test")
# where a run may have noted when it was made, and what identifies its data
DATE_KEYS = ("finished", "date", "created", "started")
FINGERPRINT_KEYS = ("data_fingerprint", "fingerprint", "cohort_sha256")


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


@dataclass(frozen=True)
class RunFacts:
    """When, with what and on which data; ``differences``: setting, paper's value, value here."""

    date: str
    fingerprint: str
    command: str
    simulated: bool
    bayes_auroc: float | None
    differences: tuple[tuple[str, str, str], ...]
    settings: tuple[tuple[str, str], ...]
    environment: tuple[tuple[str, str], ...]


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
            (_text(row), _text(patient), reason)
            for row, patient, reason in zip(
                excluded["row"], excluded["patient_id"], reasons, strict=True
            )
        ),
        recording=_recording(cohort),
        parts=_parts(results.tables["splits"]),
    )


def summarise_run(results: StudyResults) -> RunFacts:
    """Collect date, data fingerprint, command, settings and versions of the run."""
    config, environment = results.config, results.environment
    differs = config.get("differs_from_paper") or {}
    told = {**config, **environment}
    bayes = config.get("bayes_auroc")
    apart = {"differs_from_paper", "command", "simulated", "bayes_auroc"}
    return RunFacts(
        date=_first(told, DATE_KEYS),
        fingerprint=_first(told, FINGERPRINT_KEYS) or data_fingerprint(results.tables["cohort"]),
        command=str(config.get("command") or ""),
        simulated=config.get("simulated") is True,
        bayes_auroc=None if bayes is None else float(bayes),
        differences=tuple(
            (str(name), _text(pair[0]), _text(pair[1])) for name, pair in differs.items()
        ),
        settings=_flat({k: v for k, v in config.items() if k not in apart}),
        environment=_flat(environment),
    )


def data_fingerprint(cohort: pd.DataFrame) -> str:
    """Return a digest of which patients, files and outcomes were used, whatever their order.

    sha256 of the sorted lines "patient_id sha256-of-the-file responder"; the first 16 digits.
    """
    lines = sorted(
        f"{patient} {digest} {outcome}"
        for patient, digest, outcome in zip(
            cohort["patient_id"], cohort["sha256"], cohort["responder"], strict=True
        )
    )
    return hashlib.sha256("\n".join(lines).encode("utf-8", "replace")).hexdigest()[:16]


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


def _first(values: Mapping[str, Any], keys: Sequence[str]) -> str:
    return next((str(values[key]) for key in keys if values.get(key)), "")


def _flat(values: Mapping[str, Any], prefix: str = "") -> tuple[tuple[str, str], ...]:
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            rows.extend(_flat(value, f"{name}."))
        else:
            rows.append((name, _text(value)))
    return tuple(rows)


def _text(value: Any) -> str:
    """Write any value of a config or table for people."""
    if value is None or (isinstance(value, float) and value != value):  # NaN: an empty cell
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(item) for item in value) or "none"
    return str(value)
