"""`dyssync convert`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyssync.cli.batch import Failure, Job, Workers, outcomes, report_failures, to_its_end
from dyssync.cli.executors import LOCAL, Address, Executor, handing_out
from dyssync.cli.paths import (
    Files,
    Force,
    Fs,
    Unit,
    check_free,
    folder_for_results,
    gather,
    names_of,
    target_paths,
)
from dyssync.cli.progress import reading_bar
from dyssync.cli.terminal import say
from dyssync.spreadsheet import guarded
from dyssync.whole import synced_later, whole_file

if TYPE_CHECKING:
    from dyssync.formats import ReadOptions

IDENTIFIERS = "identifiers.csv"


def convert(
    files: Files,
    to: Annotated[str, typer.Option("--to", help="wfdb, csv, dicom, parquet or edf.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the new files.")],
    fs: Fs = None,
    unit: Unit = None,
    keep_identifiers: Annotated[
        bool,
        typer.Option(
            "--keep-identifiers", help=f"Write {IDENTIFIERS}: which patient's id each file had."
        ),
    ] = False,
    workers: Workers = None,
    executor: Executor = LOCAL,
    address: Address = None,
    force: Force = False,
) -> int:
    """Write ECGs in another format: 12 leads in mV, age and sex; no identifiers.

    Example: dyssync convert exports/*.xml --to wfdb --out ecgs

    A round trip keeps each sample within half a microvolt (EDF: up to 32 mV). The files are named
    after the inputs, and after their folders where two have one name.

    Exit code 0: all written; 3: some files failed (listed, the others are written); 2: none.
    """
    from dyssync.errors import check_choice
    from dyssync.formats import FORMATS, ReadOptions, writable_formats

    check_choice("format to write", to, writable_formats())
    options = ReadOptions(fs=fs, unit=unit, keep_identifiers=keep_identifiers)
    paths = gather(files)
    names = names_of(paths)
    targets = target_paths(names, out, FORMATS[to].suffixes[0])
    beside = [target.with_suffix(".dat") for target in targets if to == "wfdb"]
    index = [out / IDENTIFIERS] if keep_identifiers else []
    check_free([*targets, *beside, *index], force=force, inputs=paths)
    jobs = [Job(*job) for job in zip(paths, names, targets, strict=True)]
    failed: list[Failure] = []
    known: list[tuple[str, str, str]] = []
    work = partial(_converted, options=options, to=to)
    with (
        folder_for_results(out),
        handing_out(executor, address, workers),
        to_its_end(outcomes(work, jobs, workers)) as results,
        reading_bar("converting") as bar,
    ):
        for target, got in zip(targets, bar.track(results, total=len(jobs)), strict=True):
            if isinstance(got, Failure):
                failed.append(got)
            else:
                known.append((target.name, *got))
    if index and known:
        _write_identifiers(index[0], known)
    if known:
        say(targets[0] if len(paths) == 1 else out)
    return report_failures(len(known), failed, "converted")


def _converted(job: Job, options: ReadOptions, to: str) -> tuple[str, str]:
    """Convert one file; return its name and the patient's id, where that is kept."""
    from dyssync.formats import read_ecg, write_ecg

    assert job.target is not None
    ecg = read_ecg(job.path, options)
    with synced_later():  # waiting for the disk takes longer than all else
        write_ecg(ecg, job.target.parent, job.target.stem, to)
    return job.name, ecg.patient_id or ""


def _write_identifiers(path: Path, rows: list[tuple[str, str, str]]) -> None:
    import csv

    with whole_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file", "source", "patient_id"))
        writer.writerows([guarded(cell) for cell in row] for row in rows)
