"""Heart geometry: two truncated ellipsoid shells on a voxel grid, with neighbours and surface.

Local axes of a heart: x from the LV axis towards the RV (through the septum), z from base to apex,
y = z x x, which points to the inferior wall. Lengths are mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from dyssync.arrays import Bools, Floats, Ints, Ints32

GRID_MM = 2.5  # one step takes about 4 ms in muscle, the width of the upstroke

# Steps to the 26 neighbours of a voxel; the first half of a sorted product mirrors the second.
STEPS = np.array([step for step in product((-1, 0, 1), repeat=3) if any(step)], dtype=np.int64)
STEP_MM = GRID_MM * np.sqrt((STEPS**2).sum(axis=1))
# Weights that make the sum over the 26 neighbours an isotropic first difference, times volume.
_WEIGHTS = 1.0 / (STEPS**2).sum(axis=1)
_FIRST = GRID_MM**2 * STEPS * (_WEIGHTS / (0.5 * (_WEIGHTS * STEPS[:, 0] ** 2).sum()))[:, None]
_SECOND = 0.5 * GRID_MM * np.einsum("si,sj->sij", _FIRST, STEPS)  # a step's moment at its middle
_FACES = np.flatnonzero((STEPS**2).sum(axis=1) == 1)


@dataclass(frozen=True)
class HeartShape:
    """Sizes of one heart at end diastole, mm; the axes of the RV follow those of the LV."""

    lv_radius: float = 25.0  # of the cavity, short axis
    lv_length: float = 44.0  # half length of the cavity's ellipsoid
    lv_wall: float = 10.0
    rv_wall: float = 4.5  # normal 3-5 (Lang et al. 2015, 10.1016/j.echo.2014.10.003)
    rv_size: float = 1.0  # of the RV cavity relative to its usual proportion
    base_level: float = -0.40  # valve plane, in LV half lengths from the widest circle to the apex
    apex_wall: float = 1.0  # thickness of the LV wall at the apex, relative to elsewhere
    rv_offset: float = 0.62  # centre of the RV from the LV axis, in outer LV radii
    rv_axes: tuple[float, float] = (0.95, 0.92)  # rightwards in LV radii; long in the LV's


@dataclass(frozen=True)
class Heart:
    """The nodes of one heart.

    Attributes:
        position: (n, 3), mm, local axes.
        neighbours: (n, 26) node number, or -1; columns as in :data:`STEPS`.
        normal: (n, 3), unit vector across the wall.
        depth: (n,), 0 at the endocardium to 1 at the epicardium of its own wall.
        angle: (n,), rad round the LV axis: 0 septum, pi/2 inferior, pi lateral, -pi/2 anterior.
        level: (n,), 0 at the base to 1 at the apex.
        is_lv: the LV wall, septum included. lv_endo, rv_endo: nodes that line a cavity.
    """

    position: Floats
    neighbours: Ints32
    normal: Floats
    depth: Floats
    angle: Floats
    level: Floats
    is_lv: Bools
    lv_endo: Bools
    rv_endo: Bools

    def __len__(self) -> int:
        return len(self.position)


@dataclass(frozen=True)
class _Shells:
    """The two shells on a grid: distances relative to each surface, and the tissue between."""

    axes: tuple[Floats, Floats, Floats]  # broadcastable coordinates of the voxel centres, mm
    lv_inner: Floats
    lv_outer: Floats
    lv_axes: Floats  # (3,), outer, mm
    rv_inner: Floats
    rv_outer: Floats
    rv_axes: Floats
    rv_centre: float  # on the local x axis, mm

    @property
    def lv(self) -> Bools:
        return (self.lv_inner >= 1) & (self.lv_outer < 1)

    @property
    def rv(self) -> Bools:
        return (self.rv_inner >= 1) & (self.rv_outer < 1) & (self.lv_outer >= 1)


def build_heart(shape: HeartShape) -> Heart:
    """Fill the two shells of `shape` with nodes on a grid of :data:`GRID_MM`."""
    shells = _draw_shells(shape)
    lv = shells.lv
    tissue = lv | shells.rv
    where = np.argwhere(tissue)
    number = np.pad(np.full(tissue.shape, -1, dtype=np.int32), 1, constant_values=-1)
    number[1:-1, 1:-1, 1:-1][tissue] = np.arange(len(where), dtype=np.int32)
    strides = np.array([number.shape[1] * number.shape[2], number.shape[2], 1])
    around = ((where + 1) @ strides)[:, None] + (STEPS @ strides)[None, :]  # (n, 26)
    neighbours: Ints32 = number.ravel()[around]
    position = np.stack([axis.ravel()[where[:, i]] for i, axis in enumerate(shells.axes)], axis=1)
    is_lv = lv[tissue]
    return Heart(
        position=position,
        neighbours=neighbours,
        normal=_normals(position, is_lv, shells),
        depth=_depths(tissue, is_lv, shells),
        angle=np.arctan2(position[:, 1], position[:, 0]),
        level=(position[:, 2] / shells.lv_axes[2] - shape.base_level) / (1 - shape.base_level),
        is_lv=is_lv,
        lv_endo=is_lv & _touches(shells.lv_inner < 1, around),
        rv_endo=_touches((shells.rv_inner < 1) & (shells.lv_outer >= 1), around),
    )


def source_weights(heart: Heart, alive: Floats) -> Floats:
    """Return what each node's potential V adds to the sources of the field, (n, 12).

    The sources are minus the integral of s grad V (3 numbers, mm2) and of s (grad V)(r - centre)^T
    (9 numbers, mm3), s being the coupling between cells: 1 in muscle, 0 in dense scar, so that the
    edge of a scar is a surface like any other and shows no current while both sides rest or are
    excited. Each column sums to 0: equal potential everywhere shows nowhere.

    Args:
        heart: n nodes.
        alive: (n,), 0-1, share of living muscle.
    """
    coupled = alive[:, None] * np.where(heart.neighbours >= 0, alive[heart.neighbours], 0.0)
    first = coupled @ _FIRST
    from_centre = heart.position - heart.position.mean(axis=0)
    second = np.einsum("ni,nj->nij", first, from_centre) + np.tensordot(coupled, _SECOND, axes=1)
    return np.concatenate([first, second.reshape(-1, 9)], axis=1)


def lv_volume_ml(shape: HeartShape) -> float:
    """Return the volume of the LV cavity, mL (an ellipsoid cut at the valve plane)."""
    cut = shape.base_level * (shape.lv_length + shape.lv_wall * shape.apex_wall) / shape.lv_length
    share = 2 / 3 - (cut - cut**3 / 3)
    return float(np.pi * shape.lv_radius**2 * shape.lv_length * share / 1000)


def _draw_shells(shape: HeartShape) -> _Shells:
    wall = shape.lv_wall * np.array([1.0, 1.0, shape.apex_wall])
    lv_axes = np.array([shape.lv_radius, shape.lv_radius, shape.lv_length]) + wall
    radius, _, length = lv_axes
    centre = shape.rv_offset * radius * shape.rv_size
    rv_axes = np.array(
        [shape.rv_axes[0] * radius * shape.rv_size, radius, shape.rv_axes[1] * length]
    )
    spans = ((-radius, centre + rv_axes[0]), (-radius, radius), (shape.base_level * length, length))
    x, y, z = (
        _line(low, high).reshape([-1 if i == k else 1 for k in range(3)])
        for i, (low, high) in enumerate(spans)
    )
    return _Shells(
        axes=(x, y, z),
        lv_inner=_ellipsoid(x, y, z, lv_axes - wall),
        lv_outer=_ellipsoid(x, y, z, lv_axes),
        lv_axes=lv_axes,
        rv_inner=_ellipsoid(x - centre, y, z, rv_axes - shape.rv_wall),
        rv_outer=_ellipsoid(x - centre, y, z, rv_axes),
        rv_axes=rv_axes,
        rv_centre=centre,
    )


def _line(low: float, high: float) -> Floats:
    """Return the grid's coordinates between two limits, mm; 0 is always on the grid."""
    return np.arange(np.ceil(low / GRID_MM), high / GRID_MM + 1e-9) * GRID_MM


def _ellipsoid(x: Floats, y: Floats, z: Floats, semi_axes: Floats) -> Floats:
    """Return the distance from the centre of an ellipsoid; 1 is its surface."""
    a, b, c = semi_axes
    radius: Floats = np.sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2)
    return radius


def _normals(position: Floats, is_lv: Bools, shells: _Shells) -> Floats:
    from_lv = position / shells.lv_axes**2
    from_rv = (position - [shells.rv_centre, 0, 0]) / shells.rv_axes**2
    normal = np.where(is_lv[:, None], from_lv, from_rv)
    unit: Floats = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    return unit


def _depths(tissue: Bools, is_lv: Bools, shells: _Shells) -> Floats:
    inner = np.where(is_lv, shells.lv_inner[tissue], shells.rv_inner[tissue]) - 1
    outer = 1 - np.where(is_lv, shells.lv_outer[tissue], shells.rv_outer[tissue])
    depth: Floats = inner / np.maximum(inner + outer, 1e-9)
    return depth


def _touches(cavity: Bools, around: Ints) -> Bools:
    """Say for each node whether a face of its voxel lies on `cavity`."""
    touching: Bools = np.any(np.pad(cavity, 1).ravel()[around[:, _FACES]], axis=1)
    return touching
