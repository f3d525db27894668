"""Activation of the heart: shortest travel time from where the conduction system ends in muscle.

A site is a place on an endo- or epicardial surface and a time. The conduction type decides which
sites there are; everything after them is muscle, fast in a thin endocardial layer (Purkinje-muscle
junctions), slow in scar.

References:
    Durrer D et al., Circulation 1970;41:899-912: first sites and their order in the human heart.
    Strauss DG et al., Am J Cardiol 2011;107:927-34: LBBB activates the LV through the septum.
    Wallman M, Smith NP, Rodriguez B, IEEE TBME 2012;59:1739-48: graph methods for activation times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from dyssync.arrays import Floats
from dyssync.simulation.heart import STEP_MM, STEPS, Heart
from dyssync.simulation.texture import unevenness

LV, RIGHT_SEPTUM, RIGHT_WALL, EPICARDIUM = "lv", "right septum", "right wall", "epicardium"


@dataclass(frozen=True)
class Site:
    """Where excitation enters muscle: surface, angle and level as in `Heart`, delay in ms."""

    surface: str
    angle: float  # rad
    level: float
    delay_ms: float = 0.0


@dataclass(frozen=True)
class BlockLine:
    """A strip of slow LV muscle from the base towards the apex.

    Excitation turns round its end: the U-shaped activation that contact maps of many LBBB hearts
    show (Auricchio et al., Circulation 2004;109:1133-9). `angle` and `half_width` in rad, `level`
    where it ends (0 base to 1 apex), `slowness` relative to muscle beside it.
    """

    angle: float
    level: float
    half_width: float = 0.18
    slowness: float = 5.0


@dataclass(frozen=True)
class Tissue:
    """How fast excitation travels, mm/ms.

    Human muscle conducts at 0.3-0.75 mm/ms across and along fibres; the mean over directions and a
    fast endocardial layer of 2-2.5 times that reproduce measured maps (Durrer 1970; Hyde et al.,
    Ann Biomed Eng 2015, 10.1007/s10439-014-1085-4). `texture` is the logarithm of slowness from
    place to place.
    """

    speed: float = 0.6  # within the wall's layers
    transmural_ratio: float = 0.55  # across the layers, relative to that
    lv_endocardial_factor: float = 2.3
    rv_endocardial_factor: float = 2.3
    scar_factor: float = 0.25
    texture: Floats = field(default_factory=lambda: np.zeros((0, 5)))
    lines: tuple[BlockLine, ...] = ()


def travel_graph(heart: Heart, tissue: Tissue, scar: Floats) -> csr_array:
    """Return travel times between neighbouring nodes, (n, n) sparse, ms.

    Args:
        heart: n nodes.
        tissue: speeds.
        scar: (n,), 0 healthy to 1 dense scar.
    """
    slowness = np.exp(unevenness(heart.position, tissue.texture))
    slowness[heart.lv_endo] /= tissue.lv_endocardial_factor
    slowness[heart.rv_endo] /= tissue.rv_endocardial_factor
    slowness *= 1 + scar * (1 / tissue.scar_factor - 1)
    for line in tissue.lines:
        away = np.abs(np.angle(np.exp(1j * (heart.angle - line.angle))))
        inside = heart.is_lv & (away < line.half_width) & (heart.level < line.level)
        slowness[inside] *= line.slowness
    row, column = np.nonzero(heart.neighbours >= 0)
    other = heart.neighbours[row, column]
    across = (heart.normal @ (STEPS.T / np.linalg.norm(STEPS, axis=1))) ** 2  # (n, 26), 0-1
    detour = np.sqrt(1 + across * (1 / tissue.transmural_ratio**2 - 1))[row, column]
    # A step between a fast and a slow node takes the mean; only steps within the layer are fast.
    cost = STEP_MM[column] * detour * 0.5 * (slowness[row] + slowness[other]) / tissue.speed
    starts = np.concatenate([[0], np.cumsum((heart.neighbours >= 0).sum(axis=1))])
    return csr_array((cost, other, starts), shape=(len(heart), len(heart)))


def activation_times(heart: Heart, graph: csr_array, starts: Sequence[Sequence[Site]]) -> Floats:
    """Return the time at which each node is reached, (len(starts), n), ms; 0 is the first site.

    Args:
        heart: n nodes.
        graph: travel times of :func:`travel_graph`.
        starts: one list of sites for every activation that is wanted.
    """
    n = len(heart)
    entry_columns, entry_costs, entry_counts = [], [], []
    for sites in starts:
        entry = {nearest_node(heart, site): 1e-3 + site.delay_ms for site in reversed(sites)}
        entry_columns.append(np.array(list(entry), dtype=np.int32))
        entry_costs.append(np.array(list(entry.values())))
        entry_counts.append(len(entry))
    # One extra node for each activation, joined to its sites, turns delays into travel times.
    extended = csr_array(
        (
            np.concatenate([graph.data, *entry_costs]),
            np.concatenate([graph.indices, *entry_columns]),
            np.concatenate([graph.indptr, graph.indptr[-1] + np.cumsum(entry_counts)]),
        ),
        shape=(n + len(starts), n + len(starts)),
    )
    times = np.asarray(dijkstra(extended, indices=np.arange(n, n + len(starts))))[:, :n]
    first: Floats = times - times.min(axis=1, keepdims=True)
    return first


def nearest_node(heart: Heart, site: Site) -> int:
    """Return the node of the site's surface that lies nearest to it.

    A cavity narrower than the grid (one right ventricle of 30,000 that are widened) has no surface;
    a node of its wall stands in.
    """
    allowed = {
        LV: heart.lv_endo,
        RIGHT_SEPTUM: heart.rv_endo & heart.is_lv,
        RIGHT_WALL: heart.rv_endo & ~heart.is_lv,
        EPICARDIUM: heart.is_lv & (heart.depth > 0.75),
    }[site.surface]
    if not allowed.any():
        allowed = ~heart.is_lv if site.surface == RIGHT_WALL else heart.is_lv
    nodes = np.flatnonzero(allowed)
    away = np.angle(np.exp(1j * (heart.angle[nodes] - site.angle)))
    # Towards the apex an angle means less and less: its arc shrinks.
    arc = away * np.sqrt(np.maximum(1 - heart.level[nodes] ** 2, 0.05))
    distance = arc**2 + (1.5 * (heart.level[nodes] - site.level)) ** 2
    return int(nodes[np.argmin(distance)])
