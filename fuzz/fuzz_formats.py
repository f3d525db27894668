"""Read mutated files of every format: anything but an ECG or an InputError is a fault.

    python fuzz/fuzz_formats.py --count 10000            all formats, a process each
    python fuzz/fuzz_formats.py --format edf --count 100 --seed 7

The seeds are the golden files of the tests (and, with --real FOLDER..., files of these folders).
A fault is printed with the seed that makes it again. Exit code 1 when there was one.
"""

from __future__ import annotations

import argparse
import binascii
import io
import re
import resource
import signal
import struct
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

GOLDEN = Path(__file__).parent.parent / "tests" / "golden" / "formats"
LIMIT_S = 2.0  # of processor time: other work on the machine must not look like a slow parser
LIMIT_BYTES = 4_000_000_000  # of address space; libraries map much that they never touch
MAX_SEED_BYTES = 400_000
INTERESTING = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
)
TEXTS = (b"-1", b"0", b"1e308", b"nan", b"inf", b"99999999999", b"", b"\xc3\x28", b"&x;", b"<!--")


class TooSlowError(Exception):
    """A file took longer than the limit."""


def alarm(number: int, frame: FrameType | None) -> None:
    raise TooSlowError


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """Return `data` with one change, or a few."""
    made = bytearray(data)
    for _ in range(min(8, int(rng.geometric(0.5)))):
        if not made:
            break
        # Half of the changes hit the first kilobyte, where headers are.
        at = int(rng.integers(0, len(made) if rng.random() < 0.5 else min(len(made), 1024)))
        kind = int(rng.integers(0, 9))
        if kind == 0:
            made[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            made[at] = int(rng.integers(0, 256))
        elif kind == 2:
            value = INTERESTING[int(rng.integers(0, len(INTERESTING)))]
            made[at : at + len(value)] = value
        elif kind == 3:
            del made[at : at + int(rng.integers(1, 64))]
        elif kind == 4:
            made[at:at] = rng.bytes(int(rng.integers(1, 64)))
        elif kind == 5:
            end = at + int(rng.integers(1, 256))
            to = int(rng.integers(0, len(made)))
            made[to:to] = made[at:end]
        elif kind == 6 and rng.random() < 0.3:
            del made[at:]
        elif kind == 7:
            change_number(made, rng)
        else:
            size = int(rng.choice([2, 4]))
            value = int(rng.integers(0, 2**16)) if size == 2 else int(rng.integers(0, 2**32))
            made[at : at + size] = value.to_bytes(size, "little")
    return bytes(made)


def change_number(made: bytearray, rng: np.random.Generator) -> None:
    """Replace one run of digits by a number that hurts, or a text."""
    digits = [i for i in range(min(len(made), 6000)) if 48 <= made[i] <= 57]
    if not digits:
        return
    start = end = digits[int(rng.integers(0, len(digits)))]
    while end < len(made) and 48 <= made[end] <= 57:
        end += 1
    made[start:end] = TEXTS[int(rng.integers(0, len(TEXTS)))]


def mutate_xml(data: bytes, rng: np.random.Generator) -> bytes:
    """Change XML so that it mostly stays well-formed, and its content reaches the parser."""
    text = data.decode("utf-16" if data[:2] == b"\xff\xfe" else "utf-8", "replace")
    text = re.sub(r"<\?xml[^>]*>", "", text)
    for _ in range(min(6, int(rng.geometric(0.5)))):
        leaves = list(re.finditer(r"<([A-Za-z]\w*)[^<>]*>([^<>]*)</\1>", text))
        attributes = list(re.finditer(r'="([^"<>]*)"', text))
        kind = int(rng.integers(0, 6))
        if kind == 0 and attributes:
            found = attributes[int(rng.integers(0, len(attributes)))]
            text = text[: found.start(1)] + strange(found[1], rng) + text[found.end(1) :]
        elif leaves:
            found = leaves[int(rng.integers(0, len(leaves)))]
            new = {
                1: "",  # the element is gone
                2: found[0] * 2,
                3: found[0] + leaves[int(rng.integers(0, len(leaves)))][0],
            }.get(kind, found[0].replace(f">{found[2]}<", f">{strange(found[2], rng)}<"))
            text = text[: found.start()] + new + text[found.end() :]
    return text.encode("utf-8")


def strange(text: str, rng: np.random.Generator) -> str:
    """Return another value in place of `text`: one that hurts, or the text a little changed."""
    if rng.random() < 0.5 or not text:
        new = TEXTS[int(rng.integers(0, len(TEXTS)))].decode("latin-1")
        return new.replace("&", "").replace("<", "")
    at = int(rng.integers(0, len(text)))
    return text[:at] + "0Az 9+-=."[int(rng.integers(0, 9))] + text[at + int(rng.integers(0, 3)) :]


def repaired(format: str, data: bytes) -> bytes:
    """Correct the checksums, so that mutations get past them."""
    if format == "scp-ecg" and len(data) > 6:
        body = struct.pack("<I", len(data)) + data[6:]
        return struct.pack("<H", binascii.crc_hqx(body, 0xFFFF)) + body
    if format == "ishne" and len(data) > 522:
        return data[:8] + b"\0\0" + data[10:]  # 0 says that none was stored
    return data


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
