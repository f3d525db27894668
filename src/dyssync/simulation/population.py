"""Who the patients are: candidates for CRT, or anyone whose ECG lies in an archive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import Sex
from dyssync.simulation.activation import EPICARDIUM, LV, RIGHT_WALL, Site, Tissue
from dyssync.simulation.conduction import draw_pacing, draw_sites
from dyssync.simulation.heart import HeartShape
from dyssync.simulation.leads import Torso
from dyssync.simulation.noise import Noise
from dyssync.simulation.patient import Clinical, PatientParameters, Ventricles
from dyssync.simulation.potentials import Repolarisation
from dyssync.simulation.recording import Setting
from dyssync.simulation.rhythm import Rhythm
from dyssync.simulation.scar import Scar
from dyssync.simulation.texture import draw_texture

# Candidates for CRT, or anyone whose ECG lies in an archive.
Population: TypeAlias = Literal["crt", "archive"]

# Shares of conduction among CRT candidates: LBBB 57 % (Mafi Rad 2014, 51 patients) to 77 %
# (SMART-AV, Howell 2021, PMC8712355); IVCD 29 %, RBBB 14 % (Mafi Rad 2014).
CRT_CONDUCTION = {"lbbb": 0.57, "ivcd": 0.26, "rbbb": 0.055, "rbbb+lafb": 0.035, "paced": 0.08}
CRT_CONDUCTION_WOMEN = {"lbbb": 0.68, "ivcd": 0.20, "rbbb": 0.03, "rbbb+lafb": 0.02, "paced": 0.07}
ARCHIVE_CONDUCTION = {
    "normal": 0.62,
    "lafb": 0.07,
    "lpfb": 0.02,
    "rbbb": 0.08,
    "rbbb+lafb": 0.02,
    "lbbb": 0.09,
    "ivcd": 0.07,
    "paced": 0.03,
}
# Speeds in muscle (mm/ms), LV and RV endocardial factor: mean and SD.
SPEED = {
    "normal": ((0.41, 0.035), (2.0, 0.2), (2.0, 0.2)),
    "lafb": ((0.41, 0.035), (2.0, 0.2), (2.0, 0.2)),
    "lpfb": ((0.41, 0.035), (2.0, 0.2), (2.0, 0.2)),
    "rbbb": ((0.44, 0.04), (2.0, 0.2), (2.0, 0.2)),
    "rbbb+lafb": ((0.44, 0.04), (2.0, 0.2), (2.0, 0.2)),
    "lbbb": ((0.495, 0.04), (1.62, 0.18), (2.0, 0.2)),
    "ivcd": ((0.37, 0.04), (1.5, 0.2), (1.8, 0.2)),
    "paced": ((0.55, 0.05), (1.7, 0.22), (1.9, 0.2)),
}


def draw_patient(rng: np.random.Generator, population: Population = "crt") -> PatientParameters:
    """Draw one patient of `population` ("crt" candidates, or a wider "archive")."""
    failing = population == "crt" or bool(rng.random() < 0.15)
    clinical = _draw_clinical(rng, failing)
    if population == "crt":
        shares = CRT_CONDUCTION_WOMEN if clinical.sex == "F" else CRT_CONDUCTION
    else:
        shares = ARCHIVE_CONDUCTION
    conduction = _choose(rng, shares)
    ventricles = _draw_ventricles(rng, clinical, conduction, failing)
    return PatientParameters(
        clinical=clinical,
        ventricles=ventricles,
        setting=_draw_setting(rng, clinical, conduction, failing),
        pacing=draw_pacing(rng, own_conduction=not (clinical.af or conduction == "paced")),
    )


def _choose(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    return str(rng.choice(list(shares), p=np.array(list(shares.values()))))


def _draw_clinical(rng: np.random.Generator, failing: bool) -> Clinical:
    if not failing:
        sex: Sex = "F" if rng.random() < 0.5 else "M"
        age = float(np.clip(rng.normal(58, 17), 18, 95))
        return Clinical(
            round(age),
            sex,
            bool(rng.random() < 0.1),
            round(rng.normal(62, 4)),
            1,
            bool(rng.random() < 0.02 + 0.08 * (age > 65)),
        )
    sex = "F" if rng.random() < 0.27 else "M"
    age = float(np.clip(rng.normal(68.5, 10.5), 30, 92))
    ischaemic = bool(rng.random() < (0.34 if sex == "F" else 0.54) + 0.004 * (age - 68))
    return Clinical(
        age=round(age),
        sex=sex,
        ischaemic=ischaemic,
        lvef=round(float(np.clip(rng.normal(26, 6.5), 10, 40))),
        nyha=int(rng.choice([2, 3, 4], p=[0.36, 0.57, 0.07])),
        af=bool(rng.random() < np.clip(0.22 + 0.006 * (age - 68), 0.03, 0.5)),
    )


def _draw_ventricles(
    rng: np.random.Generator, clinical: Clinical, conduction: str, failing: bool
) -> Ventricles:
    small = 0.90 if clinical.sex == "F" else 1.0
    if failing:
        # The lower the ejection fraction, the larger the cavity.
        radius = small * (32.5 - 0.18 * (clinical.lvef - 26) + rng.normal(0, 3.2))
        length = radius * rng.normal(1.52, 0.07)
    else:
        radius = small * rng.normal(24.5, 1.6)
        length = radius * rng.normal(1.68, 0.07)
    if failing and conduction.startswith("rbbb"):
        rv_wall, rv_size = 7.0, 1.18
    else:
        rv_wall, rv_size = (5.6, 1.05) if failing else (4.0, 1.0)
    shape = HeartShape(
        lv_radius=float(np.clip(radius, 20, 42)),
        lv_length=float(np.clip(length, 34, 64)),
        lv_wall=float(small**0.5 * np.clip(rng.normal(9.6 if failing else 9.2, 1.0), 7, 13)),
        rv_wall=float(np.clip(rng.normal(rv_wall, 0.6), 3.0, 9)),
        rv_size=float(np.clip(rng.normal(rv_size, 0.06), 0.85, 1.35)),
    )
    speed, lv_factor, rv_factor = SPEED[conduction]
    tissue = Tissue(
        speed=float(np.clip(rng.normal(*speed), 0.3, 0.75)),
        transmural_ratio=float(np.clip(rng.normal(0.52, 0.05), 0.38, 0.7)),
        lv_endocardial_factor=float(np.clip(rng.normal(*lv_factor), 1.05, 3.2)),
        rv_endocardial_factor=float(np.clip(rng.normal(*rv_factor), 1.05, 3.2)),
        texture=draw_texture(rng, 0.25),
    )
    left_delay = _draw_left_delay(rng, conduction)
    even = conduction in ("normal", "lafb", "lpfb")
    return Ventricles(
        conduction=conduction,
        shape=shape,
        tissue=tissue,
        repolarisation=Repolarisation(
            duration_ms=float(rng.normal(300 if failing else 285, 18)),
            transmural_ms=float(np.clip(rng.normal(12 if failing else 16, 6), 0, 60)),
            apicobasal_ms=float(rng.normal(8 if failing else 23, 8)),
            adaptation=float(np.clip(rng.normal(1.15 if even else 0.5, 0.08), 0.25, 1.5)),
            fall_scale_ms=float(np.clip(rng.normal(22, 3.5), 14, 32)),
            early_share=float(np.clip(rng.normal(0.33, 0.10), 0.05, 0.6)),
            texture=draw_texture(rng, 7.0),
        ),
        sites=draw_sites(conduction, rng, left_delay_ms=left_delay),
        focus=Site(
            str(rng.choice([LV, RIGHT_WALL, EPICARDIUM])),
            rng.uniform(-np.pi, np.pi),
            rng.uniform(0.1, 0.8),
        ),
        scar=_draw_scar(rng, clinical.ischaemic),
    )


def _draw_left_delay(rng: np.random.Generator, conduction: str) -> float:
    """Draw how late the left branch delivers, ms; 0 for not late, or (LBBB) not at all.

    In 36 % of patients with the pattern of LBBB the left Purkinje system still conducts (Upadhyay
    et al., Circulation 2019, 10.1161/CIRCULATIONAHA.118.038648).
    """
    if conduction == "lbbb" and rng.random() < 0.36:
        return float(rng.uniform(30, 80))
    if conduction == "ivcd":
        return float(rng.uniform(5, 45))
    return 0.0


def _draw_scar(rng: np.random.Generator, ischaemic: bool) -> Scar | None:
    if ischaemic:
        if rng.random() < 0.1:
            return None
        territory = str(rng.choice(["LAD", "RCA", "LCX"], p=[0.45, 0.33, 0.22]))
        return Scar(
            territory,
            float(np.clip(rng.normal(0.75, 0.22), 0.25, 1.3)),
            float(np.clip(rng.normal(0.65, 0.18), 0.2, 1.0)),
            float(rng.uniform(0.8, 1.0)),
        )
    if rng.random() < 0.3:  # mid-wall fibrosis: about 30 % of dilated hearts (Gulati, JAMA 2013)
        return Scar("mid-wall", float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.2, 0.6)), 0.6)
    return None


def _draw_lead_shift(rng: np.random.Generator) -> Floats:
    """Draw the change of the Dower rows; in one of 25 V1 and V2 sit an interspace or two high."""
    shift = rng.normal(0, 0.05, (8, 3))
    if rng.random() < 0.04:
        shift[:2, 1] -= rng.uniform(0.2, 0.5)
    return shift


def _draw_setting(
    rng: np.random.Generator, clinical: Clinical, conduction: str, failing: bool
) -> Setting:
    lying = np.array([0.60, 0.48, -0.64]) if failing else np.array([0.72, 0.50, -0.45])
    axis = lying + rng.normal(0, 0.10 if failing else 0.13, 3)
    torso = Torso(
        axis=(float(axis[0]), float(axis[1]), float(axis[2])),
        roll=float(rng.normal(0.05 if failing else -0.6, 0.2)),
        gain=float((1.12 if failing else 1.8) * np.exp(rng.normal(0, 0.09 if failing else 0.28))),
        lead_gain=np.exp(rng.normal(0, [0.10] * 6 + [0.06] * 2)),
        lead_shift=_draw_lead_shift(rng),
    )
    ectopy = float(rng.choice([0.0, 0.06, 0.15], p=[0.75, 0.18, 0.07])) if failing else 0.0
    rhythm = Rhythm(
        rate=float(np.clip(rng.normal(71, 12), 45, 125)) + (8 if clinical.af else 0),
        variability=0.2
        if clinical.af
        else float(np.clip(np.exp(rng.normal(-3.6, 0.5)), 0.004, 0.1)),
        breaths=float(rng.uniform(11, 20)),
        af=clinical.af,
        ectopic_share=ectopy,
        pr_ms=float(np.clip(rng.normal(188 if failing else 162, 30), 110, 320)),
        p_ms=float(np.clip(rng.normal(118 if failing else 106, 12), 80, 160)),
        p_mv=float(np.clip(rng.normal(0.12, 0.03), 0.04, 0.25)),
    )
    noise = Noise(
        wander_mv=float(0.022 * np.exp(rng.normal(0, 0.9))),
        muscle_mv=float(0.005 * np.exp(rng.normal(0, 1.0))),
        mains_mv=float(0.002 * np.exp(rng.normal(0, 1.0))),
        mains_hz=float(rng.choice([50.0, 60.0], p=[0.7, 0.3])),
        steps=0.15,
        high_pass=float(rng.choice([0.05, 0.15, 0.5], p=[0.5, 0.3, 0.2])),
        low_pass=float(rng.choice([40.0, 100.0, 150.0], p=[0.12, 0.28, 0.6])),
    )
    return Setting(
        torso=torso,
        rhythm=rhythm,
        noise=noise,
        breath_turn=float(np.clip(rng.normal(0.04, 0.02), 0, 0.12)),
        # unipolar leads; a bipolar stimulus is a tenth of it
        spike_mv=float(rng.choice([0.15, 1.5])) if conduction == "paced" else 0.0,
        arms_swapped=bool(rng.random() < 0.005),
    )
