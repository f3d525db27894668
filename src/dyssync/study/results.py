"""What a study leaves behind: the tables of a run folder, written and read in this one module."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from dyssync.cohort.exclusions import WITHOUT_COLUMNS
from dyssync.cohort.table_files import read_texts
from dyssync.errors import InputError, ModelError
from dyssync.explanation.maps import CamMaps
from dyssync.spreadsheet import guarded, unguarded
from dyssync.study.record import ENVIRONMENT, RUN, EnvironmentRecord, RunRecord
from dyssync.whole import make_folder, whole_file, write_text

# file -> columns that are always there; the cohort table keeps the user's other columns behind them
TABLES: Mapping[str, tuple[str, ...]] = {
    "cohort": ("patient_id", "ecg", "responder", "fs", "seconds", "sha256"),
    "excluded": ("row", "patient_id", "reason"),
    "splits": ("seed", "part", "patient_id", "responder"),
    # of patients who died or were lost before the echo: who they were
    "without_outcome": WITHOUT_COLUMNS,
    # each fit on its own test part: the study as published. p is the model's own
    "predictions": ("model", "seed", "patient_id", "part", "y", "logit", "p"),
    # the same of models that use clinical facts, fitted without
    "predictions_ecg": ("model", "seed", "patient_id", "part", "y", "logit", "p"),
    "metrics": ("model", "seed", "metric", "value"),
    # low, high: Nadeau-Bengio corrected 95 % interval of the mean; undefined: seeds without a value
    "summary": (
        "model", "metric", "mean", "sd", "low", "high",
        "minimum", "maximum", "n_defined", "n_undefined",
    ),
    # the out-of-fold answer: what a prediction from the bundle is, given by fits that had not seen
    # the patient. set_80, set_90: responder, non-responder or defer
    "answers": (
        "model", "patient_id", "y", "times", "basis", "z", "p", "set_80", "set_90", "p_ecg_alone",
    ),
    # what the answers are worth; low, high: 95 % interval by the method
    "estimates": ("model", "metric", "threshold", "value", "low", "high", "method", "n"),
    # kind: "named" before any result (p_holm over all of them), or "exploratory" (without p)
    "comparisons": (
        "kind", "metric", "model_a", "model_b", "difference", "low", "high", "p", "p_holm",
    ),
    # by patient and quick model: what bootstrap refits say; original: a fit to all
    "stability": ("model", "patient_id", "y", "original", "mean", "low", "high", "mape", "flips"),
}  # fmt: skip
EXPLANATION_TABLES: Mapping[str, tuple[str, ...]] = {
    # a row a responder of a test part; one column share_<lead> a lead behind these
    "lead_regions": (
        "model", "seed", "patient_id", "p", "limb_share", "precordial_share",
        "limb_area_share", "region", "zero_map",
    ),
    # share, null_share: means over trained and untrained networks (seeds) with Student's 95 %
    # intervals over networks; study_share: Mori 2025
    "region_counts": (
        "model", "region", "share", "low", "high", "null_share", "study_share",
        "null_low", "null_high",
    ),
    # of pairs of networks on one patient; low, high: 95 % of (agreement - expected), over patients
    "region_agreement": (
        "model", "n_pairs", "agreement", "expected", "low", "high", "above_chance",
    ),
    # over seeds; direction: rank correlation of value and contribution
    "importances": ("model", "feature", "mean_abs_log_odds", "sd", "direction", "n_seeds"),
    # what each rule says of each recording
    "rules": ("model", "patient_id", "statement"),
}  # fmt: skip
# and the model's name: a row a test prediction, a column a feature, log-odds
CONTRIBUTIONS = "contributions-"


CAUTIONS = "cautions.json"


@dataclass(frozen=True)
class StudyResults:
    """Everything in a run folder but the figures, the report and the bundle."""

    run: RunRecord
    environment: EnvironmentRecord
    tables: Mapping[str, pd.DataFrame]
    explanations: Mapping[str, pd.DataFrame]
    maps: Mapping[str, CamMaps]
    cautions: tuple[str, ...]
    contributions: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write all tables into `folder`; each file appears whole or not at all.

        Raises:
            InputError: a file cannot be written.
        """
        self.run.save(folder / RUN)
        self.environment.save(folder / ENVIRONMENT)
        write_json(folder / CAUTIONS, list(self.cautions))
        for name, table in self.tables.items():
            write_csv(folder / f"{name}.csv", table)
        explanations = folder / "explanations"
        make_folder(explanations)
        for name, table in self.explanations.items():
            write_csv(explanations / f"{name}.csv", table)
        for model, table in self.contributions.items():
            write_csv(explanations / f"{CONTRIBUTIONS}{model}.csv", table)
        for model, cams in self.maps.items():
            cams.save(explanations / f"{model}.npz")

    @classmethod
    def read(cls, folder: Path) -> StudyResults:
        """Read what :meth:`write` wrote.

        Raises:
            InputError: a file is missing or damaged; all missing ones are named.
        """
        explanations = folder / "explanations"
        names = [f"{name}.csv" for name in TABLES]
        names += [f"explanations/{name}.csv" for name in EXPLANATION_TABLES]
        missing = [n for n in (*names, RUN, ENVIRONMENT, CAUTIONS) if not (folder / n).is_file()]
        if missing:
            raise InputError(f"{folder.name} is no finished run: {', '.join(missing)} missing.")
        return cls(
            run=RunRecord.load(folder / RUN),
            environment=EnvironmentRecord.load(folder / ENVIRONMENT),
            tables={n: read_csv(folder / f"{n}.csv", TABLES[n]) for n in TABLES},
            explanations={
                name: read_csv(explanations / f"{name}.csv", columns)
                for name, columns in EXPLANATION_TABLES.items()
            },
            maps={path.stem: CamMaps.load(path) for path in sorted(explanations.glob("*.npz"))},
            cautions=_read_cautions(folder / CAUTIONS),
            contributions={
                path.stem.removeprefix(CONTRIBUTIONS): read_csv(path)
                for path in sorted(explanations.glob(f"{CONTRIBUTIONS}*.csv"))
            },
        )


