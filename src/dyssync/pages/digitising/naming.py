"""Do the names that are printed on a page stand where an arrangement has them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats
from dyssync.layouts import Panel
from dyssync.pages.digitising.words import Word

ACROSS_MM = (-9.0, 12.0)  # from the beginning of a column to that of its name
DOWN_SHARE = 0.62  # of the distance of two rows: how far a name is from its line at most
ALIKE_MM = (2.5, 4.0)  # names of one page stand alike beside their lines, across and down
VAGUE = {"I": 0.2, "II": 0.6, "III": 0.8}  # weight of names that any two or three strokes make


@dataclass(frozen=True, eq=False)
class Names:
    """Names that agree with an arrangement.

    Attributes:
        score: sum of their likeness, less that of names which contradict.
        panels: indices of the panels whose name was read.
        upright: of these, how many cannot be read upside down.
        words: indices of the words that were read as these names.
    """

    score: float
    panels: tuple[int, ...]
    upright: int
    words: tuple[int, ...] = ()


def match_names(
    words: Sequence[Word],
    panels: Sequence[Panel],
    starts: Floats,
    lines: Floats,
    px_per_mm: tuple[float, float],
) -> Names:
    """Return which names stand where they should.

    Args:
        words: that were read.
        panels: of the arrangement, strips included.
        starts: (panels,) where each begins, px.
        lines: (panels,) its zero line, px.
        px_per_mm: scale across and down.
    """
    if not words:
        return Names(0.0, (), 0)
    across, down = px_per_mm
    gap = _row_gap(lines)
    x = np.array([word.left for word in words])
    y = np.array([word.middle for word in words])
    shift_x, shift_y = x[:, None] - starts[None], y[:, None] - lines[None]
    near = (shift_x > ACROSS_MM[0] * across) & (shift_x < ACROSS_MM[1] * across)
    near &= np.abs(shift_y) < DOWN_SHARE * gap
    texts, leads = [word.text for word in words], [panel.lead for panel in panels]
    same = np.array([[text.lstrip("-") == lead for lead in leads] for text in texts])
    weight = np.array([VAGUE.get(word.text, 1.0) * word.alike for word in words])
    right = near & same
    # A name that reads otherwise where one of these should stand.
    strong = np.array([word.alike > 0.75 and word.text not in VAGUE for word in words])
    wrong = near & ~same & strong[:, None]
    best = Names(0.0, (), 0)
    for i, j in zip(*np.nonzero(right), strict=True):
        alike = (np.abs(shift_x - shift_x[i, j]) < ALIKE_MM[0] * across) & (
            np.abs(shift_y - shift_y[i, j]) < ALIKE_MM[1] * down
        )
        agreed = np.where(right & alike, weight[:, None], 0.0)
        there = np.flatnonzero(agreed.max(axis=0) > 0)
        against = np.where(wrong & alike, weight[:, None], 0.0)
        score = agreed.max(axis=0).sum() - against.sum()
        if score > best.score:
            upright = sum(leads[k] not in VAGUE for k in there)
            best = Names(
                float(score), tuple(int(k) for k in there), upright,
                tuple(int(k) for k in np.flatnonzero(agreed.max(axis=1) > 0)),
            )  # fmt: skip
    return best


def _row_gap(lines: Floats) -> float:
    different = np.unique(lines)
    return float(np.median(np.diff(different))) if len(different) > 1 else 1e9
