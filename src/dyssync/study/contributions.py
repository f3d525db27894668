"""What the models that explain themselves, and the rules, leave in the folder of their task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from dyssync.image import Input, ecg_of
from dyssync.models.protocols import Contributions, ExplainsItself, Rule
from dyssync.study.results import EXPLANATION_TABLES, read_csv, write_csv

CONTRIBUTIONS, IMPORTANCES, STATEMENTS = "contributions.csv", "importances.csv", "statements.csv"
NOT_READ = "the page could not be read off"


def write_contributions(
    folder: Path, name: str, seed: int, model: ExplainsItself, recordings: Sequence[Input]
) -> None:
    """Write what each feature added to each prediction, and how much on average.

    Args:
        folder: of the task.
        name: of the model in the registry.
        seed: of the cell.
        model: fitted.
        recordings: of the test part.
    """
    found = model.contributions(recordings)
    keys = pd.DataFrame(
        {"model": name, "seed": seed, "patient_id": [x.patient_id for x in recordings]}
    ).assign(base=found.base)
    shares = pd.DataFrame(found.log_odds, columns=list(found.names))
    # six digits: the sum still gives the probability to four
    write_csv(folder / CONTRIBUTIONS, pd.concat([keys, shares], axis=1).round(6))
    write_csv(folder / IMPORTANCES, _importances(name, seed, found))


def _importances(name: str, seed: int, found: Contributions) -> pd.DataFrame:
    """Return a row a feature: mean size of its contribution, and which way it works.

    The direction is the rank correlation of value and contribution; NaN where either is constant.
    """
    return pd.DataFrame(
        {
            "model": name,
            "seed": seed,
            "feature": list(found.names),
            "mean_abs_log_odds": np.abs(found.log_odds).mean(axis=0),
            "direction": [
                _direction(*pair) for pair in zip(found.values.T, found.log_odds.T, strict=True)
            ],
        }
    )


def _direction(values: np.ndarray, shares: np.ndarray) -> float:
    known = np.isfinite(values)
    if len(np.unique(values[known])) < 2 or len(np.unique(shares[known])) < 2:
        return float("nan")
    return float(stats.spearmanr(values[known], shares[known]).statistic)


def write_statements(folder: Path, name: str, rule: Rule, recordings: Sequence[Input]) -> None:
    """Write what a rule says of each recording."""
    rows = [(name, x.patient_id, _statement(rule, x)) for x in recordings]
    write_csv(folder / STATEMENTS, pd.DataFrame(rows, columns=list(EXPLANATION_TABLES["rules"])))


def _statement(rule: Rule, x: Input) -> str:
    ecg = ecg_of(x)
    return NOT_READ if ecg is None else rule.statement(ecg)


def gather_contributions(folders: Sequence[tuple[str, Path]]) -> dict[str, pd.DataFrame]:
    """Return the contributions to all test predictions, by model."""
    held: dict[str, list[pd.DataFrame]] = {}
    for name, folder in folders:
        if (folder / CONTRIBUTIONS).is_file():
            held.setdefault(name, []).append(read_csv(folder / CONTRIBUTIONS))
    return {name: pd.concat(tables, ignore_index=True) for name, tables in held.items()}


def gather_importances(folders: Sequence[tuple[str, Path]]) -> pd.DataFrame:
    """Return the mean importance of each feature over seeds, largest first within a model."""
    columns = list(EXPLANATION_TABLES["importances"])
    tables = [read_csv(f / IMPORTANCES) for _, f in folders if (f / IMPORTANCES).is_file()]
    if not tables:
        return pd.DataFrame(columns=columns)
    grouped = pd.concat(tables).groupby(["model", "feature"], sort=False)
    rows = grouped.agg(
        mean=("mean_abs_log_odds", "mean"),
        sd=("mean_abs_log_odds", "std"),
        direction=("direction", "mean"),
        n_seeds=("seed", "nunique"),
    ).reset_index()
    rows = rows.rename(columns={"mean": "mean_abs_log_odds"})
    order = {name: k for k, name in enumerate(dict.fromkeys(rows["model"]))}
    rows = rows.sort_values(
        ["model", "mean_abs_log_odds"],
        ascending=[True, False],
        kind="stable",
        key=lambda column: column.map(order) if column.name == "model" else column,
    )
    return rows[columns].reset_index(drop=True)


def gather_statements(folders: Sequence[Path]) -> pd.DataFrame:
    """Return what the rules say of every recording."""
    tables = [read_csv(f / STATEMENTS) for f in folders if (f / STATEMENTS).is_file()]
    columns = list(EXPLANATION_TABLES["rules"])
    return pd.concat(tables) if tables else pd.DataFrame(columns=columns)
