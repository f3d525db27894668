"""Where the conduction system lets excitation into muscle, for each kind of conduction.

The normal LV is entered at the septum first, then near both fascicles; the RV some milliseconds
later near the anterior papillary muscle (Durrer et al. 1970). Block of a branch takes its sites
away; a slow branch delays them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from dyssync.errors import check_choice
from dyssync.simulation.activation import EPICARDIUM, LV, RIGHT_SEPTUM, RIGHT_WALL, Site

SEPTAL = (Site(LV, -0.15, 0.52, 0.0),)
ANTERIOR = (Site(LV, -1.0, 0.38, 1.0), Site(LV, -2.2, 0.34, 5.0))
POSTERIOR = (Site(LV, 1.2, 0.48, 1.0), Site(LV, 2.4, 0.39, 5.0))
APICAL = (Site(LV, 0.0, 0.90, 7.0),)
RIGHT = (Site(RIGHT_SEPTUM, 0.2, 0.62, 8.0), Site(RIGHT_WALL, -0.3, 0.57, 8.0))
# Without the left branch the septum starts from the right, low; the free wall follows through the
# moderator band.
RIGHT_ALONE = (
    Site(RIGHT_SEPTUM, 0.2, 0.52, 0.0),
    Site(RIGHT_SEPTUM, -0.4, 0.42, 4.0),
    Site(RIGHT_WALL, -0.3, 0.50, 4.0),
    Site(RIGHT_WALL, 0.5, 0.35, 10.0),
)
RIGHT_PACED = (Site(RIGHT_SEPTUM, 0.1, 0.92, 0.0),)
# Without the anterior fascicle the LV is entered low at the back, and its anterior wall 20 to 30 ms
# late from there: QRS axis left, rS in III, qR in aVL (Elizari et al., Circulation 2007;115:1154).
LEFT_POSTERIOR = (
    *SEPTAL,
    Site(LV, 1.9, 0.75, 1.0),
    *APICAL,
    Site(LV, -0.7, 0.58, 20.0),
    Site(LV, -2.2, 0.28, 30.0),
)

LEFT = (*SEPTAL, *ANTERIOR, *POSTERIOR, *APICAL)
SITES: dict[str, tuple[Site, ...]] = {
    "normal": (*LEFT, *RIGHT),
    "lbbb": RIGHT_ALONE,
    "rbbb": LEFT,
    "rbbb+lafb": LEFT_POSTERIOR,
    "ivcd": (*LEFT, *RIGHT),
    "lafb": (*LEFT_POSTERIOR, *RIGHT),
    "lpfb": (*SEPTAL, *ANTERIOR, *APICAL, *RIGHT),
    "paced": RIGHT_PACED,
}
CONDUCTION_TYPES = tuple(SITES)

# The same kinds in another's eyes (population "foreign"), of CRT candidates alone: three sites of
# the LV instead of six, lower in the RV, the RV later, pacing at the septum. Places are chosen
# within what Durrer's seven hearts spread over.
FOREIGN_LEFT = (Site(LV, 0.15, 0.42, 0.0), Site(LV, -1.35, 0.45, 4.0), Site(LV, 1.65, 0.58, 2.0))
FOREIGN_RIGHT = (Site(RIGHT_SEPTUM, -0.1, 0.66, 13.0), Site(RIGHT_WALL, 0.3, 0.66, 11.0))
FOREIGN_SITES: dict[str, tuple[Site, ...]] = {
    "lbbb": (
        Site(RIGHT_SEPTUM, -0.1, 0.56, 0.0),
        Site(RIGHT_WALL, 0.3, 0.58, 6.0),
        Site(RIGHT_WALL, -0.7, 0.40, 9.0),
    ),
    "rbbb": FOREIGN_LEFT,
    "rbbb+lafb": (FOREIGN_LEFT[0], FOREIGN_LEFT[2]),
    "ivcd": (*FOREIGN_LEFT, *FOREIGN_RIGHT),
    "paced": (Site(RIGHT_SEPTUM, -0.2, 0.78, 0.0),),
}


def draw_sites(
    conduction: str,
    rng: np.random.Generator,
    *,
    left_delay_ms: float = 0.0,
    table: Mapping[str, tuple[Site, ...]] = SITES,
) -> tuple[Site, ...]:
    """Draw the sites of one heart: the usual places, moved and timed a little differently.

    Args:
        conduction: a key of `table`.
        rng: for the shifts.
        left_delay_ms: added to all sites of the LV (a slow left branch); 0 with LBBB means that the
            left branch conducts nothing.
        table: the usual places for each kind of conduction.

    Raises:
        ConfigError: `conduction` is unknown.
    """
    sites = table[check_choice("conduction", conduction, tuple(table))]
    if conduction == "lbbb" and left_delay_ms > 0:
        sites += table["rbbb"]  # whose sites are those of the left branch alone
    moved = []
    for site in sites:
        late = left_delay_ms if site.surface == LV else 0.0
        moved.append(
            Site(
                site.surface,
                site.angle + rng.normal(0, 0.12),
                float(np.clip(site.level + rng.normal(0, 0.05), 0.1, 0.97)),
                max(site.delay_ms * np.exp(rng.normal(0, 0.2)) + late, 0.0),
            )
        )
    return tuple(moved)


def draw_lv_lead(rng: np.random.Generator) -> Site:
    """Draw where the LV lead lies: a lateral or posterolateral vein, mid or towards the base.

    More than nine in ten leads lie there; the rest is anterior (Singh JP et al., Circulation
    2011;123:1159-66).
    """
    angle = rng.normal(np.pi - 0.45, 0.30) if rng.random() < 0.92 else rng.normal(-1.9, 0.25)
    return Site(EPICARDIUM, float(angle), float(np.clip(rng.normal(0.45, 0.13), 0.15, 0.8)))


@dataclass(frozen=True)
class Pacing:
    """The LV lead, and the timings that are tried; the one with the least dispersion is kept.

    A timing is (LV ahead of RV in ms, own conduction after the first stimulus in ms). The second
    is the PR interval minus the programmed delay; None in AF and AV block.
    """

    lv_lead: Site
    timings: tuple[tuple[float, float | None], ...]


def draw_pacing(rng: np.random.Generator, *, own_conduction: bool) -> Pacing:
    """Draw where the LV lead lies and what timings the device offers."""
    late = float(np.clip(rng.normal(40, 15), 15, 90))
    fusions = (late, 10.0) if own_conduction else (None,)
    leads = (20.0,) if own_conduction else (0.0, 30.0)
    return Pacing(draw_lv_lead(rng), tuple((lead, f) for f in fusions for lead in leads))


def pacing_sites(pacing: Pacing, own: tuple[Site, ...]) -> list[tuple[Site, ...]]:
    """Return the sites of biventricular pacing for each timing, own sites where they arrive."""
    found = []
    for lv_first, fusion in pacing.timings:
        sites = [pacing.lv_lead, replace(RIGHT_PACED[0], delay_ms=lv_first)]
        if fusion is not None:
            sites += [replace(site, delay_ms=site.delay_ms + fusion) for site in own]
        found.append(tuple(sites))
    return found
