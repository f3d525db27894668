"""How far along the paper each point of a picture lies: the phase of the lines of its grid.

The lines are a carrier whose phase says where on the paper one is, as in fringe analysis
(Takeda 1982, 10.1364/JOSA.72.000156). First the page is a flat sheet that is seen at an angle; what
is left, the waves of paper that does not lie flat, is a smooth surface.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from numpy.polynomial import legendre

from dyssync.arrays import Floats, Singles
from dyssync.pages.digitising.phase import (
    Lines,
    agreement,
    errors,
    lines_of,
    places,
    solve,
    steps,
)
from dyssync.pages.digitising.view import (
    FIRST_REACH,
    FLAT_COHERENCE,
    Pair,
    View,
    Wave,
    carried,
    facing,
    find_flat_view,
    find_view,
    refine_view,
)

DEGREES = (8, 5)  # of the waves along x and y: paper that bends in two
# Of the higher terms, per square of their degree, round by round (chosen on worn pages)
STIFFNESS = (3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 3e-4)
FINE_STIFFNESS = (3e-4, 3e-4, 1e-4, 1e-4, 1e-5, 1e-5)
COARSE_REACH_MM, FINE_REACH_MM = 5.0, 2.0  # SD of the window in which lines are counted

COARSE_COHERENCE = 0.5  # from which the 5-mm lines are believed
FINE_COHERENCE = 0.7  # from which the 1-mm lines are believed
SURE = 1.6  # of both, from which no second way is tried


@dataclass(frozen=True, eq=False)
class Surface:
    """Distance along one direction of the paper, over a picture.

    Attributes:
        view: the sheet, were it flat.
        family: 0 for the distance across, 1 for that down.
        terms: (terms, 2) degree in x and y of each Legendre term of the waves.
        weights: (terms,) cycles of 5 mm.
        coherence: how well the lines agree with it, 0-1.
        slack_mm: SD of single places about it, mm.
        sureness: how well both kinds of lines, 5 mm and 1 mm apart, agree with it, 0-2.
    """

    view: View
    family: int
    terms: npt.NDArray[np.int64]
    weights: Floats
    coherence: float = 0.0
    slack_mm: float = float("nan")
    sureness: float = 0.0

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture, px."""
        return self.view.size

    def at(self, x: Floats, y: Floats) -> Floats:
        """Return the distance along the paper at points of the picture (px), mm; any shape."""
        cycles = self.view.at(self.family, x, y)
        if self.weights.any():
            along, beside = self.view.unit(x.ravel(), y.ravel())
            cycles = cycles + (_terms_at(self.terms, along, beside) @ self.weights).reshape(x.shape)
        distance: Floats = 5.0 * cycles
        return distance


def fit_surfaces(detail: Singles, waves: tuple[Wave, Wave]) -> tuple[Surface, Surface]:
    """Return the surfaces across and down that the lines of a grid follow.

    Args:
        detail: (H, W) darkness of the lines, traces blanked.
        waves: about how many cycles a pixel the 5-mm lines have, in x and y: those that stand
            upright, and those that lie level.
    """
    size = detail.shape[0], detail.shape[1]
    coarse, fine = (
        (lines_of(detail, waves[0], harmonic), lines_of(detail, waves[1], harmonic))
        for harmonic in (1, 5)
    )
    carriers = [carried(size, wave) for wave in waves]
    best: list[Surface] = []
    for first, views in _views(coarse, fine, facing(size, waves), waves):
        found = []
        for k in (0, 1):
            surface = _fit(first[k], fine[k], views, k, carriers[k])
            sure = _sureness(surface, coarse[k], fine[k], carriers[k])
            found.append(replace(surface, sureness=sure))
        pairs = zip(best or found, found, strict=True)
        best = [max(pair, key=lambda one: one.sureness) for pair in pairs]
        if min(surface.sureness for surface in best) >= SURE:
            break
    return best[0], best[1]


def _views(
    coarse: Pair, fine: Pair, start: View, waves: tuple[Wave, Wave]
) -> Iterator[tuple[Pair, tuple[View, View]]]:
    """Yield what the sheet may look like, by some lines and then by fine ones; with the former."""
    flat = find_flat_view(coarse, fine, start, waves)
    if flat is not None:
        yield coarse, flat
    for first in (coarse, fine):  # 1-mm lines know strong tilts better, 5-mm lines strong waves
        wide = find_view(first, start, waves)
        yield first, (wide, refine_view(fine, wide, waves))


def _sureness(surface: Surface, coarse: Lines, fine: Lines, carrier: Floats) -> float:
    """Return how well both kinds of lines agree with a surface, 0-2."""
    # what 1-mm lines alone agree with may be stripes of a screen, or a harmonic of others
    x, y = places(surface.size)
    known = surface.at(x, y) / 5.0 - carrier
    wide, near = (
        agreement(lines.phase(reach, known))[0]
        for lines, reach in ((coarse, COARSE_REACH_MM), (fine, FINE_REACH_MM))
    )
    return wide + near


