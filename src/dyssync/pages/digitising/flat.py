"""The page made flat: a picture in millimetres of paper, drawn anew where it bends."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from dyssync.arrays import Floats, Singles
from dyssync.pages.digitising.carrier import Surface, fit_surfaces
from dyssync.pages.digitising.lattice import LONG_SIDE, Lattice

SCALE_RANGE = (5.0, 16.0)  # px/mm in which traces are followed; others are brought to its ends
STRAIGHT_PX = 0.3  # a page whose points lie nearer to an even scale than this is left as it is
# px between the points at which the way back to the picture is computed; between them it is linear,
# as OpenCV's cubic does not even leave a plane a plane: 1.2 px off between points 24 px apart
MESH = 12
NEWTON_ROUNDS = 5
MAX_SIDE_MM = 600.0  # of a page made flat; larger is a surface that ran away


@dataclass(frozen=True, eq=False)
class FlatPage:
    """A page that lies straight.

    Attributes:
        cover: (h, w) float32, share of each pixel that ink covers.
        px_per_mm: scale across and down.
        coherence: how well the lines of the grid agree with being straight now, 0-1; 0 without one.
        slack_mm: SD of single places about that, mm.
        turned: degrees by which the page had been turned, clockwise.
        x_map, y_map: (h, w) picture coordinates of each pixel, px; None where nothing was moved.
        scale: pixels of the picture a pixel, where the picture was only scaled.
        sureness: how well both kinds of lines, 5 mm and 1 mm apart, agree with it, 0-2.
    """

    cover: Singles
    px_per_mm: tuple[float, float]
    coherence: float
    slack_mm: float
    turned: float
    x_map: Singles | None = None
    y_map: Singles | None = None
    scale: float = 1.0
    sureness: float = 0.0

    def in_picture(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return where points of the flat page (px) are in the picture, px."""
        if self.x_map is None or self.y_map is None:
            return (x + 0.5) * self.scale - 0.5, (y + 0.5) * self.scale - 0.5
        column = np.clip(x, 0, self.cover.shape[1] - 1).astype(np.float32)
        row = np.clip(y, 0, self.cover.shape[0] - 1).astype(np.float32)
        shape = column.shape
        column, row = column.reshape(1, -1), row.reshape(1, -1)
        found = [
            np.concatenate([
                cv2.remap(source, column[:, i : i + 30000], row[:, i : i + 30000],
                          cv2.INTER_LINEAR)
                for i in range(0, column.shape[1], 30000)
            ], axis=1).reshape(shape).astype(np.float64)
            for source in (self.x_map, self.y_map)
        ]  # fmt: skip
        return found[0], found[1]


def shear_page(page: FlatPage, cover: Singles, skew: float, *, turned: bool) -> FlatPage:
    """Return a flat page whose rows are moved back across.

    Args:
        page: made flat.
        cover: (H, W) of the picture that it was made from.
        skew: px across that a row is moved a px down.
        turned: whether all of the page is, so that its rows slope by as much.
    """
    height, width = page.cover.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    slope = skew if turned else 0.0
    picture = page.in_picture(x + skew * (y - height / 2), y - slope * (x - width / 2))
    x_map, y_map = (at.astype(np.float32) for at in picture)
    moved = cv2.remap(cover, x_map, y_map, cv2.INTER_CUBIC, borderValue=0)
    flat = np.clip(np.asarray(moved, np.float32), 0, 1)
    return replace(page, cover=flat, x_map=x_map, y_map=y_map)


def turn_page(page: FlatPage, quarters: int, size: tuple[int, int]) -> FlatPage:
    """Return a flat page, and the picture it was made from, turned against the clock.

    Args:
        page: made flat.
        quarters: turns of 90 degrees.
        size: height and width of the picture before, px.
    """
    if not quarters:
        return page
    height, width = size
    x_map, y_map = page.x_map, page.y_map
    if x_map is not None and y_map is not None:
        across, down = (np.ascontiguousarray(np.rot90(at, quarters)) for at in (x_map, y_map))
        x_map, y_map = {
            1: (down, width - 1 - across),
            2: (width - 1 - across, height - 1 - down),
            3: (height - 1 - down, across),
        }[quarters]
    px_per_mm = page.px_per_mm[::-1] if quarters % 2 else page.px_per_mm
    cover = np.ascontiguousarray(np.rot90(page.cover, quarters))
    return replace(page, cover=cover, px_per_mm=px_per_mm, x_map=x_map, y_map=y_map)


def flatten_page(cover: Singles, detail: Singles, lattice: Lattice) -> FlatPage:
    """Return the page made flat by its grid.

    Args:
        cover: (H, W) of :class:`Ink`.
        detail: (H, W) of :func:`lattice.grid_detail`.
        lattice: its squares.
    """
    scale = min(LONG_SIDE / max(detail.shape), 1.0)
    small = detail
    if scale < 1:
        size = (round(detail.shape[1] * scale), round(detail.shape[0] * scale))
        small = np.asarray(cv2.resize(detail, size, interpolation=cv2.INTER_AREA), np.float32)
    ratio = cover.shape[1] / small.shape[1], cover.shape[0] / small.shape[0]
    waves = [(wave[0] * ratio[0], wave[1] * ratio[1]) for wave in (lattice.across, lattice.down)]
    across, down = fit_surfaces(small, (waves[0], waves[1]))
    coherence = min(across.coherence, down.coherence)
    slack = max(across.slack_mm, down.slack_mm)
    even = _even_scale(across, down, ratio)
    sureness = min(across.sureness, down.sureness)
    if even is not None:
        page = scaled_page(cover, even, coherence=coherence, slack_mm=slack)
        return replace(page, sureness=sureness)
    x_map, y_map, px_per_mm = _way_back(across, down, ratio)
    moved = cv2.remap(cover, x_map, y_map, cv2.INTER_CUBIC, borderValue=0)
    flat = np.clip(np.asarray(moved, np.float32), 0, 1)
    return FlatPage(
        flat, (px_per_mm,) * 2, coherence, slack, lattice.turned, x_map, y_map, sureness=sureness
    )