def _read_cautions(path: Path) -> tuple[str, ...]:
    cautions = read_json(path)
    if not isinstance(cautions, list) or not all(isinstance(c, str) for c in cautions):
        raise ModelError(f"{path.name}: damaged (no list of sentences); make it anew")
    return tuple(cautions)


def write_json(path: Path, value: object) -> None:
    """Write `value` as JSON; the file appears whole or not at all."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """Return the value of a JSON file.

    Raises:
        ModelError: it is damaged.
    """
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise ModelError(f"{path.name}: damaged (no whole JSON); make it anew") from error


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV without index, whole or not at all; floats keep all their digits.

    Text that a spreadsheet would run as a formula is marked, see :mod:`dyssync.spreadsheet`.
    """
    with whole_file(path) as part:
        _of_text(table, guarded).to_csv(part, index=False, lineterminator="\n")


def read_csv(path: Path, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table written by :func:`write_csv`; patient ids stay text.

    Args:
        path: of the file.
        columns: that must be there.

    Raises:
        ModelError: it is damaged, or a column is missing.
    """
    try:
        with path.open("rb") as file:
            table = read_texts(file, ("patient_id",))
    except ValueError as error:  # pandas' own errors and bytes that are no UTF-8 are such
        raise ModelError(f"{path.name}: damaged (no whole table); make it anew") from error
    missing = [name for name in columns if name not in table]
    if missing:
        raise ModelError(f"{path.name}: without {', '.join(missing)}; make it anew")
    return _of_text(table, unguarded)


def _of_text(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """Return a table with its texts changed, titles among them."""

    def changed(value: Any) -> Any:
        return change(value) if isinstance(value, str) else value

    made = table.rename(columns=changed)
    for k, dtype in enumerate(table.dtypes):
        if dtype.kind not in "iufb":
            made.isetitem(k, table.iloc[:, k].map(changed).array)
    return made
