"""Read mutated files of every format: anything but an ECG or an InputError is a fault.

    python fuzz/fuzz_formats.py --count 10000            all formats, a process each
    python fuzz/fuzz_formats.py --format edf --count 100 --seed 7

The seeds are the golden files of the tests (and, with --real FOLDER..., files of these folders).
A fault is printed with the seed that makes it again. Exit code 1 when there was one.
"""

# ruff: noqa: E402 - the libraries of NumPy read the number of threads when they are imported
from __future__ import annotations

from dyssync.workers import use_one_thread

use_one_thread()  # the limit is one of processor time: waiting threads must not use it up

import argparse
import io
import resource
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import numpy as np

from dyssync.errors import InputError
from dyssync.formats import FORMATS, ReadOptions, parse_input
from dyssync.formats.wfdb.samples import SAMPLE_FORMATS
from mutations import mutate, mutate_xml, repaired

GOLDEN = Path(__file__).parent.parent / "tests" / "golden" / "formats"
LIMIT_S = 2.0  # of processor time: other work on the machine must not look like a slow parser
LIMIT_BYTES = 4_000_000_000  # of address space; libraries map much that they never touch
MAX_SEED_BYTES = 400_000


class TooSlowError(Exception):
    """A file took longer than the limit."""


def alarm(number: int, frame: FrameType | None) -> None:
    """Stop a file that takes too long."""
    raise TooSlowError


def unchecked(format: str) -> list[bytes]:
    """Return files whose samples have no checksum, so that mutations get past it."""
    if format == "wfdb":
        names = ("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6")
        return [
            "".join(
                ["golden 12 100\n", *(f"golden.dat {code} 1000/mV 16 0 0 0 0 {n}\n" for n in names)]
            ).encode()
            for code in SAMPLE_FORMATS
        ]
    if format == "numpy":
        with np.load(GOLDEN / "golden.npz") as archive:
            arrays = dict(archive)
        plain, stored = io.BytesIO(), io.BytesIO()
        np.save(plain, arrays["signal"])
        np.savez(stored, **arrays)
        return [plain.getvalue(), stored.getvalue()]
    return []


def seeds_of(format: str, real: Sequence[Path]) -> list[bytes]:
    """Return the files of one format: golden ones, and those of the folders of real ones."""
    found = unchecked(format)
    for path in sorted(GOLDEN.iterdir()) + [
        p for folder in real for p in sorted(folder.rglob("*"))
    ]:
        if not path.is_file() or path.stat().st_size > MAX_SEED_BYTES:
            continue
        data = path.read_bytes()
        if FORMATS[format].sniff(data[:4096], path):
            found.append(data)
    return found


def fuzz(format: str, count: int, seed: int, real: Sequence[Path]) -> int:
    """Read `count` mutated files of one format; return the number of faults."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    signal.signal(signal.SIGPROF, alarm)
    warnings.simplefilter("error")
    seeds = seeds_of(format, real)
    signal_file = (GOLDEN / "golden.dat").read_bytes()
    outcomes: Counter[str] = Counter()
    slowest, began = 0.0, time.process_time()
    for number in range(seed, seed + count):
        rng = np.random.default_rng(number)
        data = seeds[int(rng.integers(0, len(seeds)))]
        as_xml = format.endswith("-xml") or format == "hl7-aecg"
        data = mutate_xml(data, rng) if as_xml and rng.random() < 0.7 else mutate(data, rng)
        if rng.random() < 0.7:
            data = repaired(format, data)
        forced = format if rng.random() < 0.8 else None
        declared = rng.random() < 0.5
        options = ReadOptions(forced, 100.0 if declared else None, "uV" if declared else None)
        beside = {"golden.dat": mutate(signal_file, rng) if rng.random() < 0.3 else signal_file}
        start = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
        try:
            parse_input("fuzz", data, options, beside)
            outcomes["read"] += 1
        except InputError as error:
            outcomes["refused"] += 1
            if "\n" in str(error):
                outcomes["fault"] += 1
                print(f"{format}: seed {number}: message of several lines: {error}")
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            outcomes["fault"] += 1
            if outcomes["fault"] <= 5:
                print(f"{format}: seed {number}: {type(error).__name__}: {error}")
                traceback.print_exc(limit=-4)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        slowest = max(slowest, time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"| {format} | {count} | {outcomes['read']} | {outcomes['refused']} | {outcomes['fault']} "
        f"| {slowest:.2f} | {peak:.0f} | {time.process_time() - began:.0f} |",
        flush=True,
    )
    return outcomes["fault"]


def main() -> int:
    """Fuzz one format, or all of them, a process each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--format", choices=list(FORMATS))
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--real", type=Path, nargs="*", default=[], metavar="FOLDER")
    args = parser.parse_args()
    if args.format:
        return int(fuzz(args.format, args.count, args.seed, args.real) > 0)
    print("| format | files | read | refused | faults | slowest, s CPU | peak MB | s CPU |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    worst = 0
    for name in FORMATS:
        command = [sys.executable, __file__, "--format", name]
        command += ["--count", str(args.count), "--seed", str(args.seed)]
        command += ["--real", *map(str, args.real)]
        try:  # an alarm does not reach a loop inside a C library; the parent's patience does
            code = subprocess.run(command, check=False, timeout=60 + args.count / 20).returncode
        except subprocess.TimeoutExpired:
            print(f"{name}: hangs; give --format {name} and ever smaller --count to find the file")
            code = 1
        if code < 0:
            print(f"{name}: the interpreter died of signal {-code}")
        worst = max(worst, abs(code))
    return int(worst > 0)


if __name__ == "__main__":
    sys.exit(main())
