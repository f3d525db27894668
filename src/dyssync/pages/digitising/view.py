"""A flat page seen at an angle: the eight numbers of a perspective, from the phase of its lines.

Both families of lines lie on one sheet, so both share the two numbers that say how it is tilted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats
from dyssync.pages.digitising.phase import (
    STEP,
    Lines,
    agreement,
    errors,
    places,
    solve,
    steps,
    strongest_slopes,
)

Wave = tuple[float, float]  # cycles of 5 mm a pixel, in x and y
Pair = tuple[Lines, Lines]  # upright and level lines of one harmonic

FLAT_COHERENCE = 0.97  # of lines with a flat sheet, from which nothing else is looked for

SLOPE_ROUNDS = 3
# SD of the window, mm, round by round: the better the tilt is known, the further it may reach
REACHES_MM = {1: (5.0, 5.0, 10.0, 10.0), 5: (2.0, 2.0, 5.0, 5.0)}
FIRST_REACH = 0.8  # of a period of the lines, before anything is known
# families that say how the sheet is tilted: both, or where it bends, the one that stays straight
FLAT = ((True, True), (True, False), (False, True))
SPARSE = 2  # of the places of a phase along x and y, one is asked: its window is wider than two
LEAST_DEPTH = 0.3  # of a point over that of the middle: nearer ones are beyond any photo


@dataclass(frozen=True, eq=False)
class View:
    """Distances along a flat sheet, over a picture.

    Attributes:
        size: height and width of the picture, px.
        slopes: (2, 2) cycles of 5 mm from the middle to the edge in x and y, at the middle; of the
            distance across, then down.
        tilt: (2,) by how much the depth grows from the middle to the edge in x and y, as a share.
    """

    size: tuple[int, int]
    slopes: Floats
    tilt: Floats

    def unit(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return points (px) as shares of the way from the middle to the edges."""
        height, width = self.size
        return (x + 0.5) / width * 2 - 1, (y + 0.5) / height * 2 - 1

    def at(self, family: int, x: Floats, y: Floats) -> Floats:
        """Return the cycles of 5 mm across (0) or down (1) at points of the picture, px."""
        along, beside = self.unit(x, y)
        depth = np.maximum(1 + self.tilt[0] * along + self.tilt[1] * beside, LEAST_DEPTH)
        cycles: Floats = (self.slopes[family, 0] * along + self.slopes[family, 1] * beside) / depth
        return cycles

    def changes(self, family: int, x: Floats, y: Floats) -> Floats:
        """Return how the cycles change with the six numbers, (6, *x.shape)."""
        along, beside = self.unit(x, y)
        depth = np.maximum(1 + self.tilt[0] * along + self.tilt[1] * beside, LEAST_DEPTH)
        cycles = self.at(family, x, y) / depth
        found = np.zeros((6, *x.shape))
        found[2 * family] = along / depth
        found[2 * family + 1] = beside / depth
        found[4], found[5] = -cycles * along, -cycles * beside
        return found

    def moved(self, step: Floats) -> View:
        """Return the view whose six numbers are greater by `step`."""
        return View(self.size, self.slopes + step[:4].reshape(2, 2), self.tilt + step[4:6])


def facing(size: tuple[int, int], waves: tuple[Wave, Wave]) -> View:
    """Return the view of a sheet that faces the camera.

    Args:
        size: of the picture.
        waves: cycles of 5 mm a pixel, in x and y, of the upright and the level lines.
    """
    half = np.array([size[1], size[0]]) / 2
    return View(size, np.array(waves) * half, np.zeros(2))


def carried(size: tuple[int, int], wave: Wave) -> Floats:
    """Return the cycles of 5 mm that the carrier has taken off, (h, w)."""
    x, y = places(size)
    cycles: Floats = wave[0] * x + wave[1] * y
    return cycles


def find_view(pair: Pair, start: View, waves: tuple[Wave, Wave]) -> View:
    """Return the view that the lines agree with best, near `start` or from their own slopes.

    Args:
        pair: the lines.
        start: see :func:`facing`.
        waves: of their carriers.
    """
    known = [carried(start.size, wave) for wave in waves]

    def starts() -> Iterator[View]:
        yield start
        yield from (_by_slopes(pair, start, known, flat) for flat in FLAT)
        yield _by_peaks(pair, waves, start)

    return _best(pair, starts(), known)


