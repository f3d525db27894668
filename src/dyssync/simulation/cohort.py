"""A virtual CRT cohort as files: recordings, the cohort table, and the truth apart from it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from dyssync.ecg import ECG
from dyssync.errors import check_range
from dyssync.formats.wfdb import write_wfdb
from dyssync.simulation.chunks import MARKER, chunks_of, make_chunks
from dyssync.simulation.patient import PatientParameters, VirtualPatient, simulate_patient
from dyssync.simulation.population import draw_patient
from dyssync.simulation.recording import FS
from dyssync.whole import resumable_folder, write_text
from dyssync.workers import OnProgress, unwatched

CHUNK = 16  # patients that are finished together; what an interruption can cost
MAX_PATIENTS = 1_000_000
VERSION = 4  # of the simulator: other numbers for the same seed need another version

README = """# A simulated cohort

These {n} patients do not exist. Heart, ECG and response were computed by `dyssync simulate`
(seed {seed}, simulator version {version}). Use them to try, test and compare; never as evidence
about patients.

- `cohort.csv`: what a user's table holds. The response follows from the two volumes (LVESV falls by
  at least 15 %).
- `records/`: 12-lead ECGs of 10 s at 500 Hz in WFDB format, mV.
- `truth.csv`: what is known only because it was simulated: the kind of conduction, activation
  times, scar, the effect of pacing, and `p_response`, the probability of response before the
  variation was drawn that neither ECG nor chart shows. No model may read it. The AUROC of
  `p_response` against the response is the best that any model can expect to reach here.
"""


def simulate_cohort(
    n_patients: int,
    seed: int,
    out: Path,
    *,
    workers: int = 1,
    on_progress: OnProgress = unwatched,
    force: bool = False,
) -> None:
    """Write a cohort of virtual CRT candidates to the new folder `out`.

    Patient k of a seed is the same in a cohort of any size, made by any number of processes. An
    interrupted call leaves `.<out>.partial` beside `out`; the same call goes on from there.

    Args:
        n_patients: 1 to a million.
        seed: 0 or more.
        out: folder to make.
        workers: processes.
        on_progress: called with how many patients are finished, of how many.
        force: replace `out` if it is a simulated folder.

    Raises:
        ConfigError: a number is out of range.
        InputError: `out` exists or cannot be written.
    """
    check_range("patients", n_patients, 1, MAX_PATIENTS)
    check_range("seed", seed, 0, 2**63 - 1)
    check_range("workers", workers, 1, 1024)
    settings = {"kind": "cohort", "patients": n_patients, "seed": seed, "version": VERSION}
    with resumable_folder(out, MARKER, settings, force=force) as folder:
        (folder / "records").mkdir(exist_ok=True)
        (folder / "parts").mkdir(exist_ok=True)
        chunks = chunks_of(n_patients, CHUNK)
        make_chunks(
            partial(_make_chunk, seed=seed, folder=folder),
            chunks,
            lambda chunk: _rows_file(folder, chunk).is_file(),
            workers=workers,
            on_progress=on_progress,
        )
        rows = [
            row for chunk in chunks for row in json.loads(_rows_file(folder, chunk).read_bytes())
        ]
        for name in ("cohort", "truth"):
            table = pd.DataFrame([row[name] for row in rows])
            write_text(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))
        write_text(folder / "README.md", README.format(n=n_patients, seed=seed, version=VERSION))
        shutil.rmtree(folder / "parts")


def patient_rng(seed: int, k: int) -> np.random.Generator:
    """Return the generator of patient `k` of `seed`, whatever the size of the cohort."""
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=(k,)))


def _rows_file(folder: Path, chunk: range) -> Path:
    return folder / "parts" / f"{chunk.start:07d}.json"


def _make_chunk(chunk: range, *, seed: int, folder: Path) -> None:
    """Write the recordings of one chunk, then its rows: the rows say that it is complete."""
    rows = []
    for k in chunk:
        rng = patient_rng(seed, k)
        parameters = draw_patient(rng)
        patient = simulate_patient(parameters, rng)
        name = f"VP{k + 1:07d}"
        ecg = ECG(
            signal=patient.signal,
            fs=FS,
            age=parameters.clinical.age,
            sex=parameters.clinical.sex,
        )
        write_wfdb(ecg, folder / "records", name)
        rows.append(
            {
                "cohort": cohort_row(name, parameters, patient),
                "truth": truth_row(name, parameters, patient),
            }
        )
    write_text(_rows_file(folder, chunk), json.dumps(rows))


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
