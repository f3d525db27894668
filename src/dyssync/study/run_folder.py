"""The folder of a run: may it be used, is it the same study, is it finished."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from dyssync.errors import ConfigError
from dyssync.study.record import RUN, RunRecord
from dyssync.study.results import write_json
from dyssync.whole import sweep

WORK, FINISHED = "work", "finished.json"


def check_folder(out: Path, force: bool) -> None:
    """Refuse a run folder that cannot be used, before anything is read or written.

    Raises:
        ConfigError: it is a file, or holds something else or a finished study.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out}: is a file; give --out a folder")
    sweep(out)
    held = out.is_dir() and any(out.iterdir())
    # only what a study writes is ever removed: a mistyped --out must not cost a home folder
    if held and not (out / RUN).is_file():
        raise ConfigError(f"{out}: the folder holds something else; give --out a new one")
    if (out / FINISHED).is_file() and not force:
        shutil.rmtree(out / WORK, ignore_errors=True)  # left by a kill at the very end
        raise ConfigError(f"{out}: holds a finished study; --force begins anew, or another --out")


def prepare_folder(out: Path, record: RunRecord, force: bool) -> None:
    """Begin the run folder, or see that what it holds is the same study, unfinished.

    Raises:
        ConfigError: it holds another study, or cannot be made.
    """
    if (out / RUN).is_file() and not force:
        _check_same_study(out, record)
    try:
        if (out / RUN).is_file() and force:
            aside = out.with_name(f".{out.name}.old")
            shutil.rmtree(aside, ignore_errors=True)
            out.rename(aside)  # at once, so that a kill leaves the old run whole or none
            shutil.rmtree(aside)
        out.mkdir(parents=True, exist_ok=True)
        record.save(out / RUN)
        (out / WORK).mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror}); choose --out") from error


def _check_same_study(out: Path, record: RunRecord) -> None:
    differing = record.differing(RunRecord.load(out / RUN))
    if differing:
        raise ConfigError(
            f"{out}: holds a study with other settings or data ({', '.join(differing)}); "
            "--force begins anew, or another --out"
        )


def finish(out: Path) -> None:
    """Mark a run as finished and remove what only going on needed."""
    write_json(out / FINISHED, {"finished": datetime.now(UTC).isoformat()})
    shutil.rmtree(out / WORK)
