"""Rows of a text table: where they begin, what divides their cells, and their numbers."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import LEADS, lead_name
from dyssync.errors import FormatError, Words
from dyssync.formats.reading.numerals import NUMERAL, marks, plain_numerals
from dyssync.formats.reading.recording import check_sample_count
from dyssync.formats.reading.tables import split_unit

_DELIMITERS = ("\t", ";", ",", "|", None)  # None: blanks
MAX_PREAMBLE = 200  # lines before the first row of numbers
MIN_COLUMNS = 2
MOST_LEADS = 16  # rows, where they are the leads


def split_row(line: str, delimiter: str | None) -> list[str]:
    """Split a line at its delimiter (None: blanks); quotes and a delimiter at the end go."""
    text = line.strip(" \t\r")
    parts = text.split(delimiter)
    if delimiter is not None and '"' in text:
        with suppress(csv.Error):  # a cell of absurd length
            parts = next(csv.reader([text], delimiter=delimiter))
    cells = [cell.strip(" \t'\"") for cell in parts]
    if delimiter is not None and cells and cells[-1] == "":
        cells.pop()
    return cells


def find_table(lines: Sequence[str]) -> tuple[str | None, int]:
    """Return the delimiter and the line number of the first row of numbers.

    Raises:
        FormatError: there is none; says what the lines hold instead.
    """
    for index, line in enumerate(lines[: MAX_PREAMBLE + 1]):
        for delimiter in _DELIMITERS:
            if delimiter is not None and delimiter not in line:
                continue
            if _is_row(split_row(line, delimiter)):
                return delimiter, index
    head = [line.strip() for line in lines[: MAX_PREAMBLE + 1]]
    if any(_starts_with_lead(line) for line in head):
        raise FormatError(
            "the rows are leads, a name and its samples each; a row a sample and a column a lead "
            "is needed. Turn the table"
        )
    if any(NUMERAL.match(cell) for line in head for cell in split_row(line, ",")[:1]):
        raise FormatError("one column of numbers: one lead; 12 are needed")
    raise FormatError("no row of numbers in the first lines; a column a lead is needed")


def _is_row(cells: Sequence[str]) -> bool:
    """Say whether cells are a row of numbers, some of which may be left empty."""
    numbers = [cell for cell in cells if cell]
    return len(numbers) >= MIN_COLUMNS and all(NUMERAL.match(cell) for cell in numbers)


def is_of_numbers(line: str) -> bool:
    """Say whether a line is a row of numbers, a single one, or a lead and its samples."""
    cells = [split_row(line, delimiter) for delimiter in _DELIMITERS]
    single = NUMERAL.match(line.strip()) is not None
    return single or any(map(_is_row, cells)) or _starts_with_lead(line)


def _starts_with_lead(line: str) -> bool:
    """Say whether a line is the name of a lead and, after it, only numbers."""
    for delimiter in _DELIMITERS:
        name, *cells = split_row(line, delimiter) or [""]
        if lead_name(split_unit(name)[0]) is not None and _is_row(cells):
            return True
    return False


def without_numbering(samples: Floats) -> Floats:
    """Drop what tables of pandas carry: a first row of column numbers, a first column of rows'."""
    n, width = samples.shape
    for first in (0.0, 1.0):
        titles = samples[0, 1:] if np.isnan(samples[0, 0]) else samples[0]  # none over row numbers
        if n > 1 and width > MIN_COLUMNS and np.array_equal(titles, np.arange(len(titles)) + first):
            samples = samples[1:]
            break
    if width == len(LEADS) + 1 and np.array_equal(
        np.diff(samples[:, 0]), np.ones(len(samples) - 1)
    ):
        samples = samples[:, 1:]
    return samples


def check_not_turned(samples: Floats) -> None:
    """Refuse numbers without titles whose rows, not columns, are as many as there are leads.

    Raises:
        FormatError: they are turned.
    """
    if len(samples) <= MOST_LEADS < samples.shape[1]:
        raise FormatError(
            f"{len(samples)} rows of {samples.shape[1]:d} numbers: the rows seem to be leads; a "
            "row a sample and a column a lead is needed. Turn the table"
        )


def read_numbers(
    rows: Sequence[str], delimiter: str | None, first: int, n_titles: int | None
) -> Floats:
    """Return the numbers of a table, (n, columns); NaN where a cell is empty.

    Args:
        rows: lines.
        delimiter: of the cells; None: blanks.
        first: lines before them, for messages.
        n_titles: titles above the columns; None where there are none.

    Raises:
        FormatError: a cell is no number, rows differ in length, or marks cannot be told apart.
    """
    n_columns = n_titles or len(split_row(rows[0], delimiter))
    check_sample_count(n_columns, len(rows))
    body = [row.strip(" \t\r") for row in rows]
    if delimiter == "," and any('"' in row for row in body):
        body = [";".join(split_row(row, delimiter)) for row in body]
        delimiter = ";"
    if delimiter is not None and any(_has_gap(row, delimiter) for row in body):
        body = [_filled(row, delimiter, n_columns) for row in body]
    body = [row.rstrip(delimiter or " ") for row in body]
    if delimiter is None:
        body = plain_numerals("\n".join(body), blanks_divide=True).split("\n")
    elif delimiter != ",":
        body = _plain_rows(body, delimiter)
    try:
        samples = np.loadtxt(body, delimiter=delimiter, comments=None, quotechar='"', ndmin=2)
    except ValueError as error:
        raise FormatError(_first_fault(body, delimiter, first)) from error
    if len(samples) != len(rows):  # loadtxt passes over blank lines
        raise FormatError(f"blank lines between the rows of numbers after line {first + 1}")
    return samples


def _plain_rows(body: Sequence[str], delimiter: str) -> list[str]:
    """Return rows in plain numerals; decimals of time beside thousands of microvolt are told."""
    parts = [row.partition(delimiter) for row in body]
    first, rest = ("\n".join(part[k] for part in parts) for k in (0, 2))
    with suppress(FormatError):  # one of the two alone may not tell
        if marks(first).decimal and marks(first).decimal == marks(rest).thousands:
            columns = [plain_numerals(x, blanks_divide=False).split("\n") for x in (first, rest)]
            return [delimiter.join(row) for row in zip(*columns, strict=True)]
    return plain_numerals("\n".join(body), blanks_divide=False).split("\n")


def _has_gap(row: str, delimiter: str) -> bool:
    return delimiter * 2 in row or row.startswith(delimiter)


def _filled(row: str, delimiter: str, n_columns: int) -> str:
    """Return a row whose empty cells say that the sample is missing."""
    cells = row.split(delimiter)
    if len(cells) == n_columns + 1 and not cells[-1].strip():
        cells.pop()
    return delimiter.join(cell if cell.strip(" '\"") else "nan" for cell in cells)


def _first_fault(rows: Sequence[str], delimiter: str | None, first: int) -> Words:
    n_columns = len(split_row(rows[0], delimiter))
    for index, row in enumerate(rows):
        cells = split_row(row, delimiter)
        if len(cells) != n_columns:
            return (
                f"line {first + index + 1}: {len(cells)} columns, {n_columns:d} above; truncated?"
            )
        for column, cell in enumerate(cells):
            if not NUMERAL.match(cell):
                return f"line {first + index + 1}: column {column + 1} holds no number"
    return "the rows are no plain numbers"