def _fit(
    coarse: Lines, fine: Lines, views: tuple[View, View], family: int, carrier: Floats
) -> Surface:
    """Return the surface of one direction: the flat sheet, or what bends about it.

    Args:
        coarse: the lines that the views are from.
        fine: the 1-mm lines.
        views: after either.
        family: see :class:`Surface`.
        carrier: cycles of 5 mm that have been taken off the lines.
    """
    x, y = places(views[0].size)
    degrees = [(i, j) for i in range(DEGREES[0] + 1) for j in range(DEGREES[1] + 1)]
    terms = np.array([(i, j) for i, j in degrees if i + 2 * j <= 10])
    flats = [Surface(view, family, terms, np.zeros(len(terms))) for view in views]
    knowns = [view.at(family, x, y) - carrier for view in views]
    judged = [_judged(f, fine, known, None) for f, known in zip(flats, knowns, strict=True)]
    best = max(judged, key=lambda surface: surface.coherence)
    if best.coherence >= FLAT_COHERENCE:
        return best
    along, beside = views[0].unit(x.ravel(), y.ravel())
    basis = _terms_at(terms, along, beside)
    wide = _waves(flats[0], coarse, knowns[0], basis, STIFFNESS)
    near = _waves(wide, fine, knowns[0], basis, FINE_STIFFNESS)
    best = max(best, near, key=lambda surface: surface.coherence)
    # Lines five times as close tell places five times as well, if they are there at all.
    if best.coherence >= FINE_COHERENCE or wide.coherence < COARSE_COHERENCE:
        return best
    return wide


def _waves(
    surface: Surface, lines: Lines, known: Floats, basis: Floats, stiffness: tuple[float, ...]
) -> Surface:
    """Return the surface after a round of each stiffness towards the phase of the lines."""
    reach = COARSE_REACH_MM if lines.harmonic == 1 else FINE_REACH_MM
    weights = surface.weights
    if not weights.any():
        weights = _by_slopes(surface, lines, known, basis, max(stiffness))
    for stiff in stiffness:
        now = (basis @ weights).reshape(known.shape)
        error, trust = errors(lines.phase(reach, known + now))
        target = (now + error / lines.harmonic).ravel()
        weights = solve(basis, target, trust.ravel(), _penalty(surface.terms, stiff))
    return _judged(replace(surface, weights=weights), lines, known, basis)


def _by_slopes(
    surface: Surface, lines: Lines, known: Floats, basis: Floats, stiffness: float
) -> Floats:
    """Return the weights whose slopes are those of the phase, which know no ambiguity of lines."""
    rest = lines.without(lines.phase(FIRST_REACH * lines.period_mm), known)
    terms = basis.reshape(*known.shape, -1)
    bases, values, weights = [], [], []
    for axis in (0, 1):
        error, weight = steps(rest, axis)
        bases.append(np.diff(terms, axis=axis).reshape(-1, terms.shape[2]))
        values.append(error.ravel() / lines.harmonic)
        weights.append(weight.ravel())
    long = max(known.shape)  # a step is as large as a term
    return solve(
        np.concatenate(bases) * long, np.concatenate(values) * long, np.concatenate(weights),
        _penalty(surface.terms, stiffness),
    )  # fmt: skip


def _judged(surface: Surface, lines: Lines, known: Floats, basis: Floats | None) -> Surface:
    reach = COARSE_REACH_MM if lines.harmonic == 1 else FINE_REACH_MM
    now = 0.0 if basis is None else (basis @ surface.weights).reshape(known.shape)
    coherence, slack = agreement(lines.phase(reach, known + now))
    return replace(surface, coherence=coherence, slack_mm=slack * lines.period_mm)


def _penalty(terms: npt.NDArray[np.int64], stiffness: float) -> Floats:
    """Return what each term (degrees in x and y) costs, (terms,); level and slope cost nothing."""
    degree = terms.sum(axis=1)
    cost: Floats = stiffness * np.square(np.maximum(degree - 1, 0)).astype(np.float64)
    return cost


def _terms_at(terms: npt.NDArray[np.int64], x: Floats, y: Floats) -> Floats:
    """Return the Legendre terms at points (n,), (n, terms)."""
    in_x = legendre.legvander(np.clip(x, -1.3, 1.3), DEGREES[0])
    in_y = legendre.legvander(np.clip(y, -1.3, 1.3), DEGREES[1])
    product: Floats = in_x[:, terms[:, 0]] * in_y[:, terms[:, 1]]
    return product
