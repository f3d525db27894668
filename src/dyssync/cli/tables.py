"""Tables of measurements: CSV, Parquet, and text for people."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from dyssync.cli.rows import Table
from dyssync.cli.terminal import say
from dyssync.inspection.wording import TITLES, conduction, grid, measured, shown
from dyssync.spreadsheet import guarded

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

    from dyssync.measurements import Measurements

CAUTIONS = "cautions"
ROWS_AT_ONCE = 1000  # of Parquet; some 2 MB
CSV_DIGITS = 7  # samples are 32-bit floats

# Column for people: title, measurement.
MAIN = (
    ("HR", "heart_rate_bpm"),
    ("PR", "pr_ms"),
    ("QRS", "qrs_duration_ms"),
    ("QTc", "qtc_bazett_ms"),
    ("axis", "qrs_axis_deg"),
    ("area", "qrs_area_uvs"),
    ("beats", "n_beats"),
)
LEGEND = (
    "HR /min; PR, QRS, QTc (Bazett) ms; frontal QRS axis deg; QRS area uVs; beats averaged.\n"
    "Research use only. All measurements: -o table.csv, or one file alone."
)


class CSVTable(Table["Measurements"]):
    """One row a file; the file is made with the first row."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: TextIO | None = None

    def add(self, name: str, found: Measurements) -> None:
        """Write a row; NaN becomes an empty cell."""
        if self.file is None:
            self.file = self.path.open("w", encoding="utf-8", newline="")
            _csv_row(self.file, ["file", *found.names, CAUTIONS])  # all of them ours
        cells = ["" if math.isnan(v) else f"{v:.{CSV_DIGITS}g}" for v in found.values]
        _csv_row(self.file, [guarded(name), *cells, "; ".join(found.cautions)])

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            self.file.close()


def _csv_row(file: TextIO, cells: list[str]) -> None:
    csv.writer(file, lineterminator="\n").writerow(cells)


class ParquetTable(Table["Measurements"]):
    """One row a file; unit and definition of each column in its metadata."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[tuple[str, Measurements]] = []
        self.writer: pyarrow.parquet.ParquetWriter | None = None

    def add(self, name: str, found: Measurements) -> None:
        """Take a row; a block of them is written at once."""
        self.rows.append((name, found))
        if len(self.rows) == ROWS_AT_ONCE:
            self._write()

    def _write(self) -> None:
        import pyarrow
        import pyarrow.parquet

        from dyssync.measurements import DEFINITIONS

        text = pyarrow.string()
        columns = [
            pyarrow.field(
                d.name, pyarrow.float64(), metadata={"unit": d.unit, "meaning": d.meaning}
            )
            for d in DEFINITIONS
        ]
        schema = pyarrow.schema(
            [pyarrow.field("file", text), *columns, pyarrow.field(CAUTIONS, text)]
        )
        if self.writer is None:
            self.writer = pyarrow.parquet.ParquetWriter(self.path, schema)
        data = [[name for name, _ in self.rows]]
        data += [[found.values[k] for _, found in self.rows] for k in range(len(columns))]
        data += [["; ".join(found.cautions) for _, found in self.rows]]
        self.writer.write_table(pyarrow.table(data, schema=schema))
        self.rows = []

    def __exit__(self, *_: object) -> None:
        if self.rows:
            self._write()
        if self.writer is not None:
            self.writer.close()


class TextTable(Table["Measurements"]):
    """The main measurements for people, a line a file."""

    def __init__(self, file: TextIO, names: list[str]) -> None:
        self.file = file
        self.width = max(len(name) for name in names)
        head = "".join(f"{title:>7}" for title, _ in MAIN)
        self.head = f"{'file':{self.width}}{head}  conduction"

    def add(self, name: str, found: Measurements) -> None:
        """Write a line, and one with its cautions below."""
        if self.head:
            say(self.head, file=self.file)
            self.head = ""
        cells = "".join(f"{measured(found, key):>7}" for _, key in MAIN)
        say(f"{name:{self.width}}{cells}  {conduction(found)}", file=self.file)
        if found.cautions:
            say(f"    caution: {'; '.join(found.cautions)}", file=self.file)

    def __exit__(self, *_: object) -> None:
        if not self.head:
            say(LEGEND, file=self.file)


class FullText(Table["Measurements"]):
    """All measurements of each file, group by group, with unit and meaning."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def add(self, name: str, found: Measurements) -> None:
        """Write a page of text."""
        say("\n".join([name, *_groups(found), *_cautions(found)]), file=self.file)


def _cautions(found: Measurements) -> list[str]:
    lines = [f"caution: {text}" for text in found.cautions]
    return ["", *lines, "Not defined or not known here: '-'. Research use only."]


def _groups(found: Measurements) -> list[str]:
    from dyssync.ecg import LEADS
    from dyssync.measurements.measurement import GROUPS

    lines = []
    for group in GROUPS:
        short = group.__name__.rpartition(".")[2]
        lines += ["", TITLES[short]]
        single, by_lead = [], dict[tuple[str, str, str], dict[str, float]]()
        for entry in group.DEFINITIONS:
            stem, _, lead = entry.name.rpartition("_")
            if lead in LEADS:
                key = (stem, entry.unit, entry.meaning)
                by_lead.setdefault(key, {})[lead] = found[entry.name]
            else:
                answer = found.answers.get(entry.name)  # with what is missing, where not known
                value = shown(found[entry.name], entry.unit) if answer is None else str(answer)
                unit = entry.unit if answer is None else ""
                single.append([entry.name, value, unit, entry.meaning])
        lines += _single(single)
        if by_lead:
            rows = [["", *LEADS]]
            rows += [
                [
                    f"{stem}" + (f" ({unit})" if unit not in ("", "0/1") else ""),
                    *(shown(values[lead], unit) if lead in values else "" for lead in LEADS),
                ]
                for (stem, unit, _), values in by_lead.items()
            ]
            lines += grid(rows, "  ")
            lines += [f"  {stem}: {meaning}" for stem, _, meaning in by_lead]
    return lines


def _single(rows: list[list[str]]) -> list[str]:
    widths = [max((len(row[k]) for row in rows), default=0) for k in range(3)]
    return [
        f"  {name:{widths[0]}}  {value:>{widths[1]}} {unit:{widths[2]}}  {meaning}"
        for name, value, unit, meaning in rows
    ]
