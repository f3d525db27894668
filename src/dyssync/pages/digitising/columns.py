"""Where the columns of leads begin and end on a flat page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dyssync.arrays import Floats, Singles
from dyssync.pages.digitising.pulses import Pulse
from dyssync.pages.digitising.traced import Trace

NEAR_ROW_MM = 0.6  # above and below the end of a row, where its pen is
REST_MM = (0.2, 4.0)  # level line beside a pulse
USUAL_MM = (250.0, 260.0, 200.0)  # widths of all columns together: ten seconds, mostly
USUAL_SLACK = 0.02
SAME_END_MM = 0.2  # within which most rows begin, or end
SAME_MM = 0.4  # by which a width may miss a usual one when both of its ends are right
LEAST_WIDTH_MM = 60.0  # of all columns: four of 15 mm, in which no beat is whole
SEARCH_MM = 4.5  # how far borders are looked for
SETTLED_MM = 0.5  # the same, where both ends were seen: bars between leads hide where they break
STRETCH = 0.01  # how much columns may be stretched
NEAR_MM = 0.25  # of a border, within which rows break
MOVE_COST = 0.03  # share of rows, for a mm
STRETCH_COST = 0.15  # for a per cent
WORTH_MOVING = 0.2  # share of rows


@dataclass(frozen=True)
class Extent:
    """Where the first column begins and the last one ends, px of the flat page.

    Attributes:
        left, right: these.
        settled: whether most rows begin and end there, a usual width apart.
    """

    left: float
    right: float
    settled: bool = False


def find_ends(traces: Sequence[Trace], cover: Singles, down: float) -> Floats:
    """Return where the ink of each row begins and ends, (rows, 2) px, finer than a pixel.

    Args:
        traces: of all rows.
        cover: (H, W) of the flat page.
        down: px/mm.
    """
    found = np.array([trace.ends for trace in traces])
    for row, (trace, (left, right)) in enumerate(zip(traces, found, strict=True)):
        inside = trace.heights[np.isfinite(trace.heights)]
        if not len(inside):
            continue
        # five columns: two outside of the row, its last one and two more
        for end, y, columns in (
            (0, inside[0], int(left) + np.arange(-2, 3)),
            (1, inside[-1], math.ceil(right) + np.arange(1, -4, -1)),
        ):
            if columns.min() < 0 or columns.max() >= cover.shape[1]:
                continue
            near = slice(max(round(y - NEAR_ROW_MM * down), 0), round(y + NEAR_ROW_MM * down) + 1)
            ink = cover[near, columns].sum(axis=0) - cover[near, columns[0]].sum()
            full = float(ink[3:].mean())
            if full > 0:
                # how much of the last pixel, and of the paler one beyond, is inked
                missing = 1 - float(np.clip((ink[1] + ink[2]) / full, 0.0, 2.0))
                found[row, end] += missing if end == 0 else -missing
    return found


def find_extents(
    ends: Floats, pulses: Sequence[Pulse], across: float, *, has_grid: bool
) -> tuple[Extent, ...]:
    """Return where the leads may begin and end, the likeliest first.

    Args:
        ends: of all rows (:func:`find_ends`).
        pulses: that were found at one end of the rows.
        across: px/mm.
        has_grid: of which `across` is; a guess brings no width to a usual one.
    """
    # A steep trace may be seen late, never early.
    left = float(np.quantile(ends[:, 0], 0.5, method="lower"))
    right = float(np.quantile(ends[:, 1], 0.5, method="higher"))
    whole = Extent(left, right)
    agreed = np.abs(ends - [left, right]) < SAME_END_MM * across
    left_sure, right_sure = agreed.mean(axis=0) > 0.5
    fixed = [whole.left, whole.right]  # what is surer than the other end, if either is
    if pulses:
        rise = float(np.median([pulse.rise for pulse in pulses]))
        fall = float(np.median([pulse.fall for pulse in pulses]))
        if fall < (left + right) / 2:
            left = fall + min(max(rise - left, REST_MM[0] * across), REST_MM[1] * across)
            fixed = [whole.right if right_sure else left]
        elif rise > (left + right) / 2:
            right = rise - min(max(right - fall, REST_MM[0] * across), REST_MM[1] * across)
            fixed = [whole.left if left_sure else right]
    found = [Extent(left, right)]
    if pulses:  # some recorders draw it over the beginning of the first leads
        found.append(whole)
    if has_grid:
        sure = fixed, [whole.left, whole.right]
        found = [_usual(*pair, across) for pair in zip(found, sure, strict=False)]
    same = any(abs(whole.right - whole.left - mm * across) < SAME_MM * across for mm in USUAL_MM)
    if has_grid and not pulses and same and left_sure and right_sure:
        found[0] = replace(found[0], settled=True)
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
            # where both ends say the same, the middle between them is surer than either
            if len(fixed) > 1 or abs(width - exact) < SAME_MM * across:
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
    reach = SETTLED_MM if extent.settled else SEARCH_MM
    shifts = np.arange(-reach, reach + 0.05, 0.1) * across
    stretches = np.arange(-STRETCH, STRETCH + 1e-6, STRETCH / 6) * (not extent.settled)
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
