"""The look that all figures share: one colour and mark a model, safe for colour-blind readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Okabe M, Ito K. Color Universal Design, 2008; without yellow and black, which white paper and
# the reference lines need, and with a grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B8860B", "#56B4E9", "#5F6B76")
MARKS = (("o", "●"), ("s", "■"), ("^", "▲"), ("D", "◆"), ("v", "▼"))
DASHES = ("-", "--", "-.")

INK = "#1F2933"
SOFT_INK = "#52606D"
REFERENCE = "#9AA5B1"
GRID = "#E4E7EB"

STYLE: Mapping[str, object] = {
    "figure.facecolor": "white",
    "font.family": ["DejaVu Sans"],  # ships with matplotlib: the same picture on every machine
    "font.size": 8.5,
    "axes.edgecolor": REFERENCE,
    "axes.labelcolor": INK,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "xtick.color": SOFT_INK,
    "ytick.color": SOFT_INK,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "text.parse_math": False,  # a "$" in a model's name is a dollar
    "svg.fonttype": "path",
    "svg.hashsalt": "dyssync",  # equal numbers give equal bytes
    "savefig.dpi": 200,
}


@dataclass(frozen=True)
class Look:
    """How one model is drawn everywhere: colour, matplotlib marker, the same as text, line."""

    colour: str
    marker: str
    mark: str
    dashes: str


def looks(models: Sequence[str]) -> dict[str, Look]:
    """Give every model its look; 35 models differ in colour and mark together."""
    return {
        model: Look(
            colour=COLOURS[i % len(COLOURS)],
            marker=MARKS[i % len(MARKS)][0],
            mark=MARKS[i % len(MARKS)][1],
            dashes=DASHES[i // len(COLOURS) % len(DASHES)],
        )
        for i, model in enumerate(models)
    }
