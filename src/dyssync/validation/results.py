"""What a validation leaves behind: its record, its tables, and a bundle where one was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dyssync.prediction.bundle import Bundle
from dyssync.study.results import write_csv
from dyssync.validation.record import VALIDATION, ValidationRecord
from dyssync.validation.updates import ClosedTest, save_updated

BUNDLE = "bundle"


@dataclass(frozen=True, eq=False)
class Validation:
    """A finished validation.

    Attributes:
        record: what stands in no table.
        bundle: that was validated.
        tested: what the closed test says of its models.
        tables: answers, estimates, comparisons, coverage, subgroups, update; only the first names
            patients.
    """

    record: ValidationRecord
    bundle: Bundle
    tested: tuple[ClosedTest, ...]
    tables: Mapping[str, pd.DataFrame]

    def write(self, folder: Path) -> None:
        """Write record and tables into `folder`, and the updated bundle where one was asked for.

        Raises:
            InputError: a file cannot be written.
        """
        self.record.save(folder / VALIDATION)
        for name, table in self.tables.items():
            write_csv(folder / f"{name}.csv", table)
        if self.record.updated:
            save_updated(self.bundle, self.tested, cohort_name(self.record), folder / BUNDLE)


def cohort_name(record: ValidationRecord) -> str:
    """Return the cohort as a bundle's history names it: that it may be known again."""
    kind = "simulated cohort" if record.simulated else "cohort"
    return f"{kind} {record.cohort} ({record.cohort_digest})"
