"""Real files: which are read, which pairs agree, how fast beside wfdb and pydicom.

    python benchmarks/bench_formats.py [--data ../shared/data] [--repeat 5] [--workers 2]

Prints Markdown tables. Nothing is written.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from dyssync.errors import InputError
from dyssync.formats import ReadOptions, list_files, read_ecg, read_input
from dyssync.workers import pool
from markdown_rows import head, row
from real_data import data_option
from timing import in_turn

TOGETHER = 50  # files that a process reads at a time

# What the makers of these sets publish beside the files (rate, unit), by folder and suffix.
DECLARED = {
    ("csv-txt", ".csv"): ReadOptions(fs=500, unit="uV"),
    ("csv-txt", ".txt"): ReadOptions(fs=500, unit="uV"),
    ("paced", ".mat"): ReadOptions(unit="uV"),
    ("torch_ecg", ".mat"): ReadOptions(fs=500, unit="mV"),
    ("code15", ".mat"): ReadOptions(unit="mV"),
    ("tuijalei", ".h5"): ReadOptions(fs=500, unit="mV"),
}
NO_ECG = {".md", ".ann", ".ecgpuwave"}
# Lists and licences that lie beside the ECGs.
BESIDE = {
    "ANNOTATORS", "LICENSE", "MAP.txt", "RECORDS", "SHA256SUMS", "label_def.csv", "labels.csv",
    "meta.csv", "metadata.csv", "tereshchenko_readme.txt",
}  # fmt: skip
# Same ECG in two files; the third is what the difference is known to be.
PAIRS = (
    (
        "formats/philips-sierra/129DYPRG_v1.03.XML",
        "formats/philips-sierra/repbeats_example_v1.03.xml",
        "the same waveform twice",
    ),
    (
        "formats/philips-sierra/ad4d3d80-d165_v1.04.xml",
        "formats/hl7-aecg/sierra-ecg-tools_ad4d3d80-d165_converted_aECG.xml",
        "the converter applied its 60 Hz notch (named in the aECG)",
    ),
    (
        "formats/ge-muse-xml/egm/muse-sinus.xml",
        "formats/ge-muse-xml/egm/muse-sinus.hea",
        "the WFDB header says 200/mV for samples in whole uV (1000/mV): read 5 times too large",
    ),
    (
        "formats/dicom-ecg/pydicom-3.0.2_waveform_ecg.dcm",
        "images/dicom-pair/anonymous_ecg.dcm",
        "one file twice",
    ),
)


def options_for(path: Path) -> ReadOptions:
    """Return what must be declared for this file to be read."""
    return DECLARED.get((path.parent.name, path.suffix.lower()), ReadOptions())


def coverage(data: Path) -> None:
    """Print how many files of each folder and format are read, and why the others are not."""
    print(head("folder", "format", "files", "read", "reasons of those not read"))
    for folder in ("formats", "cinc", "images", "ludb/records", "ptbxl/records", "qtdb"):
        found: dict[str, list[str]] = defaultdict(list)
        for path in list_files(data / folder):
            if path.suffix in NO_ECG or path.name in BESIDE:
                continue
            try:
                read = read_input(path, options_for(path))
                found[read.source.format].append("")
            except InputError as error:
                found[path.suffix.lower() or "no suffix"].append(str(error))
        for name, outcomes in sorted(found.items()):
            failed = [text for text in outcomes if text]
            reasons = "; ".join(text[:90] for text in failed[:3])
            n_read = len(outcomes) - len(failed)
            print(row(folder, name, len(outcomes), n_read, reasons), flush=True)


def pairs(data: Path) -> None:
    """Print how far apart the two files of each pair are."""
    print()
    print(
        head("pair", "samples", "largest difference, mV", "after rescaling, mV", "beats, mV", "why")
    )
    for first, second, why in PAIRS:
        one, two = read_ecg(data / first), read_ecg(data / second)
        a, b = one.signal, two.signal
        beats = "-"
        if one.beat is not None and two.beat is not None:
            beats = f"{np.abs(one.beat.signal - two.beat.signal).max():.4f}"
        n = min(a.shape[1], b.shape[1])
        a, b = a[:, :n].astype(float), b[:, :n].astype(float)
        scale = float((a * b).sum() / (b * b).sum())
        scale = 1 / round(1 / scale) if scale < 0.7 else 1.0
        names = f"{Path(first).name} / {Path(second).name}"
        rescaled = f"{np.abs(a - b * scale).max():.4f} (x {scale:g})"
        print(row(names, f"12 x {n}", f"{np.abs(a - b).max():.4f}", rescaled, beats, why))


def peers(data: Path) -> list[tuple[Path, str, Callable[[Path], object]]]:
    """Return files, the library that reads them too, and how."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pydicom
        import wfdb
    wfdb_files = sorted((data / "ptbxl/records").glob("*.hea"))[:20]
    wfdb_files += sorted((data / "ludb/records").glob("*.hea"))[:20]
    wfdb_files += sorted((data / "cinc/torch_ecg").glob("*.hea"))[:10]
    wfdb_files += [data / "formats/wfdb-misc/s0010_re.hea"]
    dicom_files = (
        data / "formats/dicom-ecg/pydicom-3.0.2_waveform_ecg.dcm",
        data / "images/dicom-pair/anonymous_ecg.dcm",
    )

    def by_wfdb(path: Path) -> object:
        return wfdb.rdrecord(str(path.with_suffix("")))

    def by_pydicom(path: Path) -> object:
        return pydicom.dcmread(path).waveform_array(0)

    return [
        *((path, "wfdb", by_wfdb) for path in wfdb_files),
        *((path, "pydicom", by_pydicom) for path in dicom_files),
    ]


