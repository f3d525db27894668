"""Where the columns of leads begin and end on a flat page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyssync.pages.digitising.pulses import Pulse
from dyssync.pages.digitising.traced import Trace

REST_MM = (0.2, 4.0)  # level line beside a pulse
USUAL_MM = (250.0, 260.0, 200.0)  # widths of all columns together: ten seconds, mostly
USUAL_SLACK = 0.02
LEAST_WIDTH_MM = 60.0  # of all columns: four of 15 mm, in which no beat is whole
SEARCH_MM = 4.5  # how far borders are looked for
STRETCH = 0.01  # how much columns may be stretched
NEAR_MM = 0.25  # of a border, within which rows break
MOVE_COST = 0.03  # share of rows, for a mm
STRETCH_COST = 0.15  # for a per cent
WORTH_MOVING = 0.2  # share of rows


@dataclass(frozen=True)
class Extent:
    """Where the first column begins and the last one ends, px of the flat page."""

    left: float
    right: float


def find_extents(
    traces: Sequence[Trace], pulses: Sequence[Pulse], across: float, *, has_grid: bool
) -> tuple[Extent, ...]:
    """Return where the leads may begin and end, the likeliest first.

    Args:
        traces: of all rows.
        pulses: that were found at one end of the rows.
        across: px/mm.
        has_grid: of which `across` is; a guess brings no width to a usual one.
    """
    left = float(np.median([trace.ends[0] for trace in traces]))
    right = float(np.median([trace.ends[1] for trace in traces]))
    whole = Extent(left, right)
    fixed = [whole.left, whole.right]  # what is surer than the other end, if either is
    if pulses:
        rise = float(np.median([pulse.rise for pulse in pulses]))
        fall = float(np.median([pulse.fall for pulse in pulses]))
        if fall < (left + right) / 2:
            left = fall + min(max(rise - left, REST_MM[0] * across), REST_MM[1] * across)
            fixed = [whole.right]
        elif rise > (left + right) / 2:
            right = rise - min(max(right - fall, REST_MM[0] * across), REST_MM[1] * across)
            fixed = [whole.left]
    found = [Extent(left, right)]
    if pulses:  # some recorders draw it over the beginning of the first leads
        found.append(whole)
    if has_grid:
        ends = fixed, [whole.left, whole.right]
        found = [_usual(*pair, across) for pair in zip(found, ends, strict=False)]
    for width in USUAL_MM[:2]:
        if abs((right - left) / across / width - 1) < USUAL_SLACK:
            continue
        # Pages are cut at either end: the other end and the usual width say where it was.
        found.append(Extent(left, left + width * across))
        found.append(Extent(right - width * across, right))
    return tuple(
        extent for extent in found if extent.right - extent.left >= LEAST_WIDTH_MM * across
    )


def _usual(extent: Extent, fixed: Sequence[float], across: float) -> Extent:
    """Return the extent at a usual width, if it nearly has one; the surer end stays."""
    width = extent.right - extent.left
    for usual in USUAL_MM:
        exact = usual * across
        if abs(width / exact - 1) < USUAL_SLACK:
            if len(fixed) > 1:
                middle = (extent.left + extent.right) / 2
                return Extent(middle - exact / 2, middle + exact / 2)
            if fixed[0] == extent.left:
                return Extent(extent.left, extent.left + exact)
            return Extent(extent.right - exact, extent.right)
    return extent


def refine_extent(
    extent: Extent, n_columns: int, traces: Sequence[Trace], across: float
) -> tuple[Extent, float]:
    """Return the extent whose inner borders lie where traces break, and how many rows break there.

    At the border of two leads the pen starts anew: ink does not go on, while even the steepest
    flank of one lead does.

    Args:
        extent: about where the columns begin and end.
        n_columns: how many.
        traces: of all rows but strips.
        across: px/mm.

    Returns:
        The extent, and the mean share of the rows that break at its inner borders, 0-1.
    """
    width = round(extent.right + SEARCH_MM * across) + 2
    near = max(round(NEAR_MM * across), 1)
    share = np.zeros(max(width, 1))
    for trace in traces:
        there = np.zeros(len(share))
        there[trace.breaks[(trace.breaks >= 0) & (trace.breaks < len(share))]] = 1
        share += np.convolve(there, np.ones(2 * near + 1), "same") > 0
    share /= len(traces)
    shifts = np.arange(-SEARCH_MM, SEARCH_MM + 0.05, 0.1) * across
    stretches = np.arange(-STRETCH, STRETCH + 1e-6, STRETCH / 6)
    border = np.arange(1, n_columns) / n_columns
    column = extent.right - extent.left
    x = extent.left + shifts[:, None, None] + (1 + stretches)[None, :, None] * border * column
    hit = share[np.clip(np.rint(x).astype(np.intp), 0, len(share) - 1)].mean(axis=2)
    cost = MOVE_COST * np.abs(shifts)[:, None] / across
    cost = cost + STRETCH_COST * 100 * np.abs(stretches)[None]
    best = hit - cost
    i, j = np.unravel_index(int(best.argmax()), best.shape)
    at_rest = hit[len(shifts) // 2, len(stretches) // 2]
    if best[i, j] - at_rest < WORTH_MOVING:
        return extent, float(at_rest)
    left = extent.left + float(shifts[i])
    return Extent(left, left + column * (1 + float(stretches[j]))), float(hit[i, j])