def find_flat_view(
    coarse: Pair, fine: Pair, start: View, waves: tuple[Wave, Wave]
) -> tuple[View, View] | None:
    """Return the views near `start` by coarse and by fine lines, if the latter say it is flat.

    Coarse lines are few: what traces leave of them agrees to .86 to .99 on clean flat pages.
    """
    known = [carried(start.size, wave) for wave in waves]
    wide = _by_phase(coarse, start, known, FLAT[0])
    near = _by_phase(fine, wide, known, FLAT[0])
    return (wide, near) if min(coherences(fine, near, known)) >= FLAT_COHERENCE else None


def refine_view(pair: Pair, start: View, waves: tuple[Wave, Wave]) -> View:
    """Return the view near `start` that the lines agree with."""
    return _best(pair, [start], [carried(start.size, wave) for wave in waves])


def _best(pair: Pair, starts: Iterable[View], known: list[Floats]) -> View:
    views = (_by_phase(pair, view, known, flat) for view in starts for flat in FLAT)
    found: list[tuple[float, View]] = []
    for view in views:
        agreed = coherences(pair, view, known)
        found.append((sum(agreed), view))
        if min(agreed) >= FLAT_COHERENCE:
            break
    return max(found, key=lambda one: one[0])[1]


def coherences(pair: Pair, view: View, known: list[Floats]) -> tuple[float, float]:
    """Return how well the upright and the level lines agree with a view, 0-1."""
    x, y = places(view.size)
    reach = REACHES_MM[pair[0].harmonic][0]
    across, down = (
        agreement(lines.phase(reach, view.at(k, x, y) - known[k]))[0]
        for k, lines in enumerate(pair)
    )
    return across, down


def _by_phase(pair: Pair, view: View, known: list[Floats], flat: tuple[bool, bool]) -> View:
    x, y = places(view.size)
    few = np.s_[::SPARSE, ::SPARSE]
    for reach in REACHES_MM[pair[0].harmonic]:
        bases, values, weights = [], [], []
        for k, lines in enumerate(pair):
            rest = lines.phase(reach, view.at(k, x, y) - known[k])
            error, trust = errors(rest[few])
            # the phase of a family at the middle is its own
            own = np.zeros((2, error.size))
            own[k] = 1
            changes = view.changes(k, x[few], y[few]).reshape(6, -1)
            changes[4:] *= flat[k]
            bases.append(np.concatenate([changes, own]).T)
            values.append(error.ravel() / lines.harmonic)
            weights.append(trust.ravel() / max(float(trust.sum()), 1e-12))
        view = view.moved(_step(bases, values, weights))
    return view


def _by_slopes(pair: Pair, view: View, known: list[Floats], flat: tuple[bool, bool]) -> View:
    """Return the view whose slopes are those of the phase, which know no ambiguity of lines."""
    x, y = places(view.size)
    for _ in range(SLOPE_ROUNDS):
        bases, values, weights = [], [], []
        for k, lines in enumerate(pair):
            phase = lines.phase(FIRST_REACH * lines.period_mm)
            rest = lines.without(phase, view.at(k, x, y) - known[k])
            changes = view.changes(k, x, y)
            changes[4:] *= flat[k]
            for axis in (0, 1):
                error, weight = steps(rest, axis)
                bases.append(np.diff(changes, axis=axis + 1).reshape(6, -1).T)
                values.append(error.ravel() / lines.harmonic)
                weights.append(weight.ravel() / max(float(weight.sum()), 1e-12))
        view = view.moved(_step(bases, values, weights))
    return view


def _by_peaks(pair: Pair, waves: tuple[Wave, Wave], start: View) -> View:
    """Return the view without tilt whose slopes are the strongest of the phase."""
    found = []
    for lines, wave in zip(pair, waves, strict=True):
        slopes = strongest_slopes(lines.phase(FIRST_REACH * lines.period_mm))
        found.append(tuple(
            at + slope / STEP / lines.harmonic for at, slope in zip(wave, slopes, strict=True)
        ))  # fmt: skip
    return facing(start.size, ((found[0][0], found[0][1]), (found[1][0], found[1][1])))


def _step(bases: list[Floats], values: list[Floats], weights: list[Floats]) -> Floats:
    basis = np.concatenate(bases)
    return solve(basis, np.concatenate(values), np.concatenate(weights), np.zeros(basis.shape[1]))[
        :6
    ]
