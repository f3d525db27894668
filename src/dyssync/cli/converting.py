"""`dyssync convert`."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from dyssync.cli.paths import (
    Failure,
    Files,
    Force,
    Fs,
    Unit,
    check_free,
    failure,
    gather,
    make_folder,
    names_of,
    report_failures,
    target_paths,
    unwritable,
    whole,
)
from dyssync.cli.progress import reading_bar

if TYPE_CHECKING:
    from dyssync.ecg import ECG

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
    force: Force = False,
) -> int:
    """Write ECGs in another format: 12 leads in mV, age and sex; no identifiers.

    Example: dyssync convert exports/*.xml --to wfdb --out ecgs

    A round trip keeps each sample within half a microvolt (up to 32 mV). The files are named
    after the inputs, and after their folders where two have one name.

    Exit code 0: all written; 3: some files failed (listed, the others are written); 2: none.
    """
    from dyssync.errors import InputError, check_choice
    from dyssync.formats import FORMATS, ReadOptions, read_ecg, writable_formats

    check_choice("format to write", to, writable_formats())
    options = ReadOptions(fs=fs, unit=unit, keep_identifiers=keep_identifiers)
    paths = gather(files)
    names = names_of(paths)
    targets = target_paths(names, out, FORMATS[to].suffixes[0])
    beside = [target.with_suffix(".dat") for target in targets if to == "wfdb"]
    index = [out / IDENTIFIERS] if keep_identifiers else []
    check_free([*targets, *beside, *index], force=force, inputs=paths)
    make_folder(out)
    failed: list[Failure] = []
    known: list[tuple[str, str, str]] = []
    with reading_bar("converting") as bar:
        for path, name, target in bar.track(list(zip(paths, names, targets, strict=True))):
            try:
                ecg = read_ecg(path, options)
                _write(ecg, target, to)
            except InputError as error:
                failed.append(failure(name, path, str(error)))
            else:
                known.append((target.name, name, ecg.patient_id or ""))
    if index and known:
        _write_identifiers(index[0], known)
    if known:
        print(targets[0] if len(paths) == 1 else out)
    return report_failures(len(known), failed, "converted")


def _write(ecg: ECG, target: Path, to: str) -> None:
    """Write one ECG; all its files appear whole, the header of a WFDB record last.

    Raises:
        InputError: the format cannot hold it, or the folder cannot be written to.
    """
    from dyssync.errors import InputError
    from dyssync.formats import write_ecg

    try:
        with TemporaryDirectory(dir=target.parent, prefix=".converting-") as folder:
            written = write_ecg(ecg, folder, target.stem, to)
            for path in sorted(Path(folder).iterdir(), key=lambda path: path == written):
                os.replace(path, target.parent / path.name)
    except OSError as error:
        raise InputError(unwritable(target, error)) from error


def _write_identifiers(path: Path, rows: list[tuple[str, str, str]]) -> None:
    import csv

    with whole(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("file", "source", "patient_id"), *rows])
