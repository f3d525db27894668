"""Drawing of Grad-CAM maps over the pictures that the network saw. Scaling happens here only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dyssync.arrays import Bytes, Floats, Singles
from dyssync.explanation.maps import CamMaps
from dyssync.figures.palette import SOFT_INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 4.7  # inches
# White to orange to vermillion; the picture is multiplied with it, so that the trace stays black.
HEAT = np.array([[255, 255, 255], [253, 208, 140], [230, 130, 40], [200, 62, 10]]) / 255.0


def plot_overlay(cams: CamMaps, index: int, scale: float) -> Figure:
    """Draw one map over its picture, the lead boxes around it.

    Args:
        cams: maps, pictures and boxes of a model.
        index: which of them.
        scale: map value that gets the full colour, > 0; larger values get it too.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    picture = cams.pictures[index]
    height, width = picture.shape
    figure = Figure(figsize=(WIDTH, WIDTH * height / width))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(blend(picture, cams.maps[index], scale), interpolation="antialiased")
    axes.set_axis_off()
    for lead, x0, y0, x1, y1 in cams.boxes:
        frame = Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, ec="#7B8794", lw=0.5)
        axes.add_patch(frame)
        axes.text(
            x0 + 0.008 * width, y0 + 0.01 * height, lead, fontsize=7, va="top", color=SOFT_INK
        )
    return figure


def blend(picture: Bytes, cam: Singles, scale: float) -> Floats:
    """Return the picture, dark on white, tinted by the map, (H, W, 3) float64, 0-1.

    A picture that is mostly dark is inverted: the tint needs white paper.

    Args:
        picture: (H, W) uint8.
        cam: (h, w) float32, >= 0; stretched bilinearly over the picture.
        scale: map value of full tint, > 0.
    """
    import cv2

    paper = picture.astype(np.float64) / 255.0
    if np.median(paper) < 0.5:
        paper = 1.0 - paper
    clean = np.nan_to_num(cam.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    height, width = picture.shape
    heat = cv2.resize(clean, (width, height), interpolation=cv2.INTER_LINEAR)  # (H, W)
    level = np.clip(heat / scale, 0.0, 1.0)
    stops = np.linspace(0.0, 1.0, len(HEAT))
    tint = np.stack([np.interp(level, stops, HEAT[:, c]) for c in range(3)], axis=-1)  # (H, W, 3)
    return np.asarray(paper[..., None] * tint)
