"""What is read and was changed by somebody: right, or refused in one line; and memory that holds.

    python benchmarks/bench_faults_reading.py                         all parts
    python benchmarks/bench_faults_reading.py bundles --count 50

Parts: `bundles`, edited and sealed again; `states`, files of a finished run; `tables` of a cohort;
`memory`, files that would take much. Mutated ECG files are `fuzz/fuzz_formats.py`. A fault is a
crash, an exception that is not ours, a message or answer that is none. Exit code 1 if there is one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dyssync.workers import each_for_itself, use_one_thread

use_one_thread()

import numpy as np  # noqa: E402 - its libraries read the number of threads when imported

from dyssync.cohort.cohort import check_cohort  # noqa: E402
from dyssync.ecg import ECG, LIMB_FROM_I_II  # noqa: E402
from dyssync.errors import FAULTS, InputError, told_fault  # noqa: E402
from dyssync.formats import write_ecg  # noqa: E402
from dyssync.prediction.bundle import load_bundle  # noqa: E402
from dyssync.prediction.predictor import Predictor  # noqa: E402
from dyssync.study.results import StudyResults  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent.parent / "fuzz"))

from hurting_files import HURTING  # noqa: E402
from mutations import mutate  # noqa: E402
from small_bundle import make_bundle, seal  # noqa: E402

MAX_MB = 500
ODD: tuple[Any, ...] = (
    None, "", "x" * 5000, "../../etc/passwd", "\x1b[2J", -1, 0, 10**30, 1e308, float("nan"),
    float("inf"), True, [], {}, [[[]]], {"a": {"b": 1}}, ["a"], [1e9],
)  # fmt: skip
CELLS = (
    "", "NA", '"NA"', "null", "nan", "-1", "1e309", "../x.hea", "/etc/passwd", "/dev/zero", ".",
    '"a\nb"', '"a\rb"', "a\x00b", "é", "\u202eb", "x" * 3000, '"', "=1+1", "r00.hea", "2", ";",
    "1,5",
)  # fmt: skip
# The peak of this process, and of those that the file was read in apart
READING = """
import resource, sys
from dyssync.errors import InputError
from dyssync.formats import ReadOptions, read_input
from dyssync.formats.reading.isolation import end_servers
try:
    read_input(sys.argv[1], ReadOptions(fs=500.0, unit="mV"))
    said = "read"
except InputError:
    said = "refused"
end_servers()
# not ru_maxrss, which begins with that of whoever started this process
with open("/proc/self/status") as file:
    own = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
print(said, max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) // 1024)
"""
# NumPy would write its warnings to the terminal, with a line of our source
RAISED: tuple[type[Exception], ...] = (*FAULTS, RuntimeWarning)
ENDED = "FAULT: ended its process"
Judge = Callable[[Path], str]


def people(folder: Path, n: int = 48) -> list[ECG]:
    """Write ECGs of Gaussian waves and a table of them; return the ECGs."""
    rng, t = np.random.default_rng(1), np.arange(2500) / 250
    found, rows = [], ["patient_id,ecg,responder,lvef,age,sex"]
    for k in range(n):
        phase = (t - rng.uniform(0.2, 0.5)) % rng.uniform(0.6, 1.1)
        width = 0.035 if k % 2 else 0.015
        wave = sum(
            height * np.exp(-0.5 * ((phase - at) / sd) ** 2)
            for height, at, sd in ((1.0, 0.25, width), (0.15, 0.1, 0.02), (0.3, 0.5, 0.04))
        )
        eight = np.outer(rng.uniform(0.5, 1.5, 8), wave) + rng.normal(0, 0.01, (8, len(t)))
        signal = np.vstack([eight[:2], LIMB_FROM_I_II @ eight[:2], eight[2:]]).astype(np.float32)
        found.append(ECG(signal, 250.0))
        write_ecg(found[-1], folder, f"r{k:02d}", "wfdb")
        rows.append(f"P{k},r{k:02d}.hea,{k % 2},{20 + k % 15},{50 + k % 30},{'FM'[k % 2]}")
    (folder / "cohort.csv").write_text("\n".join(rows) + "\n")
    return found


def edit_json(data: bytes, rng: np.random.Generator) -> bytes:
    """Return JSON with one value changed, gone, or in another place."""
    held = json.loads(data)
    places = list(_places(held))
    where, key = places[int(rng.integers(0, len(places)))]
    if rng.random() < 0.2:
        del where[key]
    elif rng.random() < 0.2:
        other, its = places[int(rng.integers(0, len(places)))]
        where[key] = json.loads(json.dumps(other[its]))
    else:
        where[key] = ODD[int(rng.integers(0, len(ODD)))]
    return json.dumps(held).encode()


def _places(held: Any) -> Iterator[tuple[Any, Any]]:
    keys: Sequence[Any] = list(held) if isinstance(held, dict) else range(min(len(held), 5))
    for key in keys:
        yield held, key
        if isinstance(held[key], (dict, list)):
            yield from _places(held[key])


def edited(source: Path, target: Path, seed: int, files: str = "*") -> Path:
    """Copy a folder and change one of its files; return the copy."""
    rng = np.random.default_rng(seed)
    shutil.copytree(source, target)
    there = sorted(p for p in target.rglob(files) if p.is_file() and p.suffix != ".sha256")
    path = there[int(rng.integers(0, len(there)))]
    data = path.read_bytes()
    as_json = path.suffix == ".json" and rng.random() < 0.8
    path.write_bytes(edit_json(data, rng) if as_json else mutate(data, rng))
    return target


def judged(judge: Judge, path: Path) -> str:
    """Return "right", "refused", or what is wrong; the copy goes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            said = judge(path)
    except InputError as error:
        lines = str(error).splitlines()
        harmless = all(line.isprintable() for line in lines) and len(str(error)) < 20_000
        said = "refused" if harmless else f"FAULT: a message that is none: {error!r:.200}"
    except RAISED as error:
        said = f"FAULT: {told_fault(error)}"
    shutil.rmtree(path if path.is_dir() else path.parent, ignore_errors=True)
    return f"{said} [{path.name}]" if said.startswith("FAULT") else said


