"""The folder of a run: may it be used, is it the same study, is it finished."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from dyssync.errors import ConfigError, InputError
from dyssync.study.record import ENVIRONMENT, RUN, RunRecord
from dyssync.study.results import CAUTIONS, TABLES, write_json
from dyssync.whole import (
    LOCK,
    MARKER,
    check_replaceable,
    mark,
    mark_of,
    one_worker,
    sweep,
    sync_all,
    unwritable,
)

KIND = "study"  # of a folder, for `--force`
WORK, FINISHED = "work", "finished.json"
# What may lie at the top of a run that is not finished, where no list of its files is written yet.
# Of the report the names alone are known here; tests/test_study.py compares.
BEGUN = frozenset(
    {
        *(RUN, ENVIRONMENT, CAUTIONS, WORK, FINISHED),
        *(f"{table}.csv" for table in TABLES),
        *("bundle", "explanations", "figures"),
        *("report.html", "tripod.md", "model_card.md", "methods.md"),
    }
)


@contextmanager
def owned_folder(out: Path, force: bool) -> Iterator[None]:
    """Own a run folder during this block; see that it can be used before anything is read.

    Raises:
        ConfigError: it is a file, or holds something else or a finished study.
        InputError: another process owns it, or `force` may not replace it, or it cannot be made.
    """
    if os.path.lexists(out) and not out.is_dir():
        raise ConfigError(f"{out}: is a file; give --out a folder")
    _check_usable(out, force)  # before a lock is put into somebody's folder
    with one_worker(out):
        _check_usable(out, force)
        if not force:
            _refuse_finished(out)
        for folder in (out, out / "explanations", out / "figures"):
            sweep(folder)
        yield


def _check_usable(out: Path, force: bool) -> None:
    if not _holds_anything(out):
        return
    if force:
        check_replaceable(out, KIND, force=True, begun=BEGUN)
        return
    made = mark_of(out)
    if made is None or made.kind != KIND:
        raise ConfigError(
            f"{out}: the folder holds something else than a study; give --out a new one"
        )


def _refuse_finished(out: Path) -> None:
    if _is_finished(out):
        shutil.rmtree(out / WORK, ignore_errors=True)  # left by a kill at the very end
        raise ConfigError(f"{out}: holds a finished study; --force begins anew, or another --out")


def _holds_anything(out: Path) -> bool:
    try:
        return out.is_dir() and any(name != LOCK for name in os.listdir(out))
    except OSError as error:
        raise InputError(f"{out}: cannot be read ({error.strerror}); check its rights") from error


def _is_finished(out: Path) -> bool:
    said = _json_of(out / FINISHED)
    return isinstance(said, dict) and "finished" in said


def _json_of(path: Path) -> object:
    """Return the value of a JSON file; None where it is missing or cut."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def prepare_folder(out: Path, record: RunRecord, force: bool) -> None:
    """Begin the run folder, or see that what it holds is the same study, unfinished.

    A `config.json` that a power failure has cut is written again: what each task left says itself
    of which study it is.

    Raises:
        ConfigError: it holds another study.
        ModelError: it holds a study of another version.
        InputError: it cannot be made.
    """
    if not force and _json_of(out / RUN) is not None:
        _check_same_study(out, record)
    try:
        out.mkdir(parents=True, exist_ok=True)
        mark(out, KIND, finished=False)
        if force:
            _empty(out)
        record.save(out / RUN)
        (out / WORK).mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(unwritable(out, error)) from error


def _empty(out: Path) -> None:
    """Remove an earlier run, what says of it that it is one first."""
    for name in (FINISHED, RUN):
        (out / name).unlink(missing_ok=True)
    for entry in out.iterdir():
        if entry.name in (LOCK, MARKER):
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _check_same_study(out: Path, record: RunRecord) -> None:
    differing = record.differing(RunRecord.load(out / RUN))
    if differing:
        raise ConfigError(
            f"{out}: holds a study with other settings or data ({', '.join(differing)}); "
            "--force begins anew, or another --out"
        )


def finish(out: Path) -> None:
    """Mark a run as finished, once all of it is on the disk; remove what only going on needed."""
    sync_all()
    write_json(out / FINISHED, {"finished": datetime.now(UTC).isoformat()})
    sync_all()
    shutil.rmtree(out / WORK)
    mark(out, KIND, finished=True)
