"""The leads of a page whose layout is known: its ink without names and bars, traced and sampled."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from dyssync.arrays import Floats, Singles
from dyssync.layouts import Panel
from dyssync.pages.digitising.bars import find_bars
from dyssync.pages.digitising.digitised import FS, Part, Scale
from dyssync.pages.digitising.matching import Match
from dyssync.pages.digitising.reading import Reading
from dyssync.pages.digitising.runs import find_runs
from dyssync.pages.digitising.sampling import bridged, sampled, tall
from dyssync.pages.digitising.traced import trace_stretches

BORDER_MM = 0.25  # to both sides of a border, where the pen of the other lead reaches over


def read_parts(
    reading: Reading, match: Match, scale: Scale, px_per_mm: tuple[float, float]
) -> tuple[Part, ...]:
    """Return all leads of a page.

    Args:
        reading: of the page.
        match: the layout laid over it.
        scale: speed and gain.
        px_per_mm: scale across and down.
    """
    cover = reading.page.cover.copy()
    _wipe_names(cover, reading, match)
    borders = _wipe_bars(cover, reading, match)
    spans = [match.span(panel) for panel in match.panels]
    lines = [_line(reading, match, panel, *match.span(panel)) for panel in match.panels]
    stretches = trace_stretches(
        find_runs(cover, reading.least), lines, spans, reading.page.px_per_mm
    )
    return tuple(
        _part(reading, match, panel, _without_neighbours(stretch, panel, borders, px_per_mm[0]),
              scale, px_per_mm)
        for panel, stretch in zip(match.panels, stretches, strict=True)
    )  # fmt: skip


def _wipe_names(cover: Singles, reading: Reading, match: Match) -> None:
    """Wipe letters off `cover`, in place, but what goes on beyond their word: that is a trace."""
    for index in match.names.words:
        word = reading.words[index]
        top, left = max(int(word.top) - 1, 0), max(int(word.left) - 1, 0)
        here = cover[top : math.ceil(word.bottom) + 2, left : math.ceil(word.right) + 2]
        ink = (here >= reading.least).astype(np.uint8)
        count, labels = cv2.connectedComponents(ink, connectivity=8)
        edges = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
        inside = np.setdiff1d(np.arange(1, count), edges)
        here[np.isin(labels, inside)] = 0


def _wipe_bars(cover: Singles, reading: Reading, match: Match) -> list[float]:
    """Wipe the separators off `cover`, in place; return the borders that have none, px."""
    rows = sorted({panel.row for panel in match.panels if not panel.rhythm})
    lines = [reading.traces[match.first_row + row].row.line for row in rows]
    runs = find_runs(cover, reading.least)
    without = []
    for k in range(1, match.n_columns):
        border = match.left + k * match.column_px
        bars = find_bars(runs, lines, border, reading.page.px_per_mm)
        for bar in bars:
            cover[bar.top : bar.bottom, bar.left : bar.right] = 0
        if not bars:
            without.append(border)
    return without


def _line(reading: Reading, match: Match, panel: Panel, start: float, stop: float) -> float:
    """Return the zero line of a panel, px: the middle of what was first seen of it."""
    trace = reading.traces[match.first_row + panel.row]
    heights = trace.between(start, stop)
    known = heights[np.isfinite(heights)]
    return float(np.median(known)) if len(known) else trace.row.line


def _without_neighbours(
    stretch: tuple[Floats, Floats, Floats], panel: Panel, borders: Sequence[float], across: float
) -> tuple[Floats, Floats, Floats]:
    """Return a stretch without what the end of the lead beside it leaves at a border."""
    x, heights, confidence = stretch
    if panel.rhythm or not borders:
        return stretch
    near = np.abs(x[:, None] - np.array(borders)).min(axis=1) < BORDER_MM * across
    return x, np.where(near & tall(heights), np.nan, heights), confidence


def _part(
    reading: Reading,
    match: Match,
    panel: Panel,
    stretch: tuple[Floats, Floats, Floats],
    scale: Scale,
    px_per_mm: tuple[float, float],
) -> Part:
    """Return one lead, sampled evenly."""
    start, stop = match.span(panel)
    px_per_s = px_per_mm[0] * scale.speed_mm_s
    x = stretch[0]
    heights, confidence = bridged(*stretch[1:], px_per_s)
    # half a sample of rounding is no reason to lose the last one
    times = np.arange(math.floor((stop - start) / px_per_s * FS + 0.5)) / FS
    wanted = start + times * px_per_s
    height = sampled(wanted, x, heights)
    trust = np.where(np.isfinite(height), np.interp(wanted, x, confidence), 0.0)
    gain = scale.gain_mm_mv * px_per_mm[1] * (-1.0 if panel.inverted else 1.0)
    zero = np.nanmedian(height) if np.isfinite(height).any() else np.nan
    on_x, on_y = reading.page.in_picture(wanted - 0.5, np.nan_to_num(height - 0.5))
    on_page = np.stack([on_x, np.where(np.isfinite(height), on_y, np.nan)], axis=1)
    return Part(
        panel.lead, panel.row, panel.column, panel.rhythm,
        panel.column * match.column_px / px_per_s,
        ((zero - height) / gain).astype(np.float32), trust.astype(np.float32),
        on_page.astype(np.float32),
    )  # fmt: skip
