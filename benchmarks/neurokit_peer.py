"""NeuroKit2 beside dyssync on the same beats: its methods compared, the best and the default shown.

NeuroKit2 is no dependency: its marks are made in an environment of its own by `neurokit_marks.py`
and kept for the next run.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np

from annotated_ecgs import Marks, Record
from mark_scores import NAMES, show_better_lead, show_set
from qrs_durations import is_wide, median_qrs_ms, show_failures

SCRIPT = Path(__file__).with_name("neurokit_marks.py")
DEFAULT_METHOD = "dwt"
METHODS = ("dwt", "cwt", "prominence", "peak")  # of NeuroKit2; the best is compared
TRIED_EVERY = 8  # LUDB records on which the methods are compared with each other


def neurokit_marks(
    records: list[Record], python: str, kept: Path, method: str
) -> tuple[list[list[Marks]], float]:
    """Return NeuroKit2's marks of all records and its CPU seconds a record; kept in a file."""
    kept = kept.with_name(f"{kept.stem}-{method}.npz")
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "signals.npz"
            rates = np.array([record.fs for record in records])
            arrays = {f"x{k}": record.signal for k, record in enumerate(records)}
            np.savez(source, allow_pickle=False, fs=rates, **arrays)
            subprocess.run([python, str(SCRIPT), str(source), str(kept), method], check=True)
    with np.load(kept) as found:
        marks = [
            [{name: found[f"{k}_{lead}_{name}"] for name in NAMES} for lead in range(len(r.signal))]
            for k, r in enumerate(records)
        ]
        return marks, float(found["seconds"][0]) / len(records)


def compare_methods(records: list[Record], python: str, kept: Path) -> dict[str, float]:
    """Compare NeuroKit2's methods on some records; return CPU s a record, the best method first.

    A mark that is not found counts as one that is off by the whole window.
    """
    print(f"\nNeuroKit2 0.2.13, its methods on {len(records)} LUDB records")
    costs, seconds = {}, {}
    for method in METHODS:
        marks, seconds[method] = neurokit_marks(records, python, kept, method)
        table = show_set(f"NeuroKit2 {method}", records, marks)
        costs[method] = table.cost_ms()
        print(f"  root mean square error, missed marks too {costs[method]:.1f} ms")
    order = sorted(costs, key=lambda method: costs[method])
    print(f"best: {order[0]}")
    return {method: seconds[method] for method in order}


def show_neurokit(
    ludb: list[Record], qtdb: list[Record], python: str, keep: Path
) -> dict[str, float]:
    """Print the tables of NeuroKit2's best and default methods; return CPU s a record by method."""
    tried = ludb[::TRIED_EVERY]
    wide = [k for k, record in enumerate(ludb) if is_wide(record)]
    seconds = compare_methods(tried, python, keep / f"tried-{len(tried)}.npz")
    for method in dict.fromkeys((next(iter(seconds)), DEFAULT_METHOD)):
        name = f"NeuroKit2 {method}"
        marks, _ = neurokit_marks(ludb, python, keep / f"ludb-{len(ludb)}.npz", method)
        durations = [median_qrs_ms(m, r.fs) for m, r in zip(marks, ludb, strict=True)]
        show_set(f"LUDB, {name}", ludb, marks)
        show_failures(ludb, durations)
        show_set(f"LUDB, wide or paced, {name}", [ludb[k] for k in wide], [marks[k] for k in wide])
        show_failures([ludb[k] for k in wide], [durations[k] for k in wide])
    best = next(iter(seconds))
    marks, _ = neurokit_marks(qtdb, python, keep / f"qtdb-{len(qtdb)}.npz", best)
    show_better_lead(f"QTDB, NeuroKit2 {best}", qtdb, marks)
    return seconds
