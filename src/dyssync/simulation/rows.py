"""What is written of a virtual patient: the clinic's row, the truth, and the heart of a corpus."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dyssync.arrays import Singles
from dyssync.cohort.shards import HEARTS
from dyssync.simulation.patient import PatientParameters, VirtualPatient


def cohort_row(
    name: str, parameters: PatientParameters, patient: VirtualPatient
) -> Mapping[str, object]:
    """Return what the clinic's table would hold about a patient."""
    clinical = parameters.clinical
    return {
        "patient_id": name,
        "ecg": f"records/{name}.hea",
        "lvesv_baseline_ml": round(patient.lvesv_baseline_ml, 1),
        "lvesv_followup_ml": round(patient.lvesv_followup_ml, 1),
        "age": clinical.age,
        "sex": clinical.sex,
        "ischaemic": int(clinical.ischaemic),
        "lvef": clinical.lvef,
        "nyha": clinical.nyha,
        "af": int(clinical.af),
        "qrs_duration_machine_ms": patient.qrs_machine_ms,
    }


def truth_row(
    name: str, parameters: PatientParameters, patient: VirtualPatient
) -> Mapping[str, object]:
    """Return what only a simulation knows about a patient (numbers to four decimals)."""
    ventricles, response = parameters.ventricles, patient.response
    assert response is not None, "a cohort is simulated with response"
    numbers = {
        "p_response": response.probability,
        "expected_fall_percent": response.expected_fall,
        "fall_percent": response.fall,
        "dispersion_intrinsic_ms": patient.intrinsic.dispersion_ms,
        "dispersion_paced_ms": response.paced.dispersion_ms,
        "wall_delay_intrinsic_ms": patient.intrinsic.wall_delay_ms,
        "wall_delay_paced_ms": response.paced.wall_delay_ms,
        "living_muscle_ml": patient.muscle_ml,
        "septum_ms": patient.activation.septum_ms,
        "lateral_ms": patient.activation.lateral_ms,
        "right_ms": patient.activation.right_ms,
        "lv_last_ms": patient.activation.lv_last_ms,
        "qrs_ms": patient.beat_truth.qrs_ms,
        "qrs_area_uvs": patient.beat_truth.qrs_area,
        "t_area_uvs": patient.beat_truth.t_area,
        "scar_share": patient.scar_share,
        "lv_radius_mm": ventricles.shape.lv_radius,
        "lv_wall_mm": ventricles.shape.lv_wall,
        "speed_mm_per_ms": ventricles.tissue.speed,
        "lv_lead_angle": parameters.pacing.lv_lead.angle,
        "lv_lead_level": parameters.pacing.lv_lead.level,
        "gain": parameters.setting.torso.gain,
        "heart_rate": parameters.setting.rhythm.rate,
        "ectopic_share": parameters.setting.rhythm.ectopic_share,
    }
    return {
        "patient_id": name,
        "conduction": ventricles.conduction,
        "scar_territory": ventricles.scar.territory if ventricles.scar else "",
        "arms_swapped": int(parameters.setting.arms_swapped),
    } | {key: round(float(value), 4) for key, value in numbers.items()}


def heart_of(parameters: PatientParameters, patient: VirtualPatient) -> Singles:
    """Return what only a simulator knows of a heart, (len(HEARTS),) float32, in that order."""
    ventricles = parameters.ventricles
    known = {
        "wall_delay_ms": patient.intrinsic.wall_delay_ms,
        "dispersion_ms": patient.intrinsic.dispersion_ms,
        "scar_share": patient.scar_share,
        "living_muscle_ml": patient.muscle_ml,
        "lv_radius_mm": ventricles.shape.lv_radius,
        "lv_wall_mm": ventricles.shape.lv_wall,
        "septum_ms": patient.activation.septum_ms,
        "lateral_ms": patient.activation.lateral_ms,
        "right_ms": patient.activation.right_ms,
        "lv_last_ms": patient.activation.lv_last_ms,
        "qrs_ms": patient.beat_truth.qrs_ms,
        "qrs_area_uvs": patient.beat_truth.qrs_area,
        "t_area_uvs": patient.beat_truth.t_area,
        "speed_mm_per_ms": ventricles.tissue.speed,
    }
    return np.array([known[name] for name in HEARTS], dtype=np.float32)
