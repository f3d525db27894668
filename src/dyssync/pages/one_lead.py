"""Does a page show one lead all over, as recorders for the wrist or the pocket print it?

Twelve leads see a heart from twelve sides: aVR stands on its head, V1 goes down where V6 goes up.
On a page of one lead every beat looks like the others. Nothing is measured here: beats are compared
as shapes of ink.
"""

from __future__ import annotations

import cv2
import numpy as np

from dyssync.arrays import Bools, Floats
from dyssync.pages.evidence import WIDTH, ink_of
from dyssync.rendering.rendered import Picture

# px of a picture 1000 px wide: 25 mm/s on a page of 250 mm is 100 px a second
LEAST_LENGTH, LEAST_HEIGHT = 150, 6  # of a trace
LEAST_PEAK = 4.0  # height of a QRS over its surroundings
AROUND, APART, SURROUNDINGS = 20, 12, 31
FILLED = 0.4  # share of its box that is ink: more is a block, no curve
# Beats on the page; the correlation of their shapes with the most typical one that 85 of 100 reach.
# On 45 real pages and drawn ones of all layouts it is 0.1 at most, mostly below -0.3.
LEAST_BEATS, ALIKE = 8, 0.5

MOST = 0.5  # of the ink lies in the traces that were looked at; else too little of the page was

ONE_LEAD = (
    "every beat on the page looks like the others, as on a page of one lead: twelve leads are not "
    "to be seen on it"
)


def shows_one_lead(pixels: Picture) -> bool:
    """Return whether `pixels`, (H, W, 3) RGB uint8, clearly show one lead; in doubt they do not."""
    beats = _beats(ink_of(pixels))
    if len(beats) < LEAST_BEATS:
        return False
    level = np.median(beats, axis=1, keepdims=True)
    shapes = np.asarray(cv2.blur((beats - level).astype(np.float32), (5, 1)))  # some lie 2 px off
    shapes = shapes / np.maximum(np.linalg.norm(shapes, axis=1, keepdims=True), 1e-9)
    alike = shapes @ shapes.T
    typical = int(np.argmax(np.median(alike, axis=1)))
    return bool(np.percentile(alike[typical], 15) >= ALIKE)


def _beats(ink: Picture) -> Floats:
    """Return what the long traces do around each QRS, (beats, 2 * AROUND + 1) px, up positive."""
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found: list[Floats] = []
    longest, inked = 0, 0
    for part in range(1, count):
        x, y, width, height, area = boxes[part].tolist()
        if width < LEAST_LENGTH or height < LEAST_HEIGHT or area > FILLED * width * height:
            continue
        longest, inked = max(longest, width), inked + area
        curve = _curve(labels[y : y + height, x : x + width] == part)
        found += [curve[at - AROUND : at + AROUND + 1] for at in _peaks(curve)]
    # pieces of traces, or one on a page whose other ink runs together, say nothing
    enough = longest > WIDTH / 3 and inked > MOST * int(joined.sum())
    return np.array(found) if found and enough else np.empty((0, 2 * AROUND + 1))


def _curve(mask: Bools) -> Floats:
    """Return how far a trace reaches from its level in each column, px, up positive."""
    drawn = mask.any(axis=0)
    top, bottom = mask.argmax(axis=0), len(mask) - 1 - mask[::-1].argmax(axis=0)
    level = float(np.median((top + bottom)[drawn] / 2))
    up, down = level - top, bottom - level
    return np.where(drawn, np.where(up >= down, up, -down), 0.0)


def _peaks(curve: Floats) -> list[int]:
    """Return where a curve stands out most, in steps of a beat at least."""
    around = cv2.blur(curve.astype(np.float32)[None], (SURROUNDINGS, 1))[0]
    height = np.abs(curve - around)
    least = 0.5 * float(np.percentile(height, 98))
    if least < LEAST_PEAK:
        return []
    found: list[int] = []
    for at in range(AROUND, len(curve) - AROUND):
        highest = height[at] == height[at - APART : at + APART + 1].max()
        if height[at] > least and highest and (not found or at - found[-1] > AROUND):
            found.append(at)
    return found
