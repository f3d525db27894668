"""Tables and curves of what `make bench-layouts` has measured so far.

python benchmarks/layout_tables.py      docs/measured/layouts.md and docs/images/wear-curve.png
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bench_layouts import CONDITIONS, PAGE_SEVERITIES, PAGES, SEVERITIES, read_results
from dyssync.evaluation.resampling import CorrectedMean, corrected_mean
from markdown_rows import head, row

DOCS = Path(__file__).parent.parent / "docs"
FILES = {"layouts.csv": "", "pages.csv": " (networks of pages.csv)"}
BASE = "one layout"
ORDER = {
    "layout": (*PAGES, "tiles"),
    "wear": tuple(str(s) for s in SEVERITIES),
    "page": tuple(str(s) for s in PAGE_SEVERITIES),
}
OWN = ("3x4+II", "tiles", "0")  # not among the foreign layouts, nor among the worn pages
OTHERS = {"layout": "the five others", "wear": "1 to 5"}
TITLES = {
    "layout": "by layout of the test pages",
    "wear": "by wear of the test pages",
    "page": "whole pages with header and margins, by their wear",
}

HEAD = """# Layouts and wear: all that was measured

Written by `benchmarks/layout_tables.py` from [layouts.csv](layouts.csv) and [pages.csv](pages.csv)
(networks that were asked about whole pages, too); what it means is in [Pictures](../pictures.md).
AUROC of the test part, mean over seeds [95 % interval, corrected
(Nadeau and Bengio 2003)]; differences are those of equal seeds. The last column is the mean of all
foreign layouts or worn pages of a seed.
"""


def main() -> None:
    """Write tables and curves."""
    tables = [HEAD]
    for name, note in FILES.items():
        for part in sections(read_results(DOCS / "measured" / name), note):
            tables += part
    results = read_results(DOCS / "measured" / "layouts.csv")
    (DOCS / "measured" / "layouts.md").write_text("\n".join(tables) + "\n", encoding="utf-8")
    draw_wear_curves(results).savefig(DOCS / "images" / "wear-curve.png", dpi=110)


def sections(results: pd.DataFrame, note: str) -> Iterator[list[str]]:
    """Yield the lines of each cohort, preset and kind of test."""
    for keys, held in results.groupby(["cohort", "preset", "kind"]):
        cohort, preset, kind = map(str, keys)
        share = float(held["test_share"].iloc[0])
        wide = held.pivot_table(index=["condition", "seed"], columns="tested_on", values="auroc")
        wide = wide.reindex(columns=[name for name in ORDER[kind] if name in wide])
        if kind in OTHERS:
            wide[OTHERS[kind]] = wide[[name for name in wide if name not in OWN]].mean(axis=1)
        done = [name for name in CONDITIONS if name in wide.index]
        yield [
            f"## {cohort}, preset {preset}, {TITLES[kind]}{note}",
            "",
            head("trained on", "seeds", *wide),
            *(row(*means(wide, name, share)) for name in done),
            "",
            f"Minus {BASE}:",
            "",
            head("trained on", "seeds", *wide),
            *(row(*differences(wide, name, share)) for name in done if name != BASE),
            "",
        ]


def trained_on(wide: pd.DataFrame, condition: str) -> pd.DataFrame:
    """Return the rows of one condition, by seed."""
    return wide[wide.index.get_level_values("condition") == condition].droplevel("condition")


def means(wide: pd.DataFrame, condition: str, share: float) -> list[str]:
    """Return the cells of one condition: mean over seeds and interval."""
    own = trained_on(wide, condition)
    found = [corrected_mean(own[name].to_numpy(), share) for name in own.columns]
    return [condition, str(len(own)), *(cell(mean, ".3f", (0.0, 1.0)) for mean in found)]


def differences(wide: pd.DataFrame, condition: str, share: float) -> list[str]:
    """Tiles of the median beat are compared with the page, at equal pixels."""
    own, base = trained_on(wide, condition), trained_on(wide, BASE)
    pairs = [own[name] - base["3x4+II" if name == "tiles" else name] for name in own.columns]
    found = [corrected_mean(pair.dropna().to_numpy(), share) for pair in pairs]
    cells = (
        cell(mean, "+.3f", (-1.0, 1.0)) + (f" p {mean.p_value:.2f}" if mean.n > 1 else "")
        for mean in found
    )
    return [condition, str(max(mean.n for mean in found)), *cells]


def cell(mean: CorrectedMean, form: str, bounds: tuple[float, float]) -> str:
    """Word a mean and its interval; nothing where nothing was measured."""
    if not mean.n:
        return ""
    low, high = np.clip([mean.low, mean.high], *bounds)
    interval = f" [{low:{form}}, {high:{form}}]" if mean.n > 1 else ""
    return f"{mean.mean:{form}}{interval}"


def draw_wear_curves(results: pd.DataFrame) -> Figure:
    """AUROC against severity, mean and corrected 95 % interval, a panel a cohort and preset."""
    groups = list(results[results["kind"] == "wear"].groupby(["cohort", "preset"]))
    rows = -(-len(groups) // 2)
    figure = Figure(figsize=(10.0, 3.6 * rows), layout="constrained")
    panels = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
    for axes, ((cohort, preset), held) in zip(panels.flat, groups, strict=False):
        share = float(held["test_share"].iloc[0])
        for k, condition in enumerate(CONDITIONS):
            own = held[held["condition"] == condition]
            by_severity = [own.loc[own["tested_on"] == s, "auroc"] for s in ORDER["wear"]]
            found = [corrected_mean(values.to_numpy(), share) for values in by_severity]
            x = np.array(SEVERITIES) + 0.08 * (k - 2)  # side by side, so that intervals can be seen
            y = np.array([mean.mean for mean in found])
            reach = [y - [mean.low for mean in found], [mean.high for mean in found] - y]
            axes.errorbar(
                x, y, reach, color=f"C{k}", marker="o", ms=4, lw=1.4, elinewidth=0.7,
                label=condition,
            )  # fmt: skip
        axes.axhline(0.5, color="0.6", lw=0.8)
        axes.set(title=f"{cohort}, preset {preset}", ylim=(0.3, 1.0))
    figure.supxlabel("severity of wear of the test pages", fontsize=10)
    figure.supylabel("AUROC of the test part", fontsize=10)
    figure.axes[-1].legend(title="trained on", fontsize=8)
    return figure


if __name__ == "__main__":
    main()
