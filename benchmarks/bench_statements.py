"""Grade the statements on conduction and rhythm against cardiologists: `make bench-statements`.

For each corpus, each statement: sensitivity and specificity with Wilson's 95 % intervals, how often
it is not known, and which recordings it misses or wrongly has. No threshold is fitted to a corpus;
PTB-XL in true millivolt has 19 complete LBBB, and what holds on it has to hold on the others, too.
Strict LBBB is no statement of a cardiologist: its share of complete LBBB is printed (MADIT-CRT
calls 55 % of its LBBB strict; 68 % at Ghent) and of all others.

Below: QRS area by statement; ventricular rate in atrial fibrillation beside the count of beats; the
statements of vendors' recorders beside ours.
"""

# ruff: noqa: E402 - the libraries of NumPy read the number of threads when they are imported
from __future__ import annotations

from dyssync.workers import use_one_thread

use_one_thread()

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dyssync.evaluation.coverage import share_interval
from dyssync.inspection.wording import conduction, rhythm
from dyssync.measurements import Measurements, measure
from labelled_ecgs import CORPORA, Labelled, recorders
from markdown_rows import head, row
from real_data import data_option


@dataclass(frozen=True)
class Statement:
    """A statement of ours, the label it is held against, and whether "not known" counts as yes."""

    ours: str
    theirs: str
    probably: bool = False


STATEMENTS = (
    Statement("lbbb_esc", "CLBBB"),
    Statement("lbbb_aha", "CLBBB"),
    Statement("lbbb_strauss", "CLBBB"),
    Statement("rbbb", "CRBBB"),
    Statement("paced", "PACE"),
    Statement("paced", "PACE", probably=True),
    Statement("atrial_fibrillation", "AFIB"),
)
AREAS = ("NORM", "CLBBB", "CRBBB", "IVCD", "PACE")
SHOWN = 12  # recordings that are named

Graded = Sequence[tuple[Labelled, Measurements]]


def graded(corpus: str, data: Path) -> Graded:
    """Return the recordings of a corpus, measured."""
    return [(one, measure(one.ecg)) for one in CORPORA[corpus](data)]


def show_statements(corpus: str, found: Graded) -> None:
    """Print a line a statement."""
    print(f"\n{corpus}: {len(found)} recordings")
    print(head("statement", "label", "n", "Se (95 %)", "Sp (95 %)", "not known", "missed", "extra"))
    for statement in STATEMENTS:
        theirs = np.array([statement.theirs in one.labels for one, _ in found])
        if not theirs.any():
            continue
        answers = [measured.answers[statement.ours].value for _, measured in found]
        unknown = np.array([value is None for value in answers])
        ours = np.array([value is True for value in answers])
        ours |= unknown & statement.probably
        names = np.array([one.name for one, _ in found])
        print(
            row(
                statement.ours + (" or probably" if statement.probably else ""),
                statement.theirs,
                int(theirs.sum()),
                _share(ours[theirs]),
                _share(~ours[~theirs]),
                f"{unknown[theirs].sum()} + {unknown[~theirs].sum()}",
                " ".join(names[theirs & ~ours][:SHOWN]),
                " ".join(names[~theirs & ours][:SHOWN]),
            ),
            flush=True,
        )


def _share(hits: np.ndarray) -> str:
    share, low, high = share_interval(hits)
    return f"{share:.3f} ({low:.3f}-{high:.3f})"


def show_areas(found: Graded) -> None:
    """Print the QRS area and duration by label: medians and quartiles."""
    print()
    print(head("label", "n", "QRS area, uVs", "QRS duration, ms"))
    for label in AREAS:
        some = [measured for one, measured in found if label in one.labels]
        if some:
            cells = []
            for name in ("qrs_area_uvs", "qrs_duration_ms"):
                low, middle, high = np.nanpercentile([m[name] for m in some], (25, 50, 75))
                cells.append(f"{middle:.1f} ({low:.1f}-{high:.1f})")
            print(row(label, len(some), *cells))


def show_recorders(data: Path) -> None:
    """Print what recorders say beside what is said here."""
    print()
    print(head("file", "here", "recorder"))
    for one in recorders(data):
        found = measure(one.ecg)
        print(row(one.name, f"{conduction(found)}; {rhythm(found)}", *one.labels))


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data_option(parser)
    parser.add_argument("--corpus", action="append", choices=list(CORPORA), help="only this one")
    options = parser.parse_args()
    for corpus in options.corpus or CORPORA:
        found = graded(corpus, options.data)
        show_statements(corpus, found)
        show_areas(found)
    show_recorders(options.data)


if __name__ == "__main__":
    main()
