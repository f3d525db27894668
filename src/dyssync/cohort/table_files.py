"""The bytes of a table to its rows: bounded, and nothing of it lost on the way."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from typing import IO, Any

import numpy as np
import pandas as pd

from dyssync.arrays import Bools
from dyssync.errors import CohortError

# A cohort of 20,000 rows and 100 columns has 10 MB. A cell takes up to 60 bytes of memory.
MAX_TABLE_BYTES = 100_000_000
MAX_COLUMNS = 2_000
MAX_CELLS = 5_000_000
TEXT_COLUMNS = ("patient_id", "ecg")  # as they stand there: 007, NA and 1e5 may be ids
# As pandas takes them in the other columns
MISSING = frozenset(
    (
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    )
)  # fmt: skip
_TOO_LONG = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")


def read_texts(file: IO[bytes], texts: Sequence[str], **options: Any) -> pd.DataFrame:
    """Return a CSV table whose columns `texts` are kept as they stand: NA may be an id.

    Args:
        file: in UTF-8, from its start.
        texts: names of columns; those that are not there do not matter.
        options: of :func:`pandas.read_csv`.
    """
    titles = pd.read_csv(file, nrows=0, **options).columns
    file.seek(0)
    table: pd.DataFrame = pd.read_csv(
        file,
        dtype=dict.fromkeys(texts, str),
        keep_default_na=False,
        na_values={name: sorted(MISSING) for name in titles if name not in texts},
        **options,
    )
    return table


def csv_table(data: bytes) -> pd.DataFrame:
    """Return the rows of a CSV file in UTF-8; blank lines are rows, as in a spreadsheet.

    Raises:
        CohortError: empty, too large, or no table; one line, which quotes nothing of it.
    """
    _check_size(data.partition(b"\n")[0].count(b",") + 1, data.count(b"\n"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            # index_col: else a row that is one cell too long would move all cells by one
            table = read_texts(
                io.BytesIO(data), TEXT_COLUMNS, skip_blank_lines=False, index_col=False
            )
    except pd.errors.EmptyDataError as error:
        raise CohortError("the file is empty; a header row is needed") from error
    except pd.errors.ParserWarning as error:
        raise CohortError("rows have more cells than the header; one column a cell") from error
    except pd.errors.ParserError as error:
        raise CohortError(_wording(error)) from error
    except UnicodeError as error:
        raise CohortError("no text in UTF-8; save it as CSV UTF-8") from error
    except (ValueError, OverflowError, MemoryError) as error:
        raise CohortError(f"no readable table ({type(error).__name__})") from error
    for name in (name for name in TEXT_COLUMNS if name in table):
        table[name] = table[name].mask(_missing(data, table[name]), np.nan)
    return table


def parquet_table(data: bytes) -> pd.DataFrame:
    """Return the rows of a Parquet file.

    Raises:
        CohortError: as :func:`csv_table`.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(data))
        held = file.metadata
        _check_size(held.num_columns, held.num_rows)
        size = sum(held.row_group(i).total_byte_size for i in range(held.num_row_groups))
        if size > MAX_TABLE_BYTES:
            most = MAX_TABLE_BYTES / 1e6
            raise CohortError(f"unpacks to {size / 1e6:.0f} MB; at most {most:.0f} MB are read")
        table: pd.DataFrame = file.read(use_threads=False).to_pandas()
    except CohortError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError, LookupError, TypeError) as error:
        raise CohortError(f"no readable table ({type(error).__name__})") from error
    return table.reset_index(drop=True)


def _check_size(columns: int, rows: int) -> None:
    if columns > MAX_COLUMNS:
        raise CohortError(f"{columns} columns; at most {MAX_COLUMNS} are read")
    if columns * rows > MAX_CELLS:
        raise CohortError(
            f"{rows} rows of {columns} columns; at most {MAX_CELLS} cells are read. Leave columns "
            "out"
        )


def _wording(error: Exception) -> str:
    found = _TOO_LONG.search(str(error))
    if found is None:
        return "no readable table (quotes that do not end?)"
    return f"line {found[2]} has {found[3]} cells, the header {found[1]}; one column a cell"


def _missing(data: bytes, cells: pd.Series[str]) -> Bools:
    """Return which cells of a text column hold nothing; only those without quotes can be NA."""
    empty = (cells.str.strip() == "").to_numpy(bool)
    words = cells.isin(MISSING).to_numpy(bool) & ~empty
    if not words.any():
        return np.asarray(empty)
    null = _null_without_quotes(data, str(cells.name))
    return np.asarray(empty | (words & null if len(null) == len(words) else words))


def _null_without_quotes(data: bytes, name: str) -> Bools:
    import pyarrow
    import pyarrow.csv

    try:
        column = pyarrow.csv.read_csv(
            io.BytesIO(data),
            parse_options=pyarrow.csv.ParseOptions(
                newlines_in_values=True, ignore_empty_lines=False
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=[name],
                column_types={name: pyarrow.string()},
                null_values=sorted(MISSING),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )[name]
    except pyarrow.ArrowException:  # rows of different length, which pandas fills
        return np.zeros(0, dtype=bool)
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=bool)
