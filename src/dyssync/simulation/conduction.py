"""Where the conduction system lets excitation into muscle, for each kind of conduction.

The normal LV is entered at the septum first, then near both fascicles; the RV some milliseconds
later near the anterior papillary muscle (Durrer et al. 1970). Block of a branch takes its sites
away; a slow branch delays them.
"""

from __future__ import annotations

import numpy as np

from dyssync.errors import check_choice
from dyssync.simulation.activation import EPICARDIUM, LV, RV, Site

SEPTAL = (Site(LV, -0.15, 0.55, 0.0),)
ANTERIOR = (Site(LV, -1.0, 0.45, 1.0), Site(LV, -2.2, 0.45, 6.0))
POSTERIOR = (Site(LV, 1.2, 0.60, 1.0), Site(LV, 2.4, 0.55, 6.0))
APICAL = (Site(LV, 0.0, 0.90, 8.0),)
RIGHT = (Site(RV, 0.3, 0.65, 6.0), Site(RV, -0.5, 0.50, 8.0))
RIGHT_ALONE = (Site(RV, 0.1, 0.75, 0.0), Site(RV, -0.6, 0.60, 4.0))
RIGHT_PACED = (Site(RV, 0.1, 0.93, 0.0),)

LEFT = (*SEPTAL, *ANTERIOR, *POSTERIOR, *APICAL)
SITES: dict[str, tuple[Site, ...]] = {
    "normal": (*LEFT, *RIGHT),
    "lbbb": RIGHT_ALONE,
    "rbbb": LEFT,
    "rbbb+lafb": (*SEPTAL, *POSTERIOR, *APICAL),
    "ivcd": (*LEFT, *RIGHT),
    "lafb": (*SEPTAL, *POSTERIOR, *APICAL, *RIGHT),
    "lpfb": (*SEPTAL, *ANTERIOR, *APICAL, *RIGHT),
    "paced": RIGHT_PACED,
}
CONDUCTION_TYPES = tuple(SITES)


def draw_sites(
    conduction: str, rng: np.random.Generator, *, left_delay_ms: float = 0.0
) -> tuple[Site, ...]:
    """Draw the sites of one heart: the usual places, moved and timed a little differently.

    Args:
        conduction: one of :data:`CONDUCTION_TYPES`.
        rng: for the shifts.
        left_delay_ms: added to all sites of the LV (a slow left branch).

    Raises:
        ConfigError: `conduction` is unknown.
    """
    sites = SITES[check_choice("conduction", conduction, CONDUCTION_TYPES)]
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

    Nine in ten leads lie there; the rest is anterior (Singh JP et al., Circulation
    2011;123:1159-66).
    """
    angle = rng.normal(np.pi - 0.45, 0.35) if rng.random() < 0.9 else rng.normal(-1.9, 0.25)
    return Site(EPICARDIUM, float(angle), float(np.clip(rng.normal(0.45, 0.13), 0.15, 0.8)))


def pacing_sites(lv_lead: Site, lv_first_ms: float) -> tuple[Site, ...]:
    """Return the two sites of biventricular pacing; the LV is paced `lv_first_ms` before the RV."""
    lv = Site(lv_lead.surface, lv_lead.angle, lv_lead.level, max(-lv_first_ms, 0.0))
    right = RIGHT_PACED[0]
    return (Site(right.surface, right.angle, right.level, max(lv_first_ms, 0.0)), lv)
