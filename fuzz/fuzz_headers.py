"""Change numbers, signs and units in headers: does a wrong gain ever pass without a word?

    python fuzz/fuzz_headers.py --count 1500                    the golden files, of every format
    python fuzz/fuzz_headers.py --real ../shared/data/formats     and files of these folders

A file counts as silent where it is read without a doubt although one limb lead has another gain (by
more than 20 %) or sign, or all leads are five times too large or small and more. Exit code 1 when
there was one; it is printed with the number that makes it again.
"""

# ruff: noqa: E402 - the libraries of NumPy read the number of threads when they are imported
from __future__ import annotations

from dyssync.workers import use_one_thread

use_one_thread()

import argparse
import re
import struct
import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import ECG
from dyssync.errors import InputError
from dyssync.formats import parse_ecg
from dyssync.formats.reading.entrance import sniffed
from dyssync.formats.reading.recording import unpacked
from dyssync.signals.plausibility import Recorded
from mutations import repaired

GOLDEN = Path(__file__).parent.parent / "tests" / "golden" / "formats"
GAIN_APART = 0.2
SCALE_APART = 5.0
ALIKE = 0.95
FACTORS = (-1, 0.001, 0.1, 0.5, 0.75, 1.25, 2, 5, 10, 100, 1000)
_NUMBER = rb"[-+]?\d{1,14}(?:\.\d{1,14})?(?:[eE][-+]?\d+)?"
# Where the numbers of headers stand; elsewhere they are samples.
IN_TEXT = re.compile(rb"(?<![\w.])" + _NUMBER + rb"(?![\w.])")
IN_XML = re.compile(rb"(?<=[>\"])" + _NUMBER + rb"(?=[<\"])")
IN_DICOM = re.compile(rb"(?<=DS[\x01-\x10]\0)" + _NUMBER)  # decimal strings
UNITS = (b"uV", b"mV", b"nV", b"UV", b"MV", b"MICROVOLTS", b"MILLIVOLTS")
BINARY = {"scp-ecg", "ishne"}  # their headers hold 16-bit numbers


def mutated(format: str, data: bytes, rng: np.random.Generator) -> bytes:
    """Return `data` with one number or unit of its header changed."""
    head = data[: _header_bytes(format, data)]
    if format in BINARY:
        return repaired(format, _word_changed(format, data, len(head), rng))
    if rng.random() < 0.2:
        return _unit_changed(data, rng)
    is_xml = format.endswith("-xml") or format == "hl7-aecg"
    pattern = IN_XML if is_xml else IN_DICOM if format == "dicom" else IN_TEXT
    words = list(pattern.finditer(head))
    if format == "csv":
        words = [m for m in words if data[data.rfind(b"\n", 0, m.start()) + 1 :][:1] == b"#"]
    if not words:
        return _unit_changed(data, rng)
    chosen = words[int(rng.integers(0, len(words)))]
    new = _number_changed(chosen[0], rng)
    if format in {"edf", "dicom"}:  # fields of fixed length
        size = chosen.end() - chosen.start()
        new = new[:size].ljust(size)
    return data[: chosen.start()] + new + data[chosen.end() :]


def _header_bytes(format: str, data: bytes) -> int:
    """Return how many bytes come before the samples."""
    if format == "scp-ecg":
        at = 22 + 10 * 6  # the pointer to section 6, whose data follow the sizes of the leads
        return int.from_bytes(data[at + 6 : at + 10], "little") + 16 + 6
    if format == "edf":
        return 256 * (1 + int(data[252:256]))
    return 522 if format == "ishne" else len(data)


def _number_changed(text: bytes, rng: np.random.Generator) -> bytes:
    value = float(text) * FACTORS[int(rng.integers(0, len(FACTORS)))]
    whole = b"." not in text and value == round(value) and abs(value) < 1e15
    return (f"{value:.0f}" if whole else f"{value:.9g}").encode()


def _unit_changed(data: bytes, rng: np.random.Generator) -> bytes:
    there = [m for unit in UNITS for m in re.finditer(rb"\b" + unit + rb"\b", data)]
    if not there:
        return data
    chosen = there[int(rng.integers(0, len(there)))]
    others = [unit for unit in UNITS if len(unit) == len(chosen[0]) and unit != chosen[0]]
    return data[: chosen.start()] + others[int(rng.integers(0, len(others)))] + data[chosen.end() :]


