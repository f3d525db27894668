"""Tables and curves of what `make bench-learning` has measured so far.

python benchmarks/learning_tables.py [--table docs/measured/learning.csv]

Writes docs/learning.md between its markers, docs/measured/learning.md and docs/images/learning.png.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from dyssync.whole import write_text
from fit_table import read_scores
from learners import NAMES, SLOW
from learning_curves import draw_curves
from markdown_rows import head, row
from real_learning import COHORTS as REAL
from variance_ratio import variance_ratio
from virtual_learning import BAYES, COHORTS, OWN, SHUFFLED

DOCS = Path(__file__).parent.parent / "docs"
BEGIN, END = "<!-- {}: python benchmarks/learning_tables.py -->\n", "<!-- end of {} -->\n"
COLLAPSED = 0.52  # AUROC below which a fit has learnt nothing, by the study's own reading
STUDY = 228  # patients that a fit of a study of 285 learns from
QRS_AREA = "qrs-area"
CLAIMED = ("ssl-resnet18", "sim-resnet18")  # to be more stable than a network from a random start
MEASURED = """# Learning from few: all that was measured

Written by `benchmarks/learning_tables.py` from [learning.csv](learning.csv); what it means is in
[Learning from few](../learning.md). Mean (SD) over draws, all tested on the same other patients.
"""


def main() -> None:
    """Write tables and curves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", type=Path, default=DOCS / "measured" / "learning.csv")
    results = results_of(parser.parse_args().table)
    page = DOCS / "learning.md"
    write_text(page, with_tables(page.read_text(encoding="utf-8"), results))
    parts = [f"\n## {name}\n\n{answers(of(results, name), None)}" for name in COHORTS]
    write_text(DOCS / "measured" / "learning.md", MEASURED + "".join(parts))
    draw_curves({name: of(results, name) for name in COHORTS}).write(DOCS / "images")


def results_of(table: Path) -> pd.DataFrame:
    """Return the fits in the order of :data:`~learners.NAMES`.

    A column `name` holds the model, and the encoder that it starts from if that is not shipped.
    """
    scores = read_scores(table)
    results = pd.DataFrame([{**asdict(fit), **asdict(held)} for fit, held in scores.items()])
    foreign = ~results["encoder"].isin(["", "shipped"])
    results["name"] = results["model"].where(
        ~foreign, results["model"] + " (" + results["encoder"] + ")"
    )
    places = {name: k for k, name in enumerate(NAMES)}
    order = results["model"].map(places).fillna(len(places))
    return results.assign(order=order).sort_values(["order", "name"], kind="stable")


def of(results: pd.DataFrame, cohort: str, labels: str = OWN) -> pd.DataFrame:
    """Return the fits of a cohort."""
    return results[(results["cohort"] == cohort) & (results["labels"] == labels)]


def with_tables(page: str, results: pd.DataFrame) -> str:
    """Return the page with the tables as they are now; other text stays."""
    for name, table in TABLES.items():
        begin, end = BEGIN.format(name), END.format(name)
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}\n{table(results)}\n{end}{after}"
    return page


def curves(results: pd.DataFrame) -> str:
    """AUROC by the number of patients that teach, a table a virtual cohort."""
    return "\n".join(f"**{name}**\n\n{_curve(of(results, name))}" for name in COHORTS)


def _curve(held: pd.DataFrame) -> str:
    sizes = sorted(held.loc[held["patients"] > 0, "patients"].unique())
    lines = [head("AUROC, mean (SD)", *(f"n = {n:,}" for n in sizes))]
    for name, own in held[held["model"] != BAYES].groupby("name", sort=False):
        found = [own.loc[own["patients"] == n, "auroc"] for n in sizes]
        lines.append(row(name, *map(spread, found)))
    best = held.loc[held["model"] == BAYES, "auroc"]
    lines += [f"\nWho knows all of the heart: {value:.3f}." for value in best]
    return "\n".join(lines) + "\n"


def study(results: pd.DataFrame) -> str:
    """What a study of 285 could expect, a table a virtual cohort."""
    return "\n".join(f"**{name}**\n\n{answers(of(results, name), STUDY)}" for name in COHORTS)


