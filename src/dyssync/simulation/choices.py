"""What a simulator chooses besides the patients: one frozen set of choices a simulator.

:data:`CALIBRATED` is the simulator of docs/virtual-cohort.md. :data:`FOREIGN` differs in geometry,
conduction, sources, lead field, noise, scar and response, within what is known of such hearts: what
is learnt on one is tested on the other. Nothing of it is drawn for pretraining.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from dyssync.simulation.activation import Site, Tissue
from dyssync.simulation.conduction import FOREIGN_SITES, SITES
from dyssync.simulation.heart import HeartShape
from dyssync.simulation.leads import INVERSE_KORS, Torso
from dyssync.simulation.noise import Noise
from dyssync.simulation.potentials import Repolarisation
from dyssync.simulation.response import RULE, Rule
from dyssync.simulation.scar import Scar

Normal: TypeAlias = tuple[float, float]  # mean, SD

# Speeds in muscle (mm/ms), LV and RV endocardial factor.
SPEED: dict[str, tuple[Normal, Normal, Normal]] = {
    "normal": ((0.41, 0.035), (2.0, 0.2), (2.0, 0.2)),
    "lafb": ((0.41, 0.035), (2.0, 0.2), (2.0, 0.2)),
    "lpfb": ((0.41, 0.035), (2.0, 0.2), (2.0, 0.2)),
    "rbbb": ((0.44, 0.04), (2.0, 0.2), (2.0, 0.2)),
    "rbbb+lafb": ((0.44, 0.04), (2.0, 0.2), (2.0, 0.2)),
    "lbbb": ((0.495, 0.04), (1.62, 0.18), (2.0, 0.2)),
    "ivcd": ((0.37, 0.04), (1.5, 0.2), (1.8, 0.2)),
    "paced": ((0.55, 0.05), (1.7, 0.22), (1.9, 0.2)),
}

# Slower muscle under a faster endocardium in LBBB; IVCD is wide from its few sites, hardly late.
FOREIGN_SPEED: dict[str, tuple[Normal, Normal, Normal]] = {
    "rbbb": ((0.45, 0.04), (2.3, 0.3), (1.6, 0.2)),
    "rbbb+lafb": ((0.45, 0.04), (2.3, 0.3), (1.6, 0.2)),
    "lbbb": ((0.45, 0.03), (1.7, 0.15), (2.2, 0.3)),
    "ivcd": ((0.40, 0.04), (1.5, 0.2), (1.6, 0.2)),
    "paced": ((0.44, 0.04), (1.7, 0.2), (2.0, 0.3)),
}


@dataclass(frozen=True)
class Choices:
    """Of failing hearts where healthy ones differ; lengths in mm, times in ms.

    Attributes:
        sites, speeds: by kind of conduction.
        late_left: share of LBBB hearts whose left branch still conducts, `late_left_ms` late. In
            36 % of patients with the pattern of LBBB the left Purkinje system still conducts
            (Upadhyay et al., Circulation 2019, 10.1161/CIRCULATIONAHA.118.038648).
        ivcd_late_ms: how late the left branch is in IVCD.
        block_lines: share of LBBB, IVCD and paced hearts with a line of functional block.
        elongation: half length of the LV cavity relative to its radius.
        wall, transmural_ratio, unevenness, transmural_ms, apicobasal_ms, adaptation, fall_scale_ms,
            early_share: as in `HeartShape`, `Tissue` and `Repolarisation`.
        lying: mean axis of the heart, as in `Torso`.
        patchy: SD of the texture of islands in a scar; 0 for none.
        shape, repolarisation, torso, noise, scar, tissue: what they hold that is not drawn.
        rule: how the response follows.
    """

    sites: Mapping[str, tuple[Site, ...]] = field(default_factory=lambda: SITES)
    speeds: Mapping[str, tuple[Normal, Normal, Normal]] = field(default_factory=lambda: SPEED)
    late_left: float = 0.36
    late_left_ms: tuple[float, float] = (30, 80)
    ivcd_late_ms: tuple[float, float] = (5, 45)
    block_lines: float = 0.0
    elongation: Normal = (1.52, 0.07)
    wall: Normal = (9.6, 1.0)
    transmural_ratio: Normal = (0.52, 0.05)
    unevenness: float = 0.25
    lying: tuple[float, float, float] = (0.60, 0.48, -0.64)
    transmural_ms: Normal = (12, 6)
    apicobasal_ms: Normal = (8, 8)
    adaptation: Normal = (0.5, 0.08)
    fall_scale_ms: Normal = (22, 3.5)
    early_share: Normal = (0.33, 0.10)
    patchy: float = 0.0
    shape: HeartShape = field(default_factory=HeartShape)
    tissue: Tissue = field(default_factory=Tissue)
    repolarisation: Repolarisation = field(default_factory=Repolarisation)
    torso: Torso = field(default_factory=Torso)
    noise: Noise = field(default_factory=Noise)
    scar: Scar = field(default_factory=lambda: Scar("LAD", 0.7))
    rule: Rule = RULE


CALIBRATED = Choices()
# All chosen: far enough from CALIBRATED to matter, and such that durations, areas and axes stay
# those of CRT candidates (docs/virtual-cohort.md has the figures).
FOREIGN = Choices(
    sites=FOREIGN_SITES,
    speeds=FOREIGN_SPEED,
    late_left=0.2,
    late_left_ms=(40, 90),
    ivcd_late_ms=(0, 20),
    block_lines=0.4,
    elongation=(1.34, 0.08),
    wall=(9.0, 1.1),
    transmural_ratio=(0.62, 0.06),
    unevenness=0.30,
    lying=(0.50, 0.72, -0.58),
    transmural_ms=(4, 8),
    apicobasal_ms=(20, 10),
    adaptation=(0.35, 0.10),
    fall_scale_ms=(17, 3),
    early_share=(0.20, 0.08),
    patchy=1.0,
    shape=HeartShape(base_level=-0.30, apex_wall=0.6, rv_offset=0.72, rv_axes=(0.85, 0.85)),
    tissue=Tissue(scar_factor=0.4),
    repolarisation=Repolarisation(early_fall_ms=(60.0, 35.0)),
    torso=Torso(
        gain=1.6,
        matrix=INVERSE_KORS,
        near_mm=np.array([240.0, 200.0, 190.0, 200.0, 230.0, 280.0, np.inf, np.inf]),
    ),
    noise=Noise(wander_hz=0.6, muscle_hz=60.0, quantum_mv=0.004),
    scar=Scar("LAD", 0.7, stretch=1.1, edge=0.10),
    rule=Rule(
        intercept=19.0,
        per_delay_ms=0.85,
        paced_share=0.3,
        per_scar_share=-110.0,
        per_radius_mm=-0.6,
        female=8.0,
        hidden_sd=15.0,
    ),
)
