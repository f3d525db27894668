"""Lines and words of a PDF page, as the program that drew it wrote them (PDFium's raw interface).

Runs in the process of its own, see :mod:`dyssync.formats.pdf`.
"""

from __future__ import annotations

import ctypes
import json
import math
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from dyssync.arrays import Floats
from dyssync.formats.reading.drawn_words import words_of
from dyssync.image import Drawing, PrintedWord

MM_PER_POINT = 25.4 / 72.0
# A page of twelve leads for ten seconds at 1000 Hz has 120,000; PDFium needs a microsecond each.
MOST_SEGMENTS = 300_000
PER_OBJECT = 5  # an object costs as much as so many segments
MOST_DEPTH = 4  # of drawings within drawings
# Of a path, segments that tell whether it is the dots of a grid, tens of thousands of short lines
# that do not touch; the lines of a grid are longer, and the steps of a trace touch.
PROBED, DOT_MM = 600, 2.0
TOUCH_MM = 0.02  # between the end of a line and the beginning of the one that goes on with it
LEAST_POINTS, LEAST_MM = 20, 10.0  # of a line that is kept: traces and pulses have many, grids long
_HEAD = struct.Struct("<4I2d")  # lines, points, bytes of words, unused, width and height in mm


def packed_lines(sheet: Any) -> bytes:
    """Return lines and words of a page of pypdfium2 as bytes; nothing where there are too many."""
    import pypdfium2.raw as pdfium

    left, bottom, right, top = sheet.get_cropbox()
    turned = sheet.get_rotation()
    count = pdfium.FPDFPage_CountObjects(sheet)
    objects = (pdfium.FPDFPage_GetObject(sheet, i) for i in range(count))
    lines = _lines_of(pdfium, objects, np.eye(3), [MOST_SEGMENTS], 0)
    place = _Place(left, bottom, right, top, turned)
    shown = [line for line in map(place.on, lines) if place.holds(line)]
    kept = [line for line in _chained(shown) if _is_kept(line)]
    words = [place.word(*word) for word in words_of(pdfium, sheet)]
    told = json.dumps(words).encode()
    lengths = np.array([len(line) for line in kept], np.int32)
    points = np.concatenate([*kept, np.zeros((0, 2))]).astype(np.float64)
    head = _HEAD.pack(len(kept), len(points), len(told), 0, *place.size)
    return head + lengths.tobytes() + points.tobytes() + told


def unpack_lines(data: memoryview) -> Drawing | None:
    """Return what :func:`packed_lines` packed; None where there is no line."""
    n_lines, n_points, n_words, _, width, height = _HEAD.unpack_from(data)
    at = _HEAD.size
    lengths = np.frombuffer(data, np.int32, n_lines, at)
    at += lengths.nbytes
    points = np.frombuffer(data, np.float64, 2 * n_points, at).reshape(-1, 2)
    words = json.loads(bytes(data[at + points.nbytes : at + points.nbytes + n_words]))
    if not n_lines:
        return None
    lines = tuple(np.split(points, np.cumsum(lengths)[:-1]))
    return Drawing((width, height), lines, tuple(PrintedWord(*word) for word in words))


class _Place:
    """From points of a PDF (72 an inch, y up) to mm from the upper left corner as it is shown."""

    def __init__(self, left: float, bottom: float, right: float, top: float, turned: int) -> None:
        self.left, self.bottom, self.right, self.top = left, bottom, right, top
        self.turned = turned % 360
        sides = ((right - left) * MM_PER_POINT, (top - bottom) * MM_PER_POINT)
        self.size = sides if self.turned in (0, 180) else sides[::-1]

    def on(self, points: Floats) -> Floats:
        """Return (n, 2) points in mm."""
        x, y = points[:, 0], points[:, 1]
        across, down = {
            0: (x - self.left, self.top - y),
            90: (y - self.bottom, x - self.left),
            180: (self.right - x, y - self.bottom),
            270: (self.top - y, self.right - x),
        }[self.turned]
        found: Floats = np.stack([across, down], axis=1) * MM_PER_POINT
        return found

    def holds(self, points: Floats) -> bool:
        """Return whether (n, 2) points in mm are those of the page, or not far beside it."""
        far = max(self.size)
        return bool(np.isfinite(points).all() and np.abs(points).max() <= 2 * far)

    def word(self, text: str, box: list[float]) -> tuple[str, float, float, float, float]:
        """Return a word with left, top, right, bottom in mm."""
        corners = self.on(np.array([[box[0], box[1]], [box[2], box[3]]]))
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        return text, float(left), float(top), float(right), float(bottom)


