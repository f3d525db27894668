"""Real files: which are read, which pairs agree, how fast beside wfdb and pydicom.

    python benchmarks/bench_formats.py --data ../shared/data [--repeat 5] [--workers 2]

Prints Markdown tables. Nothing is written.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from dyssync.ecg import ECG
from dyssync.errors import InputError
from dyssync.formats import ReadOptions, list_files, read_ecg, read_input

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
    return DECLARED.get((path.parent.name, path.suffix.lower()), ReadOptions())


def coverage(data: Path) -> None:
    print("| folder | format | files | read | reasons of those not read |\n|---|---|---|---|---|")
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
            print(f"| {folder} | {name} | {len(outcomes)} | {n_read} | {reasons} |", flush=True)


def pairs(data: Path) -> None:
    print("\n| pair | samples | largest difference, mV | after rescaling, mV | beats, mV | why |")
    print("|---|---|---|---|---|---|")
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
        print(
            f"| {names} | 12 x {n} | {np.abs(a - b).max():.4f} | {np.abs(a - b * scale).max():.4f} "
            f"(x {scale:g}) | {beats} | {why} |"
        )


def medians_ms(
    ours: Callable[[], object], theirs: Callable[[], object], repeat: int
) -> tuple[float, float]:
    """Time both in turn, so that what else the machine does hits both alike."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(repeat):
        turns = ((0, ours), (1, theirs))
        for which, call in turns if number % 2 else reversed(turns):
            start = time.perf_counter()
            call()
            times[which].append((time.perf_counter() - start) * 1e3)
    return statistics.median(times[0]), statistics.median(times[1])


def speed(data: Path, repeat: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pydicom
        import wfdb
    cases: list[tuple[Path, str, Callable[[Path], object]]] = []
    wfdb_files = sorted((data / "ptbxl/records").glob("*.hea"))[:20]
    wfdb_files += sorted((data / "ludb/records").glob("*.hea"))[:20]
    wfdb_files += sorted((data / "cinc/torch_ecg").glob("*.hea"))[:10]
    wfdb_files += [data / "formats/wfdb-misc/s0010_re.hea"]
    for path in wfdb_files:
        cases.append((path, "wfdb", lambda p: wfdb.rdrecord(str(p.with_suffix("")))))
    for name in (
        "formats/dicom-ecg/pydicom-3.0.2_waveform_ecg.dcm",
        "images/dicom-pair/anonymous_ecg.dcm",
    ):
        cases.append((data / name, "pydicom", lambda p: pydicom.dcmread(p).waveform_array(0)))
    ratios: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for path, library, theirs in cases:
        read_ecg(path)
        theirs(path)
        pair = medians_ms(partial(read_ecg, path), partial(theirs, path), repeat)
        ratios[f"{library}: {path.parent.name}"].append(pair)
    print("\n| beside | files | ours, ms | theirs, ms | ratio, median | ratio, worst |")
    print("|---|---|---|---|---|---|")
    for name, found in ratios.items():
        ours, theirs_all = (statistics.median(times) for times in zip(*found, strict=True))
        each = [a / b for a, b in found]
        ratio = f"{statistics.median(each):.2f} | {max(each):.2f}"
        print(f"| {name} | {len(found)} | {ours:.2f} | {theirs_all:.2f} | {ratio} |")


def read_length(path: Path) -> int:
    ecg: ECG = read_ecg(path)
    return int(ecg.signal.shape[1])


def folder(data: Path, workers: int) -> None:
    files = list_files(data / "ptbxl/records")
    start = time.perf_counter()
    for path in files:
        read_length(path)
    alone = time.perf_counter() - start
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(read_length, files[:4]))  # start the workers
        start = time.perf_counter()
        total = sum(pool.map(read_length, files, chunksize=50))
        shared = time.perf_counter() - start
    print(f"\n{len(files)} WFDB records ({total} samples of 12 leads)")
    print(f"one process: {len(files) / alone:.0f} records a second")
    print(f"{workers} processes: {len(files) / shared:.0f} records a second")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
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
