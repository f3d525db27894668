"""Fuzz one parser for minutes: coverage-guided (atheris), or real files mutated by hypothesis.

    python fuzz/fuzz_guided.py atheris edf --minutes 10        seeds: the golden files
    python fuzz/fuzz_guided.py hypothesis edf --minutes 10     seeds: golden and real files

`make bench-fuzz` runs all parsers with both. Minutes are of processor time, so that other work on
the machine takes nothing away. A fault is anything but an ECG or an InputError, and more than 2 s
of processor time; the input that makes it is kept in --keep. Exit code 1 when there was one.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

# All else of dyssync is imported inside the functions: atheris instruments what comes after it.
from dyssync.workers import use_one_thread

# "xli" is the decompressor inside of Sierra XML, which mutations of base64 text hardly reach.
PARSERS = (
    "wfdb", "muse-xml", "sierra-xml", "xli", "hl7-aecg", "schiller-xml", "scp-ecg", "edf", "ishne",
    "csv", "dicom", "numpy", "parquet", "matlab", "hdf5", "picture", "pdf",
)  # fmt: skip
APART = (
    "matlab",
    "hdf5",
    "parquet",
    "pdf",
)  # read in processes of their own: the wall clock counts
MAX_LEN = 20_000  # bytes, of what atheris makes
# libFuzzer's own memory grows with some parsers: by 2 GB in 1.8 million runs of ISHNE, whose reader
# stays at 40 MB in a plain loop of 120,000 mutated files.
MEMORY_MB = 8000


class TooSlowError(Exception):
    """A file took more processor time than the limit."""


def reader(name: str) -> Callable[[bytes], bool]:
    """Return a function that reads bytes as format `name` and says whether that gave an ECG."""
    from dyssync.errors import InputError
    from dyssync.formats import FORMATS, ReadOptions, parse_input
    from dyssync.formats.sierra_xml.xli import decode_chunks
    from fuzz_formats import LIMIT_S
    from mutations import repaired
    from seeds import companions

    if name != "xli":
        FORMATS[name]  # imports its module
    beside = companions()
    options = (ReadOptions(name), ReadOptions(name, 100.0, "uV")) if name != "xli" else ()

    def read(data: bytes) -> bool:
        start = time.process_time()
        was_read = True
        try:
            if name == "xli":
                decode_chunks(data, 2, 260)
            else:
                # The option that is used depends on the data alone, so that a fault repeats.
                declared = options[sum(data[-2:]) % 2]
                parse_input("fuzz", repaired(name, data), declared, beside)
        except InputError:
            was_read = False
        spent = time.process_time() - start
        if spent > LIMIT_S:
            raise TooSlowError(f"{spent:.1f} s of processor time")
        return was_read

    return read


def seeds(name: str, real: Sequence[Path]) -> list[bytes]:
    """Return the files to start from."""
    from seeds import GOLDEN, seeds_of

    if name != "xli":
        return seeds_of(name, real)
    text = (GOLDEN / "golden.sierra.xml").read_bytes().decode("utf-16")
    match = re.search(r"<parsedwaveforms[^>]*>(.*?)</parsedwaveforms>", text, re.S)
    assert match is not None
    return [base64.b64decode("".join(match[1].split()))]


def print_row(engine: str, name: str, counts: dict[bool, int]) -> None:
    """Print what one run read and what it took."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    seconds = spent.ru_utime + spent.ru_stime
    print(
        f"| {name} | {engine} | {seconds:.0f} s CPU | {sum(counts.values())} files "
        f"| {counts[True]} read | {spent.ru_maxrss / 1024:.0f} MB |",
        flush=True,
    )


def run_atheris(name: str, minutes: float, keep: Path) -> int:
    """Fuzz until the time is over or a fault is found; either ends the process."""
    import atheris

    with atheris.instrument_imports(include=["dyssync"]):
        read = reader(name)
    counts = {True: 0, False: 0}
    corpus = keep / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(name, ())):
        (corpus / f"seed-{number}").write_bytes(data)

    def one(data: bytes) -> None:
        counts[read(data)] += 1
        if time.process_time() > 60 * minutes:  # libFuzzer itself counts by the wall clock only
            print_row("atheris", name, counts)
            os._exit(0)

    arguments = [
        sys.argv[0],
        f"-max_len={MAX_LEN}",
        f"-rss_limit_mb={MEMORY_MB}",
        "-timeout=60",
        f"-artifact_prefix={keep}/{name}-",
        "-verbosity=1",
        str(corpus),
    ]
    atheris.Setup(arguments, one)
    atheris.Fuzz()
    return 0


def run_hypothesis(name: str, minutes: float, keep: Path, real: Sequence[Path]) -> int:
    """Read files that hypothesis made from seeds until the time is over."""
    import numpy as np
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    from mutations import mutate_xml

    files = seeds(name, real)
    read = reader(name)
    is_xml = name.endswith("-xml") or name == "hl7-aecg"
    numbers = st.sampled_from([b"-1", b"0", b"1e308", b"nan", b"", b"99999999999", b"\xc3\x28"])
    edits = st.lists(
        st.tuples(
            st.one_of(st.integers(0, 600), st.integers(0, MAX_LEN), st.floats(0, 1)),
            st.integers(0, 300),  # bytes that go
            st.one_of(st.binary(max_size=40), numbers, st.integers(0, 600)),  # what comes instead
        ),
        min_size=1,
        max_size=6,
    )
    counts = {True: 0, False: 0}

    clock = time.monotonic if name in APART else time.process_time
    end = clock() + 60 * minutes

    def mutated(file: bytes, changes: list[tuple[float, int, bytes | int]]) -> bytes:
        made = bytearray(file)
        for where, gone, new in changes:
            at = int(where * len(made)) if isinstance(where, float) else min(where, len(made))
            made[at : at + gone] = made[new : new + gone] if isinstance(new, int) else new
        return bytes(made)

    @settings(
        max_examples=1000,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(range(len(files))), edits, st.integers(0, 2**32))
    def check(which: int, changes: list[tuple[float, int, bytes | int]], number: int) -> None:
        if is_xml and number % 2:  # below the syntax, which random bytes mostly break
            data = mutate_xml(files[which], np.random.default_rng(number))
        else:
            data = mutated(files[which], changes)
        try:
            counts[read(data)] += 1
        except BaseException:
            (keep / f"{name}-hypothesis").write_bytes(data)
            raise

    try:
        while clock() < end:
            check()
    finally:
        print_row("hypothesis", name, counts)
    return 0


def main() -> int:
    """Fuzz one parser."""
    use_one_thread()  # minutes are of processor time: waiting threads must not use them up
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine", choices=("atheris", "hypothesis"))
    parser.add_argument("parser", choices=PARSERS)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"))
    parser.add_argument("--real", type=Path, nargs="*", default=[], help="folders, for hypothesis")
    args = parser.parse_args()
    args.keep.mkdir(parents=True, exist_ok=True)
    if args.engine == "atheris":
        return run_atheris(args.parser, args.minutes, args.keep)
    return run_hypothesis(args.parser, args.minutes, args.keep, args.real)


if __name__ == "__main__":
    sys.exit(main())
