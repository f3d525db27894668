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
from mutations import header_changed, in_utf_8
from seeds import GOLDEN

GAIN_APART = 0.2
SCALE_APART = 5.0
ALIKE = 0.95


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
            found.append((path.name, format, in_utf_8(data), beside))
    return found


def try_file(
    name: str, format: str, data: bytes, beside: dict[str, bytes], count: int
) -> Counter[str]:
    """Read `count` mutations of one file; return how often what became of them."""
    right = parse_ecg(name, data, beside=beside)
    outcomes: Counter[str] = Counter()
    for number in range(count):
        changed = header_changed(format, data, np.random.default_rng(number))
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
