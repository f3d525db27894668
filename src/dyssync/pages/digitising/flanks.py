"""What steep flanks lost: a fast pen leaves too little ink to stand out of a dark grid."""

from __future__ import annotations

import cv2
import numpy as np

from dyssync.arrays import Singles

GAP_MM = 1.5  # down, between two parts of a flank (chosen: the largest seen on photos is 1.4)
WEAK = 0.55  # of the cover of ink: what is left of a flank has more, bare paper less (chosen)


def join_flanks(cover: Singles, least: float, px_per_mm: float) -> Singles:
    """Return `cover` where faint ink counts if dark ink goes on close above and below it.

    Args:
        cover: (h, w) share of ink of the flat page.
        least: cover from which a pixel is ink.
        px_per_mm: scale down.
    """
    dark = (cover >= least).astype(np.uint8)
    # a flank leans: its parts may stand in neighbouring columns
    wide = cv2.dilate(dark, np.ones((1, 3), np.uint8))
    reach = max(round(GAP_MM * px_per_mm), 1) + 1
    closed = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, np.ones((reach, 1), np.uint8))
    # beside dark ink it is the soft edge of a line, which is as wide as it was
    faint = (closed > 0) & (wide == 0) & (cover >= WEAK * least)
    return np.where(faint, np.float32(least), cover)