def answered(ecg: ECG, path: Path) -> str:
    """Judge a bundle by its answer."""
    found = Predictor(load_bundle(path)).predict(ecg)
    wrong = [n for n, m in found.models.items() if not 0 <= m.probability <= 1]
    return f"FAULT: {', '.join(wrong)} gave no probability" if wrong else "right"


def read_again(path: Path) -> str:
    """Judge the files of a run."""
    StudyResults.read(path)
    load_bundle(path)
    return "right"


def checked(path: Path) -> str:
    """Judge a cohort table; every problem is a line."""
    _, problems = check_cohort(path)
    lines = [str(problem) for problem in problems]
    torn = [line for line in lines if "\n" in line or "\r" in line]
    return f"FAULT: {torn[0]!r:.200}" if torn else "right"


def table_edit(source: Path, target: Path, seed: int) -> Path:
    """Return a copy of a cohort table with cells or bytes changed, beside its recordings."""
    rng = np.random.default_rng(seed)
    target.mkdir()
    for held in source.parent.glob("r*.*"):
        os.link(held, target / held.name)
    rows = [line.split(",") for line in source.read_text().splitlines()]
    for _ in range(int(rng.integers(1, 5))):
        row = rows[int(rng.integers(0, len(rows)))]
        row[int(rng.integers(0, len(row)))] = CELLS[int(rng.integers(0, len(CELLS)))]
    data = "\n".join(map(",".join, rows)).encode(
        ("utf-8", "utf-16", "cp1252")[seed % 7 % 3], "replace"
    )
    path = target / "cohort.csv"
    path.write_bytes(mutate(data, rng) if rng.random() < 0.3 else data)
    return path


def report(part: str, judge: Judge, paths: Sequence[Path]) -> int:
    """Judge all copies, two at a time, each in a process that it may end; print the counts."""
    done = each_for_itself(partial(judged, judge), paths, lambda _: ENDED, workers=2)
    said = Counter(done)
    faults = [text for text in said if text.startswith("FAULT")]
    print(
        f"| {part} | {len(paths)} | {said['right']} | {said['refused']} | {len(faults)} |",
        flush=True,
    )
    for text in faults:
        print(text)
    return len(faults)


def memory() -> int:
    """Read each file that hurts in a process of its own; return how many take too much."""
    faults = 0
    with tempfile.TemporaryDirectory() as home:
        for name, make in HURTING.items():
            path = Path(home, name)
            path.write_bytes(make())
            command = [sys.executable, "-c", READING, str(path)]
            made = subprocess.run(command, capture_output=True, text=True, check=False)
            peak = int(made.stdout.split()[-1]) if made.returncode == 0 else MAX_MB + 1
            said = made.stdout.strip() if made.returncode == 0 else made.stderr[-200:]
            faults += peak > MAX_MB
            print(f"| {name} | {path.stat().st_size / 1e6:.1f} MB | {said} MB |", flush=True)
            path.unlink()
    return faults


def main() -> int:
    """Run one part, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="?", choices=("bundles", "states", "tables", "memory"))
    parser.add_argument("--count", type=int, help="edits; default 200, of states 100")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    faults = 0
    with tempfile.TemporaryDirectory() as home:
        base = Path(home)
        ecgs = people(base)
        parts: Mapping[str, Callable[[int], int]] = {
            "bundles": partial(_bundles, base, ecgs, args.seed),
            "states": partial(_states, base, args.seed),
            "tables": partial(_tables, base, args.seed),
            "memory": lambda _: memory(),
        }
        for part, run in parts.items():
            if args.part in (None, part):
                faults += run(args.count or (100 if part == "states" else 200))
    return int(faults > 0)


def _bundles(base: Path, ecgs: list[ECG], seed: int, count: int) -> int:
    bundle = make_bundle(ecgs, np.arange(len(ecgs)) % 2, base / "made")
    copies = [edited(bundle, base / f"b{seed + k}", seed + k) for k in range(count)]
    for copy in copies:
        try:
            seal(copy)
        except (ValueError, KeyError):  # no manifest is left to seal
            continue
    return report("bundles, sealed again", partial(answered, ecgs[0]), copies)


def _states(base: Path, seed: int, count: int) -> int:
    from dyssync.cli import main as dyssync

    command = ["study", "--cohort", str(base / "cohort.csv"), "--out", str(base / "run")]
    command += [
        "--models",
        "ridge,prevalence",
        "--repeats",
        "1",
        "--folds",
        "2",
        "--preset",
        "quick",
    ]
    if dyssync([*command, "--set", "refits=2"]) != 0:
        raise SystemExit("the study to be edited failed")
    files = "[!r]*.*"  # the report is for people
    copies = [edited(base / "run", base / f"s{seed + k}", seed + k, files) for k in range(count)]
    return report("states of a run", read_again, copies)


def _tables(base: Path, seed: int, count: int) -> int:
    paths = [table_edit(base / "cohort.csv", base / f"t{seed + k}", seed + k) for k in range(count)]
    return report("tables of a cohort", checked, paths)


if __name__ == "__main__":
    sys.exit(main())