def _word_changed(format: str, data: bytes, size: int, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(0, min(size, len(data)) - 2))
    if format == "scp-ecg":  # section 2 is a code book, with which samples are read
        _, length, start = struct.unpack_from("<HII", data, 22 + 10 * 2)
        at = at % (start - 3) if start - 3 <= at < start + length else at
    value = int.from_bytes(data[at : at + 2], "little", signed=True)
    value = round(value * FACTORS[int(rng.integers(0, len(FACTORS)))])
    value = max(-32768, min(32767, value))
    return data[:at] + value.to_bytes(2, "little", signed=True) + data[at + 2 :]


def verdict(right: ECG, found: ECG) -> str:
    """Return what became of a mutated file that was read."""
    if found.doubts:
        return "doubted"
    scale = float(np.median(_swings(found) / np.maximum(_swings(right), 1e-6)))
    if not 1 / SCALE_APART < scale < SCALE_APART:
        return "SILENT: all leads"
    if found.signal.shape == right.signal.shape and (_apart(right, found) > GAIN_APART).any():
        return "SILENT: one limb lead"
    return "unchanged"


def _swings(ecg: ECG) -> Floats:
    return Recorded(ecg.signal, ecg.fs).swings


def _apart(right: ECG, found: ECG) -> Floats:
    """Return by how much the gain of each limb lead differs from that of most leads, as a share.

    A lead whose shape is another has no gain: what damages single samples is not asked for here.
    """
    a = right.signal - np.median(right.signal, axis=1, keepdims=True)
    b = found.signal - np.median(found.signal, axis=1, keepdims=True)
    scale = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    alike = np.abs((a * b).sum(axis=1)) > ALIKE * scale
    large = np.abs(a) > 0.3 * np.abs(a).max(axis=1, keepdims=True)
    if not alike.any():
        return np.zeros(6)
    gain = np.ones(len(a))
    for lead in np.flatnonzero(alike):
        gain[lead] = np.median(b[lead, large[lead]] / a[lead, large[lead]])
    usual = float(np.median(gain[alike]))
    return np.where(alike[:6], np.abs(gain[:6] / (usual or 1.0) - 1), 0.0)


def seeds(real: Sequence[Path]) -> list[tuple[str, str, bytes, dict[str, bytes]]]:
    """Return name, format, bytes and companions of every file that is read without a doubt."""
    found = []
    paths = [p for folder in (GOLDEN, *real) for p in sorted(folder.rglob("*")) if p.is_file()]
    for path in paths:
        data = path.read_bytes()
        beside = {p.name: p.read_bytes() for p in path.parent.glob(f"{path.stem}.*") if p != path}
        try:
            format = sniffed(unpacked(path.name, data)).name
            ecg = parse_ecg(path.name, data, beside=beside)
        except InputError:
            continue  # pictures, and what belongs to another file
        if not ecg.doubts:
            found.append((path.name, format, _in_utf_8(data), beside))
    return found


def _in_utf_8(data: bytes) -> bytes:
    """Return XML in UTF-16 as UTF-8, so that its numbers are found."""
    if data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return data
    return re.sub(r"^<\?xml[^>]*>", "", data.decode("utf-16")).encode()


def try_file(
    name: str, format: str, data: bytes, beside: dict[str, bytes], count: int
) -> Counter[str]:
    """Read `count` mutations of one file; return how often what became of them."""
    right = parse_ecg(name, data, beside=beside)
    outcomes: Counter[str] = Counter()
    for number in range(count):
        changed = mutated(format, data, np.random.default_rng(number))
        try:
            outcome = verdict(right, parse_ecg(name, changed, beside=beside))
        except InputError:
            outcome = "refused"
        outcomes[outcome] += 1
        if outcome.startswith("SILENT"):
            print(f"  {name} {number}: {outcome}")
    return outcomes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return 1 where a wrong gain passed without a word."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1500, help="mutations a file")
    parser.add_argument("--only", default="", help="files whose name holds this")
    parser.add_argument("--real", type=Path, nargs="*", default=[], help="folders of real files")
    chosen = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    silent = 0
    for name, format, data, beside in seeds(chosen.real):
        if chosen.only not in name:
            continue
        outcomes = try_file(name, format, data, beside, chosen.count)
        silent += sum(n for what, n in outcomes.items() if what.startswith("SILENT"))
        print(f"{name:45} {format:13}", dict(outcomes.most_common()))
    return int(silent > 0)


if __name__ == "__main__":
    sys.exit(main())
