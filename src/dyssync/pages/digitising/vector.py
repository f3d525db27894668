"""Pages that a program drew (PDF): their lines are the signals, their words say of what.

No ink is looked for, so that every sample comes back as it was written. Where the lines are no
traces, or words do not name them, the page is read as a picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import LEADS, LIMB_LEADS
from dyssync.errors import FormatError
from dyssync.image import Drawing
from dyssync.layouts import LAYOUTS
from dyssync.pages.digitising.digitised import (
    FS,
    Digitised,
    Geometry,
    Part,
    Stated,
)
from dyssync.pages.digitising.drawn_names import NamedTrace, named_traces
from dyssync.pages.digitising.drawn_scale import DrawnScale, find_drawn_scale
from dyssync.pages.digitising.lines import (
    LEAST_POINTS,
    LineTrace,
    traces_among,
    without_pulse,
)
from dyssync.pages.digitising.physics import limb_residual, same_lead
from dyssync.pages.digitising.quality import quality_of, refusal

ROW_MM = 6.0  # between the levels of traces of one row, at most
STRIP_WIDER = 1.5  # times the usual width of a trace
SLACK = 5  # samples by which a strip may lie beside its lead


def read_drawing(drawing: Drawing, px_per_mm: float, stated: Stated) -> Digitised | None:
    """Return what a page shows, by its lines and words; None where these do not say it.

    Args:
        drawing: of the page.
        px_per_mm: scale of the picture of it.
        stated: what is known of it already.

    Raises:
        FormatError: words contradict what is stated, or leads each other.
    """
    named = named_traces(traces_among(drawing.lines), drawing.words)
    if {one.lead for one in named} != set(LEADS):
        return None
    scale = find_drawn_scale(drawing, stated)
    if scale.mm is None:
        return None
    if _some_too_short(named):
        return None
    named = [_after_pulse(one, scale) for one in named]
    if _some_too_short(named):
        return None
    parts = _placed(named, scale, px_per_mm)
    layout = _layout_name(parts)
    if stated.layout is not None and layout != stated.layout:
        raise FormatError(f"layout {stated.layout} is stated, the page shows {layout}")
    quality = quality_of(parts, _residual(parts), _strip(parts), 1.0)
    if reason := refusal(quality, parts):
        raise FormatError(f"page cannot be digitised: {reason}")
    geometry = Geometry((px_per_mm, px_per_mm), 0.0, 0.0, 1.0)
    return Digitised(parts, FS, layout, scale.scale, geometry, quality, scale.warnings, exact=True)


def _some_too_short(named: Sequence[NamedTrace]) -> bool:
    """Return whether of a trace too little is left, as where it is broken or is but a pulse."""
    return min(len(one.trace.x) for one in named) < LEAST_POINTS


def _after_pulse(one: NamedTrace, scale: DrawnScale) -> NamedTrace:
    per_mv = scale.mm_per_mv(limb=one.lead in LIMB_LEADS)
    return NamedTrace(one.lead, one.sign, without_pulse(one.trace, scale.mm_per_s, per_mv))


def _rows_of(traces: Sequence[LineTrace]) -> list[list[LineTrace]]:
    """Return the traces row by row from the top, each from the left."""
    rows: list[list[LineTrace]] = []
    for trace in sorted(traces, key=lambda t: t.level):
        if rows and trace.level - np.median([t.level for t in rows[-1]]) <= ROW_MM:
            rows[-1].append(trace)
        else:
            rows.append([trace])
    return [sorted(row, key=lambda t: float(t.x[0])) for row in rows]


def _placed(named: Sequence[NamedTrace], scale: DrawnScale, px_per_mm: float) -> tuple[Part, ...]:
    """Return the traces as parts with their rows and columns."""
    lefts = sorted(float(one.trace.x[0]) for one in named)
    starts = [x for k, x in enumerate(lefts) if not k or x - lefts[k - 1] > ROW_MM]
    width = float(np.median([np.ptp(one.trace.x) for one in named]))
    rows = _rows_of([one.trace for one in named])
    row_of = {id(trace): k for k, row in enumerate(rows) for trace in row}
    found = []
    for one in named:
        first = float(one.trace.x[0])
        column = int(np.argmin([abs(first - x) for x in starts]))
        rhythm = len(starts) > 1 and float(np.ptp(one.trace.x)) > STRIP_WIDER * width
        start_s = (first - starts[0]) / scale.mm_per_s
        found.append((row_of[id(one.trace)], column, rhythm, start_s, one))
    found.sort(key=lambda entry: entry[:2])
    return tuple(
        _part(one, row, column, rhythm, start_s, scale, px_per_mm)
        for row, column, rhythm, start_s, one in found
    )


def _part(
    one: NamedTrace,
    row: int,
    column: int,
    rhythm: bool,
    start_s: float,
    scale: DrawnScale,
    px_per_mm: float,
) -> Part:
    """Return one lead, sampled evenly."""
    x, y = one.trace.x, one.trace.y
    times = np.arange(int((x[-1] - x[0]) / scale.mm_per_s * FS + 0.5) + 1) / FS
    wanted = x[0] + times * scale.mm_per_s
    down: Floats = np.interp(wanted, x, y)
    mm_per_mv = scale.mm_per_mv(limb=one.lead in LIMB_LEADS)
    millivolts = one.sign * (np.median(down) - down) / mm_per_mv
    on_page = np.stack([wanted, down], axis=1) * px_per_mm
    return Part(
        one.lead, row, column, rhythm, start_s, millivolts.astype(np.float32),
        np.ones(len(times), np.float32), on_page.astype(np.float32),
    )  # fmt: skip


def _layout_name(parts: Sequence[Part]) -> str:
    """Return the layout that has these leads where they are, or its rows and columns."""
    cells = {(part.lead, part.row, part.column, part.rhythm) for part in parts}
    for name in LAYOUTS:
        panels = LAYOUTS[name].panels
        if {(p.lead, p.row, p.column, p.rhythm) for p in panels} == cells:
            return name
    plain = [part for part in parts if not part.rhythm]
    rows, columns = (1 + max(getattr(p, side) for p in plain) for side in ("row", "column"))
    return "+".join([f"{rows}x{columns}", *(part.lead for part in parts if part.rhythm)])


def _residual(parts: Sequence[Part]) -> float:
    """Return the worst that limb leads of a column leave unexplained; NaN without three."""
    found = []
    for column in {part.column for part in parts}:
        limb = [p for p in parts if p.column == column and p.lead in LIMB_LEADS and not p.rhythm]
        n = min((len(part.millivolts) for part in limb), default=0)
        leads = {part.lead: part.millivolts[:n].astype(np.float64) for part in limb}
        found.append(limb_residual(leads) if leads else float("nan"))
    known = [value for value in found if np.isfinite(value)]
    return max(known, default=float("nan"))


def _strip(parts: Sequence[Part]) -> float:
    """Return the worst likeness of a strip and its lead beside it; NaN without."""
    found = []
    for strip in (part for part in parts if part.rhythm):
        for part in parts:
            if part.lead != strip.lead or part.rhythm:
                continue
            first = round((part.start_s - strip.start_s) * FS)
            same = strip.millivolts[max(first, 0) :][: len(part.millivolts)].astype(np.float64)
            found.append(same_lead(part.millivolts[: len(same)].astype(np.float64), same, SLACK))
    known = [value for value in found if np.isfinite(value)]
    return min(known, default=float("nan"))
