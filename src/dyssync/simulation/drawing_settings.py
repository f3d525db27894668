"""Drawing what lies round the ventricles: torso and electrodes, rhythm and atria, the recorder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dyssync.arrays import Floats
from dyssync.simulation.choices import CALIBRATED, Choices
from dyssync.simulation.patient import Clinical
from dyssync.simulation.recording import Setting
from dyssync.simulation.rhythm import Rhythm


def _draw_lead_shift(rng: np.random.Generator) -> Floats:
    """Draw the change of the Dower rows; in one of 25 V1 and V2 sit an interspace or two high."""
    shift = rng.normal(0, 0.05, (8, 3))
    if rng.random() < 0.04:
        shift[:2, 1] -= rng.uniform(0.2, 0.5)
    return shift


def draw_setting(
    rng: np.random.Generator,
    clinical: Clinical,
    conduction: str,
    failing: bool,
    choices: Choices = CALIBRATED,
) -> Setting:
    """Draw what lies round the ventricles; arguments as of `drawing_hearts.draw_ventricles`."""
    lying = np.array(choices.lying) if failing else np.array([0.72, 0.50, -0.45])
    axis = lying + rng.normal(0, 0.10 if failing else 0.13, 3)
    usual, spread = (1.12, 0.09) if failing else (1.8, 0.28)
    torso = replace(
        choices.torso,
        axis=(float(axis[0]), float(axis[1]), float(axis[2])),
        roll=float(rng.normal(0.05 if failing else -0.6, 0.2)),
        gain=choices.torso.gain * usual * float(np.exp(rng.normal(0, spread))),
        lead_gain=np.exp(rng.normal(0, [0.10] * 6 + [0.06] * 2)),
        lead_shift=_draw_lead_shift(rng),
    )
    rhythm = _draw_rhythm(rng, clinical, failing)
    noise = replace(
        choices.noise,
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


def _draw_rhythm(rng: np.random.Generator, clinical: Clinical, failing: bool) -> Rhythm:
    ectopy = float(rng.choice([0.0, 0.06, 0.15], p=[0.75, 0.18, 0.07])) if failing else 0.0
    return Rhythm(
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
