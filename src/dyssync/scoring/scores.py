"""The folder of scores: of one archive and one bundle, each shard whole and vouched for.

`scores.parquet/` is the table, a file a piece; `receipts/` says from what each was made;
`scores.json` says by what; nothing else of an archive is kept.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dyssync.errors import ConfigError
from dyssync.scoring.rows import FAILURE, Row
from dyssync.whole import (
    LOCK,
    MARKER,
    check_replaceable,
    is_whole,
    mark,
    mark_of,
    one_worker,
    sweep,
    sync_all,
    synced_later,
    whole_file,
    write_receipt,
    write_text,
)

KIND = "scores"  # of a folder, for `--force`
TABLE, RECEIPTS, SETTINGS = "scores.parquet", "receipts", "scores.json"
SUFFIX, RECEIPT_SUFFIX = ".parquet", ".json"


class Scores:
    """An owned folder of scores.

    Args:
        folder: of :func:`owned_scores`.
        schema: of its rows.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.folder = folder
        self.schema = schema

    def is_whole(self, name: str, made_of: str) -> bool:
        """Say whether a shard is there as it was written, and was made of the same files."""
        return is_whole(self.folder, made_of, at=self._receipt(name))

    def rows(self, name: str) -> list[Row]:
        """Return the rows of a shard; none where it is not as it was written.

        Whoever takes them over writes a new receipt, which would vouch for what was altered.
        """
        if not is_whole(self.folder, None, at=self._receipt(name)):
            return []
        try:
            found: list[Row] = pq.read_table(self._shard(name), schema=self.schema).to_pylist()
        except (OSError, ValueError, pa.ArrowException):
            return []
        return found

    def write(self, name: str, rows: list[Row], made_of: str) -> None:
        """Write a shard and, when it is whole, what it was made of.

        Raises:
            InputError: it cannot be written.
        """
        table = pa.Table.from_pylist(rows, self.schema)
        with synced_later():  # the receipt vouches for it
            with whole_file(self._shard(name)) as part:
                pq.write_table(table, part, compression="zstd")
            write_receipt(self.folder, made_of, files=[self._shard(name)], at=self._receipt(name))

    def counts(self, name: str) -> tuple[int, int]:
        """Return how many rows a shard has, and how many of them are failures."""
        held = pq.read_metadata(self._shard(name))
        at = self.schema.get_field_index(FAILURE)
        # of the leaf columns this is the last one, as it is of the fields
        assert at == len(self.schema) - 1
        groups = [held.row_group(k) for k in range(held.num_row_groups)]
        scored = sum(group.column(held.num_columns - 1).statistics.null_count for group in groups)
        return held.num_rows, held.num_rows - scored

    def failures(self, name: str, most: int) -> list[Row]:
        """Return id and failure of the first rows of a shard that gave nothing."""
        table = pq.read_table(self._shard(name), columns=["id", FAILURE])
        found: list[Row] = table.filter(table[FAILURE].is_valid()).slice(0, most).to_pylist()
        return found

    def keep_only(self, names: Iterable[str]) -> None:
        """Remove the shards of pieces that the archive no longer holds."""
        kept = set(names)
        for shard in sorted((self.folder / TABLE).glob(f"*{SUFFIX}")):
            if shard.stem not in kept:
                self._receipt(shard.stem).unlink(missing_ok=True)
                shard.unlink()

    def _shard(self, name: str) -> Path:
        return self.folder / TABLE / f"{name}{SUFFIX}"

    def _receipt(self, name: str) -> Path:
        return self.folder / RECEIPTS / f"{name}{RECEIPT_SUFFIX}"


@contextmanager
def owned_scores(
    out: Path, settings: Mapping[str, object], schema: pa.Schema, *, force: bool
) -> Iterator[Scores]:
    """Own a folder of scores during this block: begun, or gone on with.

    Args:
        out: the folder.
        settings: all that scores depend on beside the archive; JSON values.
        schema: of its rows.
        force: begin anew where it holds scores by other settings.

    Raises:
        ConfigError: it holds something else, or scores by other settings.
        InputError: another process owns it, or it cannot be written.
    """
    text = json.dumps(dict(settings), indent=1, sort_keys=True) + "\n"
    _check(out, text, force)  # before a lock is put into somebody's folder
    with one_worker(out):
        _check(out, text, force)
        if not _holds(out, text):
            for part in (TABLE, RECEIPTS):
                shutil.rmtree(out / part, ignore_errors=True)
        for folder in (out, out / TABLE, out / RECEIPTS):
            folder.mkdir(parents=True, exist_ok=True)
            sweep(folder)
        mark(out, KIND, finished=False)
        write_text(out / SETTINGS, text)
        yield Scores(out, schema)
        mark(out, KIND, finished=True)
        sync_all()


def _check(out: Path, text: str, force: bool) -> None:
    if not os.path.lexists(out):
        return
    if not out.is_dir():
        raise ConfigError(f"{out}: is a file; a folder for the scores is needed")
    if not set(os.listdir(out)) - {LOCK}:
        return
    made = mark_of(out)
    if made is None or made.kind != KIND:
        raise ConfigError(f"{out}: holds something else than scores; name another folder")
    if _holds(out, text):
        return
    if not force:
        raise ConfigError(
            f"{out}: holds scores by another bundle, or other options ({SETTINGS} says which); "
            "name another folder, or begin anew with --force"
        )
    begun = {SETTINGS, MARKER, TABLE, RECEIPTS}
    check_replaceable(out, KIND, force=True, begun=begun)


def _holds(out: Path, text: str) -> bool:
    try:
        return (out / SETTINGS).read_text(encoding="utf-8") == text
    except (OSError, ValueError):
        return False