def speed(data: Path, repeat: int) -> None:
    """Print how long reading takes beside wfdb and pydicom."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for path, library, theirs in peers(data):
        calls: list[Callable[[], object]] = [partial(read_ecg, path), partial(theirs, path)]
        in_turn(calls, 1)  # files and libraries are in memory from here on
        ms = [1e3 * statistics.median(spent) for spent in in_turn(calls, repeat)]
        found[f"{library}: {path.parent.name}"].append((ms[0], ms[1]))
    print()
    print(head("beside", "files", "ours, ms", "theirs, ms", "ratio, median", "ratio, worst"))
    for name, pairs_ms in found.items():
        both = [f"{statistics.median(ms):.2f}" for ms in zip(*pairs_ms, strict=True)]
        ratios = [ours / others for ours, others in pairs_ms]
        ratio = (f"{statistics.median(ratios):.2f}", f"{max(ratios):.2f}")
        print(row(name, len(pairs_ms), *both, *ratio))


def read_length(path: Path) -> int:
    """Return the samples of a lead."""
    return int(read_ecg(path).signal.shape[1])


def read_lengths(paths: Sequence[Path]) -> int:
    """Return the samples of a lead of several files together."""
    return sum(map(read_length, paths))


def folder(data: Path, workers: int) -> None:
    """Print how many records a second one process and several read."""
    files = list_files(data / "ptbxl/records")
    start = time.perf_counter()
    for path in files:
        read_length(path)
    alone = time.perf_counter() - start
    with pool(workers) as held:
        for ticket in [held.submit(read_lengths, files[:4]) for _ in range(workers)]:
            held.result(ticket)  # they have started
        start = time.perf_counter()
        parts = [files[k : k + TOGETHER] for k in range(0, len(files), TOGETHER)]
        tickets = [held.submit(read_lengths, part) for part in parts]
        total = sum(map(held.result, tickets))
        shared = time.perf_counter() - start
    print(f"\n{len(files)} WFDB records ({total} samples of 12 leads)")
    print(f"one process: {len(files) / alone:.0f} records a second")
    print(f"{workers} processes: {len(files) / shared:.0f} records a second")


def main() -> int:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data_option(parser)
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    coverage(args.data)
    pairs(args.data)
    speed(args.data, args.repeat)
    folder(args.data, args.workers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
