"""`dyssync predict BUNDLE ARCHIVE --out scores/`: what is told of an archive that is scored."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dyssync.cli.exits import Exit
from dyssync.cli.progress import reading_bar
from dyssync.cli.terminal import say
from dyssync.errors import ConfigError, counted

if TYPE_CHECKING:
    from dyssync.scoring import Asked


def score_into(
    files: list[str], out: Path, asked: Asked, *, workers: int | None, force: bool
) -> Exit:
    """Score an archive into a folder; list the first failures on stderr.

    Args:
        files: one folder, or one file.
        out: for the scores.
        asked: bundle and options.
        workers: at most; None for all.
        force: begin anew where `out` holds other scores.
    """
    from dyssync.scoring import score_archive
    from dyssync.workers import all_workers

    if len(files) != 1:
        raise ConfigError(f"--out: scores one archive at a time; {len(files)} places are named")
    with reading_bar("scoring") as bar:
        row = bar.add_task("scoring", total=None)
        done = score_archive(
            Path(files[0]), out, asked, workers=workers or all_workers(), force=force,
            on_progress=lambda done, seen: bar.update(row, completed=done, total=seen),
        )  # fmt: skip
    for problem in done.problems:
        say(f"error: {problem}", file=sys.stderr)
    scored = done.ecgs - done.failed
    if done.failed:
        more = ", the first of them above" if done.failed > len(done.problems) else ""
        told = f"{scored} scored, {done.failed} failed{more}; all: column failure"
        say(told, file=sys.stderr)
    ecgs, shards = counted(done.ecgs, "ECG"), counted(done.shards, "shard")
    say(f"{out}: {ecgs} in {shards}, {done.kept} of them kept")
    if not done.failed:
        return Exit.DONE
    return Exit.SOME_FAILED if scored else Exit.INPUT
