"""`dyssync measure`."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyssync.cli.batch import Job, Workers, outcomes, report_failures, to_its_end
from dyssync.cli.executors import LOCAL, Address, Executor, handing_out
from dyssync.cli.paths import Files, Force, Fs, Unit, check_file, gather, names_of
from dyssync.cli.progress import reading_bar
from dyssync.cli.rows import JSONTable, Table, write_rows
from dyssync.cli.tables import CSVTable, FullText, ParquetTable, TextTable
from dyssync.cli.terminal import say
from dyssync.whole import one_maker, whole_file

if TYPE_CHECKING:
    from dyssync.formats import ReadOptions
    from dyssync.measurements import Measurements


def measure(
    files: Files,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Table to write, .csv or .parquet.")
    ] = None,
    workers: Workers = None,
    executor: Executor = LOCAL,
    address: Address = None,
    notch_mv: Annotated[
        float, typer.Option(help="Least depth of a notch in the QRS, mV.", min=0.01, max=1.0)
    ] = 0.05,  # half a millimetre on paper; as in dyssync.measurements
    fs: Fs = None,
    unit: Unit = None,
    force: Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Measure ECGs: intervals, QRS area, axes, bundle-branch criteria; a row a file.

    Example: dyssync measure ecgs/ -o table.csv

    The names of the columns end in their unit (_ms, _mv, _uvs, _deg); docs/measurements.md defines
    each. An empty cell means "not defined here" (no P wave, no Q), never 0; the last column,
    cautions, says why. Without -o the main ones are printed; of a single file, all. Pictures of
    pages are read off first, as dyssync digitise does.

    Exit code 0: all measured; 3: some files failed (listed, the others are done); 2: none.
    """
    from dyssync.formats import ReadOptions

    work = partial(_measured, options=ReadOptions(fs=fs, unit=unit), notch_mv=notch_mv)
    paths = gather(files)
    names = names_of(paths)
    if out is not None:
        check_file(out, (".csv", ".parquet"), force=force, inputs=paths)
    jobs = [Job(path, name) for path, name in zip(paths, names, strict=True)]
    bar = reading_bar("measuring", between_rows=out is None)
    with ExitStack() as stack:
        table = stack.enter_context(_table(out, names, stack, as_json=as_json))
        stack.enter_context(bar)
        stack.enter_context(handing_out(executor, address, workers))
        found = stack.enter_context(to_its_end(outcomes(work, jobs, workers)))
        done, failed = write_rows(table, jobs, bar.track(found, total=len(jobs)))
    if out is not None and as_json:
        rows = [{"file": f.name, "error": f.problem} for f in failed]
        say(json.dumps({"out": str(out), "measured": done, "failed": rows}, indent=2))
    elif out is not None and done:
        say(out)
    return report_failures(done, failed, "measured")


def _table(
    out: Path | None, names: list[str], stack: ExitStack, *, as_json: bool
) -> Table[Measurements]:
    """Return what takes the rows; the file that `out` names becomes whole with `stack`."""
    from dyssync.inspection.findings import measured_facts

    if out is not None:
        stack.enter_context(one_maker(out))
        part = stack.enter_context(whole_file(out))
        return CSVTable(part) if out.suffix.lower() == ".csv" else ParquetTable(part)
    stdout = sys.stdout  # while a bar is shown, rich redirects sys.stdout to stderr
    if as_json:
        return JSONTable(stdout, measured_facts)
    return FullText(stdout) if len(names) == 1 else TextTable(stdout, names)


def _measured(job: Job, options: ReadOptions, notch_mv: float) -> Measurements:
    from dyssync.errors import FormatError
    from dyssync.formats import read_input
    from dyssync.image import ECGImage
    from dyssync.measurements import measure
    from dyssync.pages.reading_off import read_off

    read = read_input(job.path, options)
    if isinstance(read, ECGImage):
        read = read_off(read)
        if read.ecg is None:
            raise FormatError(read.unread)
        read = read.ecg
    return measure(read, notch_mv=notch_mv)
