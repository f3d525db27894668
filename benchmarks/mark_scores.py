"""Score wave marks against those of a cardiologist: sensitivity, predictivity, error."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from annotated_ecgs import Marks, Record
from dyssync.arrays import Floats

NAMES = ("p_on", "p_off", "qrs_on", "qrs_off", "t_off")
WINDOW_S = 0.15  # a mark within it of the cardiologist's is the same mark
# What is asked of the marks: least sensitivity %, largest |mean| and SD in ms, and the CSE limits
# (Common Standards for Electrocardiography, Eur Heart J 1985;6:815).
TARGETS = {
    "p_on": (97.0, 4, 16, 10.2),
    "p_off": (97.0, 4, 16, 12.7),
    "qrs_on": (99.5, 4, 10, 6.5),
    "qrs_off": (99.5, 4, 12, 11.6),
    "t_off": (97.0, 10, 30, 30.6),
}


@dataclass
class Score:
    """Matches of one mark over leads and records."""

    errors_ms: list[Floats] = field(default_factory=list)
    n_reference: int = 0
    n_found: int = 0

    def row(self, name: str) -> str:
        """Return one line of the table."""
        e = np.concatenate([np.empty(0), *self.errors_ms])
        if not self.n_reference or not len(e):
            return f"{name:8s} {self.n_reference:6d}   none found"
        sensitivity = 100 * len(e) / self.n_reference
        predictivity = 100 * len(e) / max(self.n_found, 1)
        robust = 1.4826 * np.median(np.abs(e - np.median(e)))
        return (
            f"{name:8s} {self.n_reference:6d} {sensitivity:7.2f} {predictivity:7.2f} "
            f"{e.mean():7.1f} {e.std():6.1f} {robust:9.1f}"
        )


HEADER = (
    f"{'mark':8s} {'n':>6s} {'Se %':>7s} {'P+ %':>7s} {'mean':>7s} {'SD':>6s} {'robust SD':>9s}"
)


def match(reference: Floats, ours: Floats, window: float) -> Floats:
    """Return ours - reference of the nearest pairs within `window`, each mark used once."""
    if not len(reference) or not len(ours):
        return np.empty(0)
    nearest = np.abs(ours[:, None] - reference[None]).argmin(axis=0)
    error = ours[nearest] - reference
    best: dict[int, float] = {}
    for k, e in zip(nearest.tolist(), error.tolist(), strict=True):
        if abs(e) <= window and abs(e) < abs(best.get(k, np.inf)):
            best[k] = e
    return np.array(list(best.values()))


class Table:
    """Scores of all marks of one set of records by one program."""

    def __init__(self) -> None:
        self.scores = {name: Score() for name in NAMES}

    def add(self, reference: Marks, excused: Floats, ours: Marks, fs: float) -> None:
        """Count one lead; marks outside the annotated stretch are not judged."""
        every = np.concatenate(list(reference.values()))
        if not len(every):
            return
        for name, score in self.scores.items():
            marks = ours[name][np.isfinite(ours[name])]
            error = match(reference[name], marks, WINDOW_S * fs)
            inside = marks[(marks >= every.min()) & (marks <= every.max())]
            if len(excused):
                inside = inside[np.abs(inside[:, None] - excused).min(axis=1) > WINDOW_S * fs]
            score.errors_ms.append(error * 1000.0 / fs)
            score.n_reference += len(reference[name])
            score.n_found += max(len(inside), len(error))

    def show(self, title: str) -> None:
        """Print the table."""
        print(f"\n{title}\n{HEADER}")
        for name, score in self.scores.items():
            print(score.row(name))

    def cost_ms(self) -> float:
        """Return the root mean square error over all marks, missed ones off by the window."""
        total = n = 0.0
        for score in self.scores.values():
            errors = np.concatenate([np.empty(0), *score.errors_ms])
            missed = score.n_reference - len(errors)
            total += float(np.square(errors).sum()) + missed * (1000.0 * WINDOW_S) ** 2
            n += score.n_reference
        return float(np.sqrt(total / n))

    def against_targets(self) -> None:
        """Print for each mark whether the targets are reached."""
        for name, (least, mean, sd, cse) in TARGETS.items():
            score = self.scores[name]
            e = np.concatenate(score.errors_ms)
            reached = {
                f"Se >= {least}": 100 * len(e) / score.n_reference >= least,
                f"|mean| <= {mean}": abs(e.mean()) <= mean,
                f"SD <= {sd}": e.std() <= sd,
                f"CSE SD <= {cse}": e.std() <= cse,
            }
            words = ", ".join(
                f"{what} {'yes' if is_so else 'NO'}" for what, is_so in reached.items()
            )
            print(f"  {name:8s} {words}")


def show_set(title: str, records: list[Record], all_marks: list[list[Marks]]) -> Table:
    """Print and return the scores of all leads, each against its own marks."""
    table = Table()
    for record, lead_marks in zip(records, all_marks, strict=True):
        for (reference, excused), ours in zip(record.reference, lead_marks, strict=True):
            table.add(reference, excused, ours, record.fs)
    table.show(f"{title}: {len(records)} records")
    return table


def show_better_lead(title: str, records: list[Record], all_marks: list[list[Marks]]) -> None:
    """QTDB has one set of marks for two leads: the nearer lead counts, as Martinez 2004 does."""
    table = Table()
    for record, lead_marks in zip(records, all_marks, strict=True):
        reference, excused = record.reference[0]
        nearer: Marks = {}
        for name in NAMES:
            both = [marks[name][np.isfinite(marks[name])] for marks in lead_marks]
            picked = []
            for sample in reference[name]:
                near = np.array([m[np.abs(m - sample).argmin()] for m in both if len(m)])
                picked += [near[np.abs(near - sample).argmin()]] if len(near) else []
            nearer[name] = np.unique(np.array(picked, dtype=np.float64))
        table.add(reference, excused, nearer, record.fs)
    table.show(f"{title}: {len(records)} records, nearer of two leads")