def scaled_page(
    cover: Singles,
    px_per_mm: tuple[float, float],
    *,
    coherence: float = 0.0,
    slack_mm: float = float("nan"),
) -> FlatPage:
    """Return a page that lies straight already, at a scale at which traces can be followed."""
    finest = max(px_per_mm)
    scale = np.clip(finest, *SCALE_RANGE) / finest
    if scale == 1:
        return FlatPage(cover, px_per_mm, coherence, slack_mm, 0.0)
    size = round(cover.shape[1] * scale), round(cover.shape[0] * scale)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    new = np.clip(np.asarray(cv2.resize(cover, size, interpolation=how), np.float32), 0, 1)
    finer = size[0] / cover.shape[1], size[1] / cover.shape[0]
    pitch = px_per_mm[0] * finer[0], px_per_mm[1] * finer[1]
    return FlatPage(new, pitch, coherence, slack_mm, 0.0, scale=1 / finer[0])


def _grid_points(size: tuple[int, int], count: int = 25) -> tuple[Floats, Floats]:
    x, y = np.meshgrid(np.linspace(0, size[1] - 1, count), np.linspace(0, size[0] - 1, count))
    return x, y


def _even_scale(
    across: Surface, down: Surface, ratio: tuple[float, float]
) -> tuple[float, float] | None:
    """Return px/mm of the picture across and down if that alone describes the page."""
    x, y = _grid_points(across.size)
    u, v = across.at(x, y), down.at(x, y)
    slopes = []
    for along, distance in ((x, u), (y, v)):
        slope, start = np.polyfit(along.ravel(), distance.ravel(), 1)
        if np.abs(distance - slope * along - start).max() / abs(slope) > STRAIGHT_PX:
            return None
        slopes.append(float(slope))
    return ratio[0] / slopes[0], ratio[1] / slopes[1]


def _way_back(
    across: Surface, down: Surface, ratio: tuple[float, float]
) -> tuple[Singles, Singles, float]:
    """Return the picture coordinates of each pixel of the flat page, and its px/mm."""
    x, y = _grid_points(across.size)
    u, v = across.at(x, y), down.at(x, y)
    left, top = float(u.min()), float(v.min())
    width_mm = min(float(u.max()) - left, MAX_SIDE_MM)
    height_mm = min(float(v.max()) - top, MAX_SIDE_MM)
    area = across.size[0] * across.size[1] / (width_mm * height_mm)
    px_per_mm = float(np.clip(np.sqrt(area) * max(ratio), *SCALE_RANGE))
    size = round(height_mm * px_per_mm), round(width_mm * px_per_mm)
    nodes = tuple(-(-n // MESH) + 2 for n in size)
    mesh_u, mesh_v = np.meshgrid(
        left + (np.arange(nodes[1]) - 0.5) * MESH / px_per_mm,
        top + (np.arange(nodes[0]) - 0.5) * MESH / px_per_mm,
    )
    x, y = _invert(across, down, mesh_u, mesh_v)
    maps = []
    for coarse, stretch in ((x, ratio[0]), (y, ratio[1])):
        values = ((coarse + 0.5) * stretch - 0.5).astype(np.float32)
        whole = nodes[1] * MESH, nodes[0] * MESH
        fine = np.asarray(cv2.resize(values, whole), np.float32)
        # the centre of node i of the mesh lies at pixel (i + 0.5) * MESH - 0.5 of the fine map
        maps.append(np.ascontiguousarray(fine[MESH : MESH + size[0], MESH : MESH + size[1]]))
    return maps[0], maps[1], px_per_mm


def _invert(across: Surface, down: Surface, u: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Return the points of the picture that lie at u and v (mm) on the paper, by Newton's way."""
    x, y = _grid_points(across.size)
    known = np.stack([across.at(x, y).ravel(), down.at(x, y).ravel(), np.ones(x.size)], axis=1)
    start, *_ = np.linalg.lstsq(known, np.stack([x.ravel(), y.ravel()], axis=1))
    x = u * start[0, 0] + v * start[1, 0] + start[2, 0]
    y = u * start[0, 1] + v * start[1, 1] + start[2, 1]
    h = 2.0
    for _ in range(NEWTON_ROUNDS):
        u_0, v_0 = across.at(x, y), down.at(x, y)
        u_x, v_x = (across.at(x + h, y) - u_0) / h, (down.at(x + h, y) - v_0) / h
        u_y, v_y = (across.at(x, y + h) - u_0) / h, (down.at(x, y + h) - v_0) / h
        det = u_x * v_y - u_y * v_x
        det = np.where(np.abs(det) < 1e-6, 1e-6, det)
        x = x + np.clip(((u - u_0) * v_y - (v - v_0) * u_y) / det, -200, 200)
        y = y + np.clip(((v - v_0) * u_x - (u - u_0) * v_x) / det, -200, 200)
    return x, y
