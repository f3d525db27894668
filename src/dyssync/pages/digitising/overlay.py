"""A picture for people: the page pale, and over it what was read of every lead."""

from __future__ import annotations

import cv2
import numpy as np

from dyssync.pages.digitising.digitised import Digitised, Part
from dyssync.rendering.lettering import write_text
from dyssync.rendering.rendered import Picture, as_picture

PALE = 0.4  # of the page's own contrast
# Neighbours on a page differ; told apart by most colour-blind people (Okabe and Ito 2008).
COLOURS = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (86, 60, 20), (0, 0, 0))
NAME_SHARE = 0.02  # height of a name, of the picture's longer side
SUB_PIXEL = 3  # binary digits of a pixel to which lines are drawn


def draw_overlay(pixels: Picture, read: Digitised) -> Picture:
    """Return the page with the traces that were read, in the place where they were found.

    Args:
        pixels: (H, W, 3) RGB uint8, the picture that was read.
        read: what was read of it.
    """
    page = as_picture(cv2.convertScaleAbs(pixels, alpha=PALE, beta=255 * (1 - PALE)))
    # Parts lie on the page the right way up; it is turned as it was to be read.
    quarters = round(read.geometry.turned / 90) % 4
    page = np.ascontiguousarray(np.rot90(page, quarters))
    thickness = max(round(max(page.shape) / 1600), 1)
    height = max(round(NAME_SHARE * max(page.shape)), 8)
    for index, part in enumerate(read.parts):
        colour = COLOURS[index % len(COLOURS)]
        _draw_part(page, part, colour, thickness)
        known = np.flatnonzero(np.isfinite(part.trace[:, 1]))
        if len(known):
            x, y = part.trace[known[0]]
            corner = float(x) + height / 3, float(y) - 2.2 * height
            write_text(page, part.lead, corner, height, colour, own=True)
    return page


def _draw_part(page: Picture, part: Part, colour: tuple[int, int, int], thickness: int) -> None:
    known = np.isfinite(part.trace[:, 1])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]])))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        line = np.rint(part.trace[begin:end] * 2**SUB_PIXEL).astype(np.int32)
        cv2.polylines(
            page, [line.reshape(-1, 1, 2)], False, colour, thickness, cv2.LINE_AA, SUB_PIXEL
        )
