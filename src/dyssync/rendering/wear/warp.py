"""The geometric part of wear: a page seen at an angle that does not lie flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from dyssync.arrays import Floats, Singles
from dyssync.rendering.rendered import LeadBox, Picture, as_picture
from dyssync.rendering.wear.drawn import Wear

CELL = 16  # px; the map is exact at the nodes of this mesh and linear between them
OUTLINE = 9  # points on each side of a box that is warped
ITERATIONS = 12  # the bend shrinks the error at least tenfold in each


def is_flat(wear: Wear) -> bool:
    """Whether the page keeps its place."""
    return wear.bend == 0 and all(shift == (0.0, 0.0) for shift in wear.corners)


def _homography(wear: Wear, size: tuple[int, int]) -> Floats:
    """Return the matrix (3, 3) from the page to the picture, both in px."""
    page, picture = _corners(wear, size)
    return np.asarray(cv2.getPerspectiveTransform(page, picture), np.float64)


def _corners(wear: Wear, size: tuple[int, int]) -> tuple[Singles, Singles]:
    """Return the corners of the page before and after, (4, 2) px each."""
    extent = np.array([size[1], size[0]], np.float32)
    page = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * extent
    return page, page + np.array(wear.corners, np.float32) * extent


def _project(matrix: Floats, points: Floats) -> Floats:
    """Apply a homography to points (..., 2)."""
    homogeneous = points @ matrix[:, :2].T + matrix[:, 2]
    projected: Floats = homogeneous[..., :2] / homogeneous[..., 2:]
    return projected


def _bend(wear: Wear, size: tuple[int, int], points: Floats) -> Floats:
    """Return by how many px down the page lies off the plane at points (..., 2) of the picture."""
    phase = 2 * np.pi * (points[..., 0] / size[1] * wear.bend_waves + wear.bend_phase)
    lift: Floats = wear.bend * size[0] * np.sin(phase)
    return lift


def warp_points(wear: Wear, size: tuple[int, int], points: npt.ArrayLike) -> Floats:
    """Return where points of the page are in the worn picture.

    Args:
        wear: what was drawn.
        size: height and width of the picture, px.
        points: (..., 2) x and y on the page, px.

    Returns:
        (..., 2) float64, x and y in the picture, px; within 0.01 px of the drawn picture's map.
    """
    page = np.asarray(points, np.float64)
    matrix = _homography(wear, size)
    found = _project(matrix, page)
    for _ in range(ITERATIONS if wear.bend else 0):
        bent = page.copy()
        bent[..., 1] -= _bend(wear, size, found)
        found = _project(matrix, bent)
    return found


def warp_image(image: Picture, wear: Wear) -> Picture:
    """Return the picture of the page, same shape; the desk shows beside it."""
    height, width = image.shape[:2]
    nodes = _nodes((height, width))
    page_corners, picture_corners = _corners(wear, (height, width))
    matrix = cv2.getPerspectiveTransform(picture_corners, page_corners)
    page = np.asarray(cv2.perspectiveTransform(nodes, matrix), np.float64)
    bend = _bend(wear, (height, width), nodes[0])  # the same in all rows
    # OpenCV counts from the centre of the first pixel.
    x_map = _refine(page[..., 0] - 0.5, (height, width))
    y_map = _refine(page[..., 1] + bend - 0.5, (height, width))
    beside, grey = cv2.BORDER_CONSTANT, (wear.desk,) * 3
    return as_picture(
        cv2.remap(image, x_map, y_map, cv2.INTER_LINEAR, borderMode=beside, borderValue=grey)
    )


@lru_cache(maxsize=16)
def _nodes(size: tuple[int, int]) -> Floats:
    """Return x and y of the nodes of the mesh, (rows, columns, 2) px, read-only."""
    rows, columns = (-(-n // CELL) + 2 for n in size)
    y, x = np.meshgrid(np.arange(rows) - 0.5, np.arange(columns) - 0.5, indexing="ij")
    nodes: Floats = np.stack([x, y], axis=-1) * CELL
    nodes.flags.writeable = False
    return nodes


def _refine(coarse: Floats, size: tuple[int, int]) -> Singles:
    """Return a map for each pixel from one for the nodes of the mesh."""
    rows, columns = coarse.shape
    fine = cv2.resize(coarse.astype(np.float32), (columns * CELL, rows * CELL))
    return np.asarray(fine[CELL : CELL + size[0], CELL : CELL + size[1]], np.float32)


def warp_boxes(boxes: Sequence[LeadBox], wear: Wear, size: tuple[int, int]) -> tuple[LeadBox, ...]:
    """Return the upright boxes around the warped ones; scale and baseline are those at mid-box."""
    if not boxes:
        return ()
    edge = np.linspace(0, 1, OUTLINE)
    zero, one = np.zeros(OUTLINE), np.ones(OUTLINE)
    share_x = np.concatenate([edge, edge, zero, one])
    share_y = np.concatenate([zero, one, edge, edge])
    corners = np.array([(box.x0, box.y0, box.x1, box.y1) for box in boxes])
    x0, y0, x1, y1 = corners.T[:, :, None]
    baseline = np.array([box.baseline_px for box in boxes])[:, None]
    # The outline of each box, then on its line of 0 mV: middle, 1 px above it, both ends
    points_x = np.concatenate([x0 + (x1 - x0) * share_x, (x0 + x1) / 2, (x0 + x1) / 2, x0, x1], 1)
    points_y = np.concatenate(
        [y0 + (y1 - y0) * share_y, baseline, baseline - 1, baseline, baseline], 1
    )
    warped = warp_points(wear, size, np.stack([points_x, points_y], axis=-1))
    limits = np.array([size[1], size[0]], np.float64)
    lowest = np.clip(warped[:, :-4].min(axis=1), 0, limits)
    highest = np.clip(warped[:, :-4].max(axis=1), 0, limits)
    middle, above, left, right = warped[:, -4:].swapaxes(0, 1)
    stretch = (right - left)[:, 0] / np.maximum(x1 - x0, 1e-9)[:, 0]
    return tuple(
        replace(
            box,
            x0=float(lowest[i, 0]),
            y0=float(lowest[i, 1]),
            x1=float(highest[i, 0]),
            y1=float(highest[i, 1]),
            px_per_s=box.px_per_s * float(stretch[i]),
            px_per_mv=box.px_per_mv * float(middle[i, 1] - above[i, 1]),
            baseline_px=float(middle[i, 1]),
        )
        for i, box in enumerate(boxes)
    )
