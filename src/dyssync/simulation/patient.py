"""One virtual patient: parameters in, recording, volumes and truth out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import Sex, Signal
from dyssync.simulation.activation import Site, Tissue, activation_times, travel_graph
from dyssync.simulation.beat import BeatTruth, measure_clean_beat
from dyssync.simulation.conduction import Pacing, pacing_sites
from dyssync.simulation.heart import (
    Heart,
    HeartShape,
    build_heart,
    lv_volume_ml,
    source_weights,
)
from dyssync.simulation.potentials import (
    Repolarisation,
    depolarisation_rate,
    repolarisation_times,
    sources,
)
from dyssync.simulation.recording import Setting, clean_beat, record
from dyssync.simulation.response import (
    RULE,
    Dyssynchrony,
    Response,
    Rule,
    Substrate,
    dyssynchrony,
    living_muscle_ml,
    respond,
)
from dyssync.simulation.scar import Scar, living_share, scar_burden, scar_density

MACHINE_SD_MS = 5.0  # error of an automatic duration of wide QRS; chosen


@dataclass(frozen=True)
class Clinical:
    """What the chart says. `nyha` 1-4, `lvef` in %, `pr_ms` and `heart_rate` as planned."""

    age: float
    sex: Sex
    ischaemic: bool
    lvef: float
    nyha: int
    af: bool


@dataclass(frozen=True)
class Ventricles:
    """What decides activation: shape, speeds, scar, sites of entry and of an ectopic focus."""

    conduction: str
    shape: HeartShape
    tissue: Tissue
    repolarisation: Repolarisation
    sites: tuple[Site, ...]
    focus: Site
    scar: Scar | None = None


@dataclass(frozen=True)
class PatientParameters:
    """All that is fixed about a patient before noise and hidden variation are drawn."""

    clinical: Clinical
    ventricles: Ventricles
    setting: Setting
    pacing: Pacing
    rule: Rule = RULE


@dataclass(frozen=True)
class ActivationTruth:
    """Mean activation times of three parts and the last of the LV, ms after the first site."""

    septum_ms: float
    lateral_ms: float
    right_ms: float
    lv_last_ms: float


@dataclass(frozen=True, eq=False)
class VirtualPatient:
    """A simulated patient.

    Attributes:
        signal: (12, 5000) float32, mV, 500 Hz.
        beat: (12, 720) float64, mV, 1 kHz: the ventricular beat without noise.
        activation: when each part of the heart is activated.
        intrinsic: how unevenly the LV is activated without pacing.
        beat_truth: duration and areas of `beat`.
        qrs_machine_ms: the duration with the error of an automatic measurement.
        response: effect of pacing; None where it was not asked for.
        lvesv_baseline_ml, lvesv_followup_ml: echo volumes (NaN without response).
        scar_share: of LV muscle.
        muscle_ml: living LV muscle.
    """

    signal: Signal
    beat: Floats
    activation: ActivationTruth
    intrinsic: Dyssynchrony
    beat_truth: BeatTruth
    qrs_machine_ms: float
    response: Response | None
    lvesv_baseline_ml: float
    lvesv_followup_ml: float
    scar_share: float
    muscle_ml: float


def simulate_patient(
    parameters: PatientParameters, rng: np.random.Generator, *, with_response: bool = True
) -> VirtualPatient:
    """Return the recording and, unless left out, the response of one patient.

    Args:
        parameters: the patient; :func:`dyssync.simulation.population.draw_patient` draws one.
        rng: for noise, beats and hidden variation. Equal numbers give equal patients.
        with_response: leave out where only an ECG is wanted (it costs a third of the time).
    """
    recording_rng, response_rng = rng.spawn(2)
    ventricles, setting = parameters.ventricles, parameters.setting
    heart = build_heart(ventricles.shape)
    scar = scar_density(heart, ventricles.scar)
    graph = travel_graph(heart, ventricles.tissue, scar)
    starts = [ventricles.sites]
    if setting.rhythm.ectopic_share > 0:
        starts.append((ventricles.focus,))
    if with_response:
        starts += pacing_sites(parameters.pacing, ventricles.sites)
    times = activation_times(heart, graph, starts)

    alive = living_share(scar)
    repolarisation = ventricles.repolarisation
    weights = source_weights(heart, alive)
    beats = [
        sources(weights, t, repolarisation_times(heart, t, repolarisation), repolarisation)
        for t in times[: 2 if setting.rhythm.ectopic_share > 0 else 1]
    ]
    signal = record(setting, beats[0], beats[1] if len(beats) > 1 else None, recording_rng)
    beat = clean_beat(beats[0], setting.torso)
    upstrokes = clean_beat(depolarisation_rate(weights, times[0]), setting.torso)
    beat_truth = measure_clean_beat(beat, upstrokes)
    share = scar_burden(heart, scar)
    machine = round((beat_truth.qrs_ms + response_rng.normal(0, MACHINE_SD_MS)) / 2) * 2
    intrinsic, muscle_ml = dyssynchrony(heart, times[0], alive), living_muscle_ml(heart, alive)
    response, before, after = None, np.nan, np.nan
    if with_response:
        response = respond(
            parameters.rule,
            intrinsic,
            [dyssynchrony(heart, t, alive) for t in times[len(beats) :]],
            muscle_ml,
            _substrate(parameters, share),
            response_rng,
        )
        before = lv_volume_ml(ventricles.shape) * (1 - parameters.clinical.lvef / 100)
        after = before * (1 - response.fall / 100)
    return VirtualPatient(
        signal=signal,
        beat=beat,
        activation=_summarise_activation(heart, times[0], alive),
        intrinsic=intrinsic,
        beat_truth=beat_truth,
        qrs_machine_ms=float(machine),
        response=response,
        lvesv_baseline_ml=before,
        lvesv_followup_ml=after,
        scar_share=share,
        muscle_ml=muscle_ml,
    )


def _summarise_activation(heart: Heart, times: Floats, alive: Floats) -> ActivationTruth:
    lateral = heart.is_lv & (np.abs(heart.angle) > 0.75 * np.pi)
    septum = heart.is_lv & (np.abs(heart.angle) < 0.25 * np.pi)
    weight = alive + 1e-6  # a wall may be all scar
    return ActivationTruth(
        septum_ms=float(np.average(times[septum], weights=weight[septum])),
        lateral_ms=float(np.average(times[lateral], weights=weight[lateral])),
        right_ms=float(times[~heart.is_lv].mean()),
        lv_last_ms=float(times[heart.is_lv & (alive > 0.5)].max()),
    )


def _substrate(parameters: PatientParameters, scar_share: float) -> Substrate:
    clinical = parameters.clinical
    return Substrate(
        scar_share=scar_share,
        radius_mm=parameters.ventricles.shape.lv_radius,
        female=clinical.sex == "F",
    )
