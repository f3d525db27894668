"""Who the patients are: candidates for CRT, or anyone whose ECG lies in an archive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, TypeAlias, get_args

import numpy as np

from dyssync.ecg import Sex
from dyssync.simulation.choices import CALIBRATED, FOREIGN, Choices
from dyssync.simulation.conduction import draw_pacing
from dyssync.simulation.drawing_hearts import draw_ventricles
from dyssync.simulation.drawing_settings import draw_setting
from dyssync.simulation.patient import Clinical, PatientParameters
from dyssync.simulation.widening import widen

# Candidates for CRT; the same of another simulator (`choices.FOREIGN`), never drawn to learn from;
# anyone whose ECG lies in an archive; or all of these and what lies between them, widened, to learn
# ECGs from.
Population: TypeAlias = Literal["crt", "foreign", "archive", "wide"]
POPULATIONS: tuple[Population, ...] = get_args(Population)

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
WIDE = {"crt": 0.5, "archive": 0.25, "between": 0.25}


def draw_patient(rng: np.random.Generator, population: Population = "crt") -> PatientParameters:
    """Draw one patient of `population`."""
    if population == "wide":
        return _draw_wide(rng)
    candidate = population != "archive"
    failing = candidate or bool(rng.random() < 0.15)
    clinical = _draw_clinical(rng, failing)
    if not candidate:
        shares = ARCHIVE_CONDUCTION
    else:
        shares = CRT_CONDUCTION_WOMEN if clinical.sex == "F" else CRT_CONDUCTION
    choices = FOREIGN if population == "foreign" else CALIBRATED
    return _draw(rng, clinical, _choose(rng, shares), failing, choices)


def _draw_wide(rng: np.random.Generator) -> PatientParameters:
    kind = _choose(rng, WIDE)
    if kind == "crt":
        return widen(draw_patient(rng, "crt"), rng)
    if kind == "archive":
        return widen(draw_patient(rng, "archive"), rng)
    # Any conduction in any heart: what neither population has, so that neither is a shortcut.
    failing = bool(rng.random() < 0.5)
    clinical = _draw_clinical(rng, failing)
    if rng.random() < 0.3:
        clinical = replace(clinical, ischaemic=True)
    conduction = str(rng.choice(list(ARCHIVE_CONDUCTION)))
    return widen(_draw(rng, clinical, conduction, failing, CALIBRATED), rng)


def _draw(
    rng: np.random.Generator, clinical: Clinical, conduction: str, failing: bool, choices: Choices
) -> PatientParameters:
    return PatientParameters(
        clinical=clinical,
        ventricles=draw_ventricles(rng, clinical, conduction, failing, choices),
        setting=draw_setting(rng, clinical, conduction, failing, choices),
        pacing=draw_pacing(rng, own_conduction=not (clinical.af or conduction == "paced")),
        rule=choices.rule,
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
