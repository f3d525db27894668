"""ECGs whose conduction and rhythm somebody else has named: read for bench_statements.py."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dyssync.ecg import ECG
from dyssync.formats import read_ecg
from dyssync.formats.reading.recorder_notes import LABELS
from dyssync.simulation.cohort import patient_rng
from dyssync.simulation.patient import simulate_patient
from dyssync.simulation.population import draw_patient

# SNOMED codes of the CinC challenges 2020 and 2021
SNOMED = {
    "164909002": "CLBBB",
    "733534002": "CLBBB",
    "59118001": "CRBBB",
    "713427006": "CRBBB",
    "713426002": "IRBBB",
    "10370003": "PACE",
    "164889003": "AFIB",
}
# what each virtual heart was given
VIRTUAL = {"lbbb": "CLBBB", "rbbb": "CRBBB", "rbbb+lafb": "CRBBB", "paced": "PACE"}
FS = 500.0


@dataclass(frozen=True)
class Labelled:
    """An ECG and the statements about it: CLBBB, CRBBB, PACE, AFIB, NORM among others."""

    name: str
    ecg: ECG
    labels: frozenset[str]


def ptbxl500(data: Path) -> Iterator[Labelled]:
    """Yield PTB-XL in true millivolt; the statements are those of up to two cardiologists."""
    with (data / "ptbxl500" / "labels.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            ecg = read_ecg(data / "ptbxl500" / row["ecg"])
            yield Labelled(row["ecg_id"], ecg, frozenset(row["statements"].split()))


def ptbxl(data: Path) -> Iterator[Labelled]:
    """Yield other patients of PTB-XL, 0.5-40 Hz; each lead was scaled, so shape only."""
    with (data / "ptbxl" / "labels.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            ecg = read_ecg(data / "ptbxl" / f"{row['record']}.hea")
            given = {name.removeprefix("rhythm_") for name, cell in row.items() if _yes(cell)}
            yield Labelled(row["ecg_id"], ecg, frozenset(given))


def _yes(cell: str) -> bool:
    return cell in ("1", "1.0")


def ludb(data: Path) -> Iterator[Labelled]:
    """Yield LUDB."""
    with (data / "ludb" / "labels.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            ecg = read_ecg(data / "ludb" / "records" / f"{row['ID']}.hea")
            given = {row["bundle"]} | ({"PACE"} if row["Cardiac pacing"] else set())
            given |= {"AFIB"} if "Atrial fibrillation" in row["Rhythms"] else set()
            yield Labelled(row["ID"], ecg, frozenset(given))


def cinc(data: Path) -> Iterator[Labelled]:
    """Yield records of the CinC challenges, of five sources and recorders."""
    for header in sorted((data / "cinc").glob("*/*.hea")):
        lines = header.read_text(encoding="utf-8", errors="replace").splitlines()
        codes = [c.strip() for x in lines if "Dx:" in x for c in x.partition(":")[2].split(",")]
        given = frozenset(SNOMED.get(code, code) for code in codes)
        yield Labelled(f"{header.parent.name}/{header.stem}", read_ecg(header), given)


def virtual(_: Path, n: int = 400) -> Iterator[Labelled]:
    """Yield virtual candidates for CRT; what their conduction is, is known."""
    for k in range(n):
        rng = patient_rng(7, k)
        parameters = draw_patient(rng, "crt")
        patient = simulate_patient(parameters, rng)
        clinical = parameters.clinical
        ecg = ECG(patient.signal, FS, age=clinical.age, sex=clinical.sex)
        conduction = parameters.ventricles.conduction
        given = {VIRTUAL.get(conduction, conduction)} | ({"AFIB"} if clinical.af else set())
        yield Labelled(str(k), ecg, frozenset(given))


def recorders(data: Path) -> Iterator[Labelled]:
    """Yield files of vendors whose recorder has made statements, which are the labels here."""
    for path in sorted((data / "formats").rglob("*")):
        if path.suffix.lower() not in (".xml", ".dcm", ".scp"):
            continue
        ecg = read_ecg(path)
        said = ecg.notes.get(LABELS["statements"])
        if said:
            yield Labelled(path.name, ecg, frozenset([said]))


CORPORA: Mapping[str, Callable[[Path], Iterator[Labelled]]] = {
    "ptbxl500": ptbxl500,
    "ptbxl (shape only)": ptbxl,
    "ludb": ludb,
    "cinc": cinc,
    "virtual hearts": virtual,
}
