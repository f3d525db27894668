"""A picture of a page, read back to traces: what the page shows of it, drawn over the picture.

This is the one place where the page learns what was read off paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from dyssync.errors import FAULTS, told_fault
from dyssync.image import ECGImage
from dyssync.pages.digitising.digitised import Digitised, Origin, Part
from dyssync.pages.reading_off import digitised
from dyssync.web.refusals import without_content

# A4 at 300 dpi has 8.7 million pixels; more take longer and show no more of the traces (chosen).
MOST_PIXELS = 9_000_000
MOST_POINTS = 1500  # of one trace on the screen; a strip of 10 s is some 1000 px wide there
DRAWING_FAULTS: tuple[type[Exception], ...] = (*FAULTS, cv2.error)
NAME_SHARE = 0.016  # height of a name, of the picture's longer side
ORIGINS: Mapping[Origin, str] = {
    "stated": "as stated", "printed": "as printed", "pulse": "by the pulse", "assumed": "assumed",
}  # fmt: skip


@dataclass(frozen=True)
class Stroke:
    """One lead as it was read, in the picture the right way up.

    Attributes:
        lead: its name.
        path: of an SVG, px; "" where nothing could be read.
        x, y: where the name stands, px.
    """

    lead: str
    path: str
    x: float
    y: float


@dataclass(frozen=True, eq=False)
class Paper:
    """What was read off a page.

    Attributes:
        refused: why it cannot be read, or not be shown; "" where it can.
        cautions: what the reader should know, a sentence each.
        facts: layout, scale and quality in words, by title.
        width, height: of the picture the right way up, px.
        quarters: turns of 90 degrees against the clock that bring it there.
        name_px: height of a name.
        strokes: the leads, row by row.
    """

    refused: str
    cautions: tuple[str, ...] = ()
    facts: Mapping[str, str] | None = None
    width: int = 0
    height: int = 0
    quarters: int = 0
    name_px: float = 0.0
    strokes: Sequence[Stroke] = ()


def read_paper(image: ECGImage) -> tuple[Paper, ECGImage]:
    """Return what is read off a picture of a page, or why nothing is; and the picture with its ECG.

    The page is read once for both: what is drawn over it is what is measured. A fault of ours in
    drawing leaves the ECG, and what is said of it, as they are.
    """
    try:
        small = _bounded(image)
    except DRAWING_FAULTS as error:
        reason = told_fault(error)
        return Paper(reason), replace(image, unread=reason)
    read, tried = digitised(small)
    reason = without_content(tried.unread)
    whole = replace(image, ecg=tried.ecg, unread=reason)
    if read is None:
        return Paper(reason), whole
    try:
        return _paper(read, small), whole
    except DRAWING_FAULTS as error:
        return Paper(told_fault(error)), whole


def _paper(read: Digitised, small: ECGImage) -> Paper:
    quarters = round(read.geometry.turned / 90) % 4
    height, width = small.pixels.shape[:2]
    if quarters % 2:
        height, width = width, height
    name_px = NAME_SHARE * max(height, width)
    return Paper(
        "", read.warnings, _facts(read), width, height, quarters, name_px,
        [_stroke(part, name_px) for part in read.parts],
    )  # fmt: skip


def _bounded(image: ECGImage) -> ECGImage:
    height, width = image.pixels.shape[:2]
    if height * width <= MOST_PIXELS:
        return image
    scale = (MOST_PIXELS / (height * width)) ** 0.5
    size = round(width * scale), round(height * scale)
    pixels = np.asarray(cv2.resize(image.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return replace(image, pixels=pixels)


def _facts(read: Digitised) -> Mapping[str, str]:
    """Return layout, scale and quality as a person reads them."""
    scale, quality = read.scale, read.quality
    sure = [f"{quality.score:.2f} of 1", f"{quality.seen:.0%} of the traces could be followed"]
    if np.isfinite(quality.limb_residual):
        sure.append(f"limb leads agree but for {quality.limb_residual:.0%}")
    if np.isfinite(quality.strip):
        sure.append(f"the strip repeats its lead by {quality.strip:.2f}")
    return {
        "Layout": read.layout,
        "Leads": ", ".join(read.leads),
        "Names": f"{quality.names:.0%} of them can be read at their places",
        "Paper speed": f"{scale.speed_mm_s:g} mm/s, {ORIGINS[scale.speed_from]}",
        "Gain": f"{scale.gain_mm_mv:g} mm/mV, {ORIGINS[scale.gain_from]}",
        "Sureness": "; ".join(sure),
    }


def _stroke(part: Part, name_px: float) -> Stroke:
    known = np.isfinite(part.trace[:, 1])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]])))
    every = max(1, len(known) // MOST_POINTS)
    runs = [part.trace[a:b:every] for a, b in zip(edges[::2], edges[1::2], strict=True)]
    path = "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run.tolist()) for run in runs)
    if not runs:
        return Stroke(part.lead, "", 0.0, 0.0)
    x, y = runs[0][0].tolist()
    return Stroke(part.lead, path, round(x + name_px / 3, 1), round(y - 1.6 * name_px, 1))
