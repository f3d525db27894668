"""From a picture of a page to millivolt, or a refusal that says why."""

from __future__ import annotations

import math

from dyssync.errors import FormatError
from dyssync.image import ECGImage
from dyssync.pages.digitising.digitised import (
    FS,
    NOTHING_STATED,
    Digitised,
    Geometry,
    Stated,
)
from dyssync.pages.digitising.matching import Match
from dyssync.pages.digitising.parts import read_parts
from dyssync.pages.digitising.quality import (
    LEAST_AHEAD,
    LEAST_NAMES,
    MOST_NAMES,
    SURE_RESIDUAL,
    judge,
    refusal,
)
from dyssync.pages.digitising.reading import Reading, read_page
from dyssync.pages.digitising.scaling import find_scale
from dyssync.pages.digitising.vector import read_drawing
from dyssync.pages.evidence import check_is_ecg_page


def digitise(image: ECGImage, stated: Stated = NOTHING_STATED) -> Digitised:
    """Return the ECG that a picture of a page shows.

    Args:
        image: scan, photo or print of one page with 12 leads.
        stated: what is known of it already.

    Raises:
        FormatError: it is no ECG page, or cannot be read with confidence; the message says why.
    """
    if image.drawing is not None:
        px_per_mm = image.pixels.shape[1] / image.drawing.size_mm[0]
        drawn = read_drawing(image.drawing, px_per_mm, stated)
        if drawn is not None:
            return drawn
    check_is_ecg_page(image.pixels)
    reading = read_page(image.pixels, stated.layout)
    match = reading.best
    if match is None:
        raise FormatError(f"page cannot be digitised: {reading.problem}")
    _check_named(reading, match, stated)
    scale, px_per_mm, warnings = find_scale(reading, stated)
    parts = read_parts(reading, match, scale, px_per_mm)
    quality = judge(parts, match)
    reason = refusal(quality, parts)
    if reason:
        raise FormatError(f"page cannot be digitised: {reason}")
    geometry = Geometry(
        px_per_mm, reading.page.turned + 90.0 * reading.quarters, reading.page.slack_mm,
        reading.page.coherence,
    )  # fmt: skip
    warnings += _left_out(reading, match)
    return Digitised(parts, FS, match.layout, scale, geometry, quality, tuple(warnings))


def _left_out(reading: Reading, match: Match) -> list[str]:
    """Return a warning for rows of traces that no lead was found for."""
    dropped = _rows_left_out(reading, match)
    if not dropped:
        return []
    rows = f"row {dropped[0]}" if len(dropped) == 1 else f"rows {', '.join(dropped)}"
    return [f"{rows} of {len(reading.traces)} left out: no lead of {match.layout} stands there"]


def _rows_left_out(reading: Reading, match: Match) -> list[str]:
    """Return which rows of traces no lead was found for, counted from 1."""
    used = {match.first_row + panel.row for panel in match.panels}
    return [str(k + 1) for k in range(len(reading.traces)) if k not in used]


def _check_named(reading: Reading, match: Match, stated: Stated) -> None:
    """Refuse pages on which nothing says which lead is where.

    Raises:
        FormatError: so it is.
    """
    if not reading.is_upright:
        raise FormatError(
            "page cannot be digitised: neither a calibration pulse nor lead names say which way "
            "up it is"
        )
    if stated.layout is not None:
        return
    dropped = _rows_left_out(reading, match)
    if dropped and not match.residual <= SURE_RESIDUAL:
        raise FormatError(
            f"page cannot be digitised: row {dropped[0]} of {len(reading.traces)} has no place in "
            f"{match.layout}, and the limb leads do not settle the layout. State it"
        )
    if reading.ahead < LEAST_AHEAD:
        raise FormatError(
            f"page cannot be digitised: it may be {match.layout}, or another layout as well. "
            "State it"
        )
    if match.residual <= SURE_RESIDUAL:
        return
    wanted = max(LEAST_NAMES, math.ceil(MOST_NAMES * len(match.panels)))
    if len(match.names.panels) < wanted:
        raise FormatError(
            f"page cannot be digitised: {len(match.names.panels)} lead names can be read "
            f"({wanted} needed), and the limb leads do not settle the layout. State it"
        )