def _lines_of(
    pdfium: Any, objects: Iterator[Any], outer: Floats, left: list[int], depth: int
) -> Iterator[Floats]:
    """Yield the stroked lines of objects, (n, 2) points of the page each."""
    for thing in objects:
        left[0] -= PER_OBJECT
        if left[0] < 0:
            return
        kind = pdfium.FPDFPageObj_GetType(thing)
        if kind == pdfium.FPDF_PAGEOBJ_FORM and depth < MOST_DEPTH:
            count = pdfium.FPDFFormObj_CountObjects(thing)
            inner = (pdfium.FPDFFormObj_GetObject(thing, i) for i in range(count))
            yield from _lines_of(pdfium, inner, outer @ _matrix(pdfium, thing), left, depth + 1)
        elif kind == pdfium.FPDF_PAGEOBJ_PATH and _is_stroked(pdfium, thing):
            count = pdfium.FPDFPath_CountSegments(thing)
            left[0] -= count
            if left[0] < 0:
                return
            whole = outer @ _matrix(pdfium, thing)
            scale = float(np.sqrt(abs(np.linalg.det(whole[:2, :2])))) * MM_PER_POINT
            for line in _path_lines(pdfium, thing, count, DOT_MM / max(scale, 1e-9)):
                yield line @ whole[:2, :2].T + whole[:2, 2]


def _is_stroked(pdfium: Any, thing: Any) -> bool:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDFPath_GetDrawMode(thing, fill, stroke)
    return bool(stroke.value)


def _matrix(pdfium: Any, thing: Any) -> Floats:
    m = pdfium.FS_MATRIX()
    pdfium.FPDFPageObj_GetMatrix(thing, m)
    return np.array([[m.a, m.c, m.e], [m.b, m.d, m.f], [0.0, 0.0, 1.0]])


def _path_lines(pdfium: Any, path: Any, count: int, dot: float) -> Iterator[Floats]:
    """Yield the lines of a path; of curves their points, which no trace has.

    Args:
        pdfium: the raw interface.
        path: the object.
        count: of its segments.
        dot: length up to which a line may be a dot, in the path's own unit.
    """
    x, y = ctypes.c_float(), ctypes.c_float()
    at_x, at_y = ctypes.byref(x), ctypes.byref(y)
    points: list[tuple[float, float]] = []
    dots = 0
    for i in range(count):
        if i == PROBED and dots > PROBED // 3:
            return
        segment = pdfium.FPDFPath_GetPathSegment(path, i)
        pdfium.FPDFPathSegment_GetPoint(segment, at_x, at_y)
        if pdfium.FPDFPathSegment_GetType(segment) == pdfium.FPDF_SEGMENT_MOVETO:
            if len(points) == 2 and points[1] != (x.value, y.value):
                dots += math.dist(*points) <= dot
            if len(points) > 1:
                yield np.array(points)
            points = []
        points.append((x.value, y.value))
    if len(points) > 1:
        yield np.array(points)


def _chained(lines: list[Floats]) -> list[Floats]:
    """Return lines joined where one goes on at the end of another: some write every step alone.

    Leads may be written by turns, a piece of each, so that it is not always the last one.
    """
    chains: list[list[Floats]] = []
    ends: dict[tuple[int, int], int] = {}
    for line in lines:
        at = ends.pop(_corner(line[0]), None)
        if at is None:
            at = len(chains)
            chains.append([line])
        else:
            chains[at].append(line[1:])
        ends[_corner(line[-1])] = at
    return [np.concatenate(chain) for chain in chains]


def _corner(point: Floats) -> tuple[int, int]:
    return round(float(point[0]) / TOUCH_MM), round(float(point[1]) / TOUCH_MM)


def _is_kept(line: Floats) -> bool:
    return len(line) >= LEAST_POINTS or bool(np.ptp(line, axis=0).max() >= LEAST_MM)
