"""`dyssync check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dyssync.cli.batch import Workers
from dyssync.cli.exits import Exit
from dyssync.cli.progress import reading_bar
from dyssync.cli.terminal import say
from dyssync.errors import counted


def check(
    cohort: Annotated[Path, typer.Argument(help="Cohort table, CSV or Parquet.")],
    seconds: Annotated[float, typer.Option(help="Shortest recording that is accepted, s.")] = 10.0,
    workers: Workers = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> int:
    """List all problems of a cohort at once, before hours are spent.

    Example: dyssync check cohort.csv

    Exit code 0: ready for a study; 2: there are problems.
    """
    from dyssync.cohort.cohort import check_cohort

    with reading_bar("reading") as bar:
        row = bar.add_task("reading", total=None)
        found, problems = check_cohort(
            cohort,
            seconds=seconds,
            workers=workers,
            on_progress=lambda done, of: bar.update(row, completed=done, total=of),
        )
    if as_json:
        rows = [
            {"row": p.row, "patient_id": p.patient_id, kind: p.text}
            for kind, some in (("problem", problems), ("caution", found.cautions))
            for p in some
        ]
        say(json.dumps(rows, indent=2))
        return Exit.INPUT if problems else Exit.DONE
    for problem in problems:
        say(problem)
    for caution in found.cautions:
        say(f"caution: {caution}")
    if len(found.table):
        responses = found.responses
        say(
            f"{cohort.name}: {counted(len(found.table), 'recording')} of "
            f"{counted(len(responses), 'patient')} can be used, "
            f"{counted(int(responses.sum()), 'responder')} ({responses.mean():.1%})"
        )
    say(counted(len(problems), "problem") if problems else "no problems")
    return Exit.INPUT if problems else Exit.DONE
