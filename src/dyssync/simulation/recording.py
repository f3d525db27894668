"""A whole 10-s 12-lead recording from the sources of one beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import Signal
from dyssync.simulation.leads import Torso, body_matrix, lead_matrix, twelve_leads
from dyssync.simulation.noise import Noise, apply_machine, draw_floor, draw_noise
from dyssync.simulation.potentials import BEAT_MS, LEAD_IN_MS
from dyssync.simulation.rhythm import Rhythm, atrial_dipole, draw_beats

FS = 500.0  # Hz
SECONDS = 10.0
MARGIN = 0.5  # s on either side, cut off after filtering
BREATH_SHARE = 0.03  # of the amplitude, besides the turn of the heart


@dataclass(frozen=True)
class Setting:
    """Everything about a recording but the ventricles.

    `breath_turn` is the half amplitude of the turn of the heart with breathing, rad; `spike_mv` the
    pacing stimulus, 0 for none; `arms_swapped` whether the arm electrodes are interchanged.
    """

    torso: Torso
    rhythm: Rhythm
    noise: Noise
    breath_turn: float = 0.04
    spike_mv: float = 0.0
    arms_swapped: bool = False


def clean_beat(sources: Floats, torso: Torso) -> Floats:
    """Return one noise-free ventricular beat, (12, BEAT_MS) at 1 ms, mV."""
    return twelve_leads(lead_matrix(torso) @ sources)


def record(
    setting: Setting, beat: Floats, ectopic: Floats | None, rng: np.random.Generator
) -> Signal:
    """Return a recording, (12, 5000) float32, mV, 500 Hz.

    Args:
        setting: the patient and the machine.
        beat: (12, BEAT_MS) sources of an ordinary beat.
        ectopic: the same of a ventricular ectopic beat; needed where the rhythm has some.
        rng: for beat times, fibrillation, breathing and noise.
    """
    n = round((SECONDS + 2 * MARGIN) * FS)
    times = np.arange(n) / FS - MARGIN
    beats = draw_beats(setting.rhythm, SECONDS + MARGIN, rng)
    ventricles = np.zeros((len(beat), n))
    for one in beats:
        _add_beat(ventricles, ectopic if one.ectopic and ectopic is not None else beat, one.at)
    atria = atrial_dipole(setting.rhythm, beats, times, rng)
    eight = _breathe(setting, ventricles, atria, times, rng)
    if setting.spike_mv:
        eight += _spikes(setting, [one.at for one in beats if not one.ectopic], n)
    eight += draw_noise(setting.noise, times, rng)
    eight = apply_machine(eight, FS, setting.noise, draw_floor(setting.noise, n, rng))
    eight = eight[:, round(MARGIN * FS) : -round(MARGIN * FS)]
    if setting.arms_swapped:  # I turns over; II becomes III = II - I
        eight[6:8] = -eight[6], eight[7] - eight[6]
    return np.round(twelve_leads(eight), 3).astype(np.float32)


def _add_beat(ventricles: Floats, beat: Floats, at: float) -> None:
    """Add `beat` (1 ms steps) to `ventricles` (2 ms steps) with its activation starting at `at`."""
    start = (at + MARGIN) * FS - LEAD_IN_MS / 1000 * FS
    first = max(int(np.ceil(start)), 0)
    last = min(int(np.floor(start + (BEAT_MS - 2) / 1000 * FS)), ventricles.shape[1] - 1)
    if last < first:
        return
    place = (np.arange(first, last + 1) - start) * 1000 / FS
    low = place.astype(np.int64)
    share = place - low
    ventricles[:, first : last + 1] += beat[:, low] * (1 - share) + beat[:, low + 1] * share


def _breathe(
    setting: Setting, ventricles: Floats, atria: Floats, times: Floats, rng: np.random.Generator
) -> Floats:
    """Return V1-V6, I, II, (8, n), mV, of a heart that turns a little with breathing."""
    breath = np.sin(2 * np.pi * (setting.rhythm.breaths / 60 * times + rng.random()))
    tilt = setting.breath_turn
    sway = np.array([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]])
    middle = lead_matrix(setting.torso)
    turned = lead_matrix(setting.torso, sway) - middle
    still = middle @ ventricles + body_matrix(setting.torso) @ atria
    eight: Floats = still * (1 + BREATH_SHARE * breath) + (turned @ ventricles) * breath
    return eight


def _spikes(setting: Setting, starts: list[float], n: int) -> Floats:
    """Return stimuli of an RV lead, (8, n), mV: two samples wide, pointing up and right."""
    pulse = np.zeros(n)
    for at in starts:
        sample = round((at + MARGIN - 0.012) * FS)
        if 0 <= sample < n - 1:
            pulse[sample : sample + 2] = (1.0, 0.6)
    direction = np.array([-0.3, -0.8, 0.5])
    size: Floats = setting.spike_mv * (body_matrix(setting.torso) @ direction)
    return size[:, None] * pulse
