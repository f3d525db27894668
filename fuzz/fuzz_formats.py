"""Read mutated files of every format: anything but an ECG or an InputError is a fault.

    python fuzz/fuzz_formats.py --count 12000            all formats, a process each
    python fuzz/fuzz_formats.py --format edf --count 100 --seed 7

The seeds are those of seeds.py (and, with --real FOLDER..., files of these folders). Of ten files
nine have their checksums mended after they were changed. More than 2 s of processor time or 500 MB
is a fault, too, and so is what a library writes to the terminal. A fault is printed with the seed
that makes it again; exit code 1 when there was one.
"""

# ruff: noqa: E402 - the libraries of NumPy read the number of threads when they are imported
from __future__ import annotations

from dyssync.workers import use_one_thread

use_one_thread()  # the limit is one of processor time: waiting threads must not use it up

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import numpy as np

from dyssync.errors import InputError
from dyssync.formats import FORMATS, ReadOptions, parse_input
from dyssync.formats.reading.isolation import end_servers
from mutations import header_changed, in_utf_8, mutate, mutate_xml, repaired
from seeds import companions, seeds_of

LIMIT_S = 2.0  # of processor time: other work on the machine must not look like a slow parser
LIMIT_BYTES = 4_000_000_000  # of address space; libraries map much that they never touch
# what most seeds say of themselves, so that declaring it is no contradiction
UNITS = defaultdict(lambda: "uV", {"wfdb": "mV", "scp-ecg": "nV", "ishne": "nV"})
MAX_MB = 500  # of memory, in this process and in those that files are read in apart


class TooSlowError(Exception):
    """A file took longer than the limit."""


def alarm(number: int, frame: FrameType | None) -> None:
    """Stop a file that takes too long."""
    raise TooSlowError


def open_ear() -> Callable[[], bytes]:
    """Return a function that tells what was written to the error output since it was last asked.

    By libraries in C, too, which know the descriptor alone.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as this process lives
    os.dup2(file.fileno(), 2)

    def heard() -> bytes:
        if not os.lseek(2, 0, os.SEEK_CUR):
            return b""
        file.seek(0)
        said = file.read()
        file.seek(0)
        file.truncate()
        return said

    return heard


def changed(format: str, data: bytes, rng: np.random.Generator) -> bytes:
    """Return a file with its bytes changed, or what its header says, or elements of its XML."""
    if rng.random() < 0.3:
        said_otherwise = header_changed(format, in_utf_8(data), rng)
        if said_otherwise != data:
            return said_otherwise
    as_xml = format.endswith("-xml") or format == "hl7-aecg"
    return mutate_xml(data, rng) if as_xml and rng.random() < 0.7 else mutate(data, rng)


def fuzz(format: str, count: int, seed: int, real: Sequence[Path]) -> int:
    """Read `count` mutated files of one format; return the number of faults."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    signal.signal(signal.SIGPROF, alarm)
    warnings.simplefilter("error")
    seeds = seeds_of(format, real)
    outcomes: Counter[str] = Counter()
    slowest, began = 0.0, time.process_time()
    heard = open_ear()
    for number in range(seed, seed + count):
        rng = np.random.default_rng(number)
        data = seeds[int(rng.integers(0, len(seeds)))]
        data = changed(format, data, rng)
        if number % 10:
            data = repaired(format, data)
        forced = format if rng.random() < 0.8 else None
        declared = rng.random() < 0.5
        stated = (100.0, UNITS[format]) if declared else (None, None)
        options = ReadOptions(forced, *stated)
        beside = companions()
        if rng.random() < 0.2:
            beside = {name: mutate(samples, rng) for name, samples in beside.items()}
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
                traceback.print_exc(limit=-4, file=sys.stdout)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        slowest = max(slowest, time.process_time() - start)
        if said := heard():
            outcomes["fault"] += 1
            print(f"{format}: seed {number}: a library said on the terminal: {said!r:.200}")
    end_servers()  # what they took is known when they have ended
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(who).ru_maxrss for who in whose) / 1024
    if peak > MAX_MB:
        outcomes["fault"] += 1
        print(f"{format}: {peak:.0f} MB of memory")
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
    parser.add_argument("--count", type=int, default=12_000)
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
            code = subprocess.run(command, check=False, timeout=60 + args.count / 4).returncode
        except subprocess.TimeoutExpired:
            print(f"{name}: hangs; give --format {name} and ever smaller --count to find the file")
            code = 1
        if code < 0:
            print(f"{name}: the interpreter died of signal {-code}")
        worst = max(worst, abs(code))
    return int(worst > 0)


if __name__ == "__main__":
    sys.exit(main())
