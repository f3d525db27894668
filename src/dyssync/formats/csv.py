"""Text exports: CSV, TSV, semicolons, blanks; with or without header row, title and blank lines.

A line `# fs: 500` declares the rate, `# unit: mV` the unit; `# age:`, `# sex:` are understood too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dyssync.ecg import ECG, LEADS, lead_name
from dyssync.errors import FormatError
from dyssync.formats.reading.demographics import parse_age, parse_datetime
from dyssync.formats.reading.recording import (
    Format,
    InputFile,
    Person,
    ReadOptions,
    Recording,
)
from dyssync.formats.reading.rows import (
    MAX_PREAMBLE,
    MIN_COLUMNS,
    check_not_turned,
    find_table,
    is_of_numbers,
    read_numbers,
    split_row,
    without_numbering,
)
from dyssync.formats.reading.sexes import parse_sex
from dyssync.formats.reading.tables import Declared, is_time, recording_from_columns, split_unit
from dyssync.whole import write_text

_DECLARATION = re.compile(r"^\s*[#%;]*\s*(?P<key>[A-Za-z][A-Za-z _]*?)\s*[:=]\s*(?P<value>.+?)\s*$")
_FS_KEYS = {"fs", "sampling rate", "sampling frequency", "sample rate", "sampling_rate"}
_UNIT_KEYS = {"unit", "units"}
MAX_LINE_BYTES = 1_000_000  # taken apart, a cell costs 60; 12 leads and a time take 400
MAX_LINES = 2_700_000  # 44 minutes at 500 Hz are 1.33 million; \r\n counts twice


def decode_text(data: bytes) -> str:
    """Decode by byte-order mark, else as UTF-8, else as Windows-1252 (its only use: "µV").

    Raises:
        FormatError: it is no text in these encodings.
    """
    marked = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    encodings = ("utf-16",) if marked else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise FormatError("is no text in UTF-8, UTF-16 (with mark) or Windows-1252. Save it as UTF-8")


def parse(data: bytes, options: ReadOptions) -> Recording:
    """Read a table of numbers, a row a sample, a column a lead.

    Raises:
        FormatError: rows of different length, something that is no number, or no rate or unit.
    """
    n_lines = data.count(b"\n") + data.count(b"\r")
    if n_lines > MAX_LINES:
        raise FormatError(f"{n_lines:d} lines; at most {MAX_LINES} are read. Cut the ECG out first")
    _check_lines(data)
    lines = decode_text(data).splitlines()
    delimiter, first = find_table(lines)
    declared, header, units = _parse_preamble(lines[:first], delimiter)
    rows = lines
    del rows[:first]
    while rows and not rows[-1].strip():
        rows.pop()
    samples = read_numbers(rows, delimiter, first, None if header is None else len(header))
    if header is not None and len(header) != samples.shape[1]:
        raise FormatError(
            f"{len(header)} column titles over {samples.shape[1]:d} columns; one each"
        )
    if header is not None and units is not None:
        header = [
            f"{name} [{unit}]" if split_unit(name)[1] is None else name
            for name, unit in zip(header, units, strict=True)
        ]
    if header is None:
        samples = without_numbering(samples)
        check_not_turned(samples)
    return recording_from_columns(header, samples, declared, options)


def _check_lines(data: bytes) -> None:
    """Refuse lines that are longer than a row of samples can be."""
    start = 0
    while len(data) - start > MAX_LINE_BYTES:
        end = start + MAX_LINE_BYTES
        last = max(data.rfind(b"\n", start, end), data.rfind(b"\r", start, end))
        if last < 0:
            raise FormatError(
                f"a line of more than {MAX_LINE_BYTES / 1e6:g} MB; a row a sample, a column a lead "
                "is needed"
            )
        start = last + 1


def _parse_preamble(
    lines: Sequence[str], delimiter: str | None
) -> tuple[Declared, list[str] | None, list[str] | None]:
    """Return declarations, column titles and, where there is such a row, units of the columns."""
    values: dict[str, str] = {}
    header: list[str] | None = None
    units: list[str] | None = None
    for line in lines:
        cells = split_row(line.lstrip("#% "), delimiter)
        names = [split_unit(cell)[0] for cell in cells]
        if sum(lead_name(name) is not None for name in names) >= MIN_COLUMNS:
            header = cells
        elif header is not None and len(cells) == len(header) and _all_units(header, cells):
            units = cells
        elif match := _DECLARATION.match(line):
            values[match["key"].lower()] = match["value"].strip(" ,;")
    declared = Declared(
        fs=_rate(next((values[key] for key in _FS_KEYS if key in values), None)),
        unit=next((values[key] for key in _UNIT_KEYS if key in values), None),
        person=Person(
            age=parse_age(values.get("age")),
            sex=parse_sex(values.get("sex")),
            recorded_at=parse_datetime(*values.get("recorded at", "").replace("T", " ").split()[:2])
            if values.get("recorded at", "").strip()
            else None,
        ),
    )
    return declared, header, units


def _all_units(header: Sequence[str], cells: Sequence[str]) -> bool:
    return all(
        is_time(name) or cell.lower().endswith("v")
        for name, cell in zip(header, cells, strict=True)
    )


def _rate(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        rate = float(text.lower().removesuffix("hz").strip())
    except ValueError as error:
        raise FormatError("the sampling rate is no number; one of Hz is needed") from error
    if not np.isfinite(rate) or rate <= 0:
        raise FormatError(f"the sampling rate is {rate:g}; a number of Hz above 0 is needed")
    return rate


def sniff(head: bytes, path: Path) -> bool:
    """Say whether `head` is text with a row or a column of numbers."""
    if head[:1] in (b"<", b"{"):
        return False
    # The head may end within a character (and UTF-16 has two bytes each) and within a row.
    try:
        lines = decode_text(head[: len(head) // 2 * 2]).splitlines()
    except FormatError:
        return False
    whole = lines[:-1] or lines
    return any(is_of_numbers(line) for line in whole[: MAX_PREAMBLE + 1])


def read(file: InputFile, options: ReadOptions) -> Recording:
    """Read a text export; see :func:`parse`."""
    return parse(file.data, options)


def write_csv(ecg: ECG, folder: Path | str, name: str) -> Path:
    """Write `name`.csv with rate and unit declared; return its path. float32 is kept exactly."""
    lines = [f"# fs: {ecg.fs!r}", "# unit: mV"]
    lines += [f"# age: {ecg.age:g}"] if ecg.age is not None else []
    lines += [f"# sex: {ecg.sex}"] if ecg.sex is not None else []
    lines += [f"# recorded at: {ecg.recorded_at:%Y-%m-%d %H:%M:%S}"] if ecg.recorded_at else []
    lines.append(",".join(LEADS))
    lines += [",".join(map(str, row)) for row in ecg.signal.T]
    path = Path(folder) / f"{name}.csv"
    write_text(path, "\n".join(lines) + "\n")
    return path


FORMAT = Format(
    name="csv",
    description="text table (CSV, TSV, semicolons or blanks), a column a lead",
    suffixes=(".csv", ".tsv", ".txt"),
    sniff=sniff,
    read=read,
    write=write_csv,
)
