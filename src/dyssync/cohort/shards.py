"""A corpus as Parquet shards: written whole or not at all, read a few ECGs at a time.

What a row holds is said in :mod:`dyssync.cohort.shard_rows`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from dyssync.cohort.shard_rows import HEARTS, NEEDED, Row, rows_of, table_of
from dyssync.cohort.stores import Place, Remote
from dyssync.ecg import ECG
from dyssync.errors import FAULTS, CohortError, InputError
from dyssync.whole import whole_file

__all__ = [
    "HEARTS", "SHARD", "SHARDS", "Row", "name_of_shard", "read_shard", "read_shards", "shards_of",
    "write_shard", "write_table",
]  # fmt: skip

SHARDS = "shard-*.parquet"  # the files of a corpus
SHARD = 256  # ECGs in a file: 60 MB of samples while it is written
FS, SECONDS = 500.0, 10.0  # Hz, s; of every recording of a simulated corpus
N_SAMPLES = round(FS * SECONDS)
_STEM, _SUFFIX = "shard-", ".parquet"


def name_of_shard(number: int) -> str:
    """Return the name of a shard; names sort as numbers do.

    >>> name_of_shard(7)
    'shard-000007.parquet'
    """
    return f"{_STEM}{number:06d}{_SUFFIX}"


def write_shard(path: Path, rows: Iterable[Row]) -> None:
    """Write rows to one shard; the file appears whole or not at all.

    Args:
        path: `shard-*.parquet`.
        rows: taken one by one, one at least; samples are rounded to 1 uV.

    Raises:
        InputError: it cannot be written.
    """
    write_table(path, table_of(rows))


def write_table(path: Path, table: pa.Table) -> None:
    """Write rows, as `shard_rows.table_of` returns them, as :func:`write_shard` does."""
    with whole_file(path) as part:
        # Differences between samples are small: this halves the files of zstd alone.
        pq.write_table(
            table,
            part,
            compression="zstd",
            use_dictionary=False,
            column_encoding={"signal.list.element": "DELTA_BINARY_PACKED"},
            row_group_size=64,
        )


def read_shard(place: Place) -> Iterator[Row]:
    """Yield the rows of one shard, of this version or an earlier one.

    A heart is NaN where something is not known; all of it in files that know nothing of hearts.

    Args:
        place: file on this disk or in a store.

    Raises:
        CohortError: the file is damaged, or not one of ours.
    """
    with _naming_damage(place.name), _opened(place) as source:
        file = pq.ParquetFile(source)
        if not set(NEEDED) <= set(file.schema_arrow.names):
            raise CohortError(f"{place.name}: other columns than those of a corpus")
        for batch in file.iter_batches(batch_size=16):
            yield from rows_of(batch, place.name)


def read_shards(folder: Place, *, every: int = 1) -> Iterator[ECG]:
    """Yield the ECGs of all shards of a folder, one after the other.

    Args:
        folder: the corpus.
        every: 1 yields all, 10 every tenth.

    Raises:
        CohortError: there are no shards, or a file is not one of ours.
    """
    rows = (row for place in shards_of(folder) for row in read_shard(place))
    for row in islice(rows, None, None, every):
        yield row.ecg


def shards_of(folder: Place) -> list[Place]:
    """Return the shards of a folder in their order.

    Raises:
        CohortError: there are none.
        StoreError: the store cannot be reached.
    """
    names = folder.files() if isinstance(folder, Remote) else [p.name for p in folder.glob(SHARDS)]
    shards = sorted(n for n in names if n.startswith(_STEM) and n.endswith(_SUFFIX))
    if not shards:
        raise CohortError(f"{folder.name}: no {SHARDS}; a corpus is needed")
    return [folder / name for name in shards]


@contextmanager
def _opened(place: Place) -> Iterator[Path | IO[bytes]]:
    if isinstance(place, Path):
        yield place
        return
    with place.opened() as file:
        yield file


@contextmanager
def _naming_damage(name: str) -> Iterator[None]:
    raised: tuple[type[Exception], ...] = (*FAULTS, pa.ArrowException)
    try:
        yield
    except InputError:
        raise
    except raised as error:
        kind = type(error).__name__
        raise CohortError(f"{name}: damaged ({kind}); make the corpus again") from error