def answers(held: pd.DataFrame, patients: int | None) -> str:
    """Return all figures of fits to that many patients; None for any number."""
    lines = [
        head(
            "model", "n", "draws", "AUROC", "accuracy", "PPV", "collapsed", "above QRS area"
        )
    ]  # fmt: skip
    areas = held[held["model"] == QRS_AREA].set_index(["patients", "draw"])["auroc"]
    for (name, n), own in held[held["model"] != BAYES].groupby(["name", "patients"], sort=False):
        if patients not in (None, n):
            continue
        pairs = own.set_index(["patients", "draw"])["auroc"]
        above = (pairs > areas.reindex(pairs.index))[areas.reindex(pairs.index).notna()]
        beaten = "" if own["model"].iloc[0] == QRS_AREA else share(above)
        figures = (spread(own[figure]) for figure in ("auroc", "accuracy", "ppv"))
        lines.append(
            row(name, f"{n:,}", len(own), *figures, share(own["auroc"] < COLLAPSED), beaten)
        )
    return "\n".join(lines) + "\n"


def stability(results: pd.DataFrame) -> str:
    """Variances over draws, in parts of those of a network from a random start."""
    names = (
        "cohort",
        "n",
        "model",
        "draws",
        "variance ratio",
        "F",
        "bootstrap",
        "Brown-Forsythe p",
    )
    lines = [head(*names)]
    for cohort in COHORTS:
        held = of(results, cohort)
        random = held[held["model"] == SLOW]
        for n, second in random.groupby("patients"):
            for name, first in held[held["patients"] == n].groupby("name", sort=False):
                if first["model"].iloc[0] in CLAIMED and min(len(first), len(second)) > 1:
                    cells = _ratio_cells(first["auroc"], second["auroc"])
                    lines.append(row(cohort, n, name, f"{len(first)}, {len(second)}", *cells))
    return "\n".join(lines) + "\n"


def _ratio_cells(first: pd.Series[float], second: pd.Series[float]) -> Iterator[str]:
    found = variance_ratio(*(np.asarray(held, np.float64) for held in (first, second)))
    yield f"{found.ratio:.2f}"
    for low, high in (found.f_interval, found.bootstrap):
        yield f"{low:.2f} to {high:.2f}"
    yield f"{found.p:.3f}"


def real(results: pd.DataFrame) -> str:
    """AUROC on real stand-ins, mean (SD) over splits."""
    lines = [head("AUROC, mean (SD)", *REAL)]
    held = results[results["cohort"].isin(REAL) & (results["labels"] == OWN)]
    for name, own in held.groupby("name", sort=False):
        found = (own.loc[own["cohort"] == cohort, "auroc"] for cohort in REAL)
        lines.append(row(name, *map(spread, found)))
    return "\n".join(lines) + "\n"


def control(results: pd.DataFrame) -> str:
    """AUROC where the labels say nothing, mean and its 95 % interval over draws."""
    held = results[results["labels"] == SHUFFLED]
    cohorts = [name for name in (*COHORTS, *REAL) if name in set(held["cohort"])]
    lines = [head("AUROC, mean [95 % interval]", *cohorts)]
    for name, own in held.groupby("name", sort=False):
        found = (own.loc[own["cohort"] == cohort, "auroc"] for cohort in cohorts)
        lines.append(row(name, *map(interval, found)))
    return "\n".join(lines) + "\n"


def spread(values: pd.Series[float]) -> str:
    """Word mean and SD; nothing where nothing was measured."""
    known = values.dropna()
    if known.empty:
        return ""
    return f"{known.mean():.3f}" + (f" ({known.std():.3f})" if len(known) > 1 else "")


def interval(values: pd.Series[float]) -> str:
    """Word a mean and its interval by the t distribution; nothing where nothing was measured."""
    if len(values) < 2:
        return ""
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return f"{values.mean():.3f} [{values.mean() - half:.3f}, {values.mean() + half:.3f}]"


def share(held: pd.Series[bool]) -> str:
    """Word a share; nothing where nothing was measured."""
    return f"{100 * np.mean(held):.0f} %" if len(held) else ""


TABLES: Mapping[str, Callable[[pd.DataFrame], str]] = {
    "curves": curves,
    "a study of 285": study,
    "stability": stability,
    "real labels": real,
    "negative control": control,
}


if __name__ == "__main__":
    main()
