"""`dyssync measure`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyssync.cli.paths import (
    Failure,
    Files,
    Force,
    Fs,
    Unit,
    check_file,
    failure,
    gather,
    names_of,
    report_failures,
    whole,
)
from dyssync.cli.progress import reading_bar
from dyssync.cli.tables import CSVTable, FullText, JSONTable, ParquetTable, Table, TextTable

if TYPE_CHECKING:
    from dyssync.formats import ReadOptions
    from dyssync.measurements.batch import Measured

FEW_FILES = 16  # below, starting processes takes longer than measuring


def measure(
    files: Files,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Table to write, .csv or .parquet.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes. Default: all cores.", min=1)
    ] = None,
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
    cautions, says why. Without -o the main ones are printed; of a single file, all.

    Exit code 0: all measured; 3: some files failed (listed, the others are done); 2: none.
    """
    from dyssync.formats import ReadOptions

    options = ReadOptions(fs=fs, unit=unit)
    paths = gather(files)
    names = names_of(paths)
    if out is not None:
        check_file(out, (".csv", ".parquet"), force=force, inputs=paths)
    stdout = sys.stdout  # while a bar is shown, rich redirects sys.stdout to stderr
    bar = reading_bar("measuring")
    bar.disable = bar.disable or (out is None and stdout.isatty())  # rows show the progress
    done, failed = 0, list[Failure]()
    with ExitStack() as stack:
        table: Table
        if out is not None:
            part = stack.enter_context(whole(out))
            table = CSVTable(part) if out.suffix.lower() == ".csv" else ParquetTable(part)
        elif as_json:
            table = JSONTable(stdout)
        else:
            table = FullText(stdout) if len(paths) == 1 else TextTable(stdout, names)
        stack.enter_context(table)
        stack.enter_context(bar)
        outcomes = _outcomes(paths, options, workers, notch_mv)
        for name, one in zip(names, bar.track(outcomes, total=len(paths)), strict=True):
            if one.measurements is None:
                failed.append(failure(name, one.path, one.problem))
                table.fail(failed[-1])
            else:
                done += 1
                table.add(name, one.measurements)
    if out is not None and as_json:
        rows = [{"file": f.name, "error": f.problem} for f in failed]
        print(json.dumps({"out": str(out), "measured": done, "failed": rows}, indent=2))
    elif out is not None and done:
        print(out)
    return report_failures(done, failed, "measured")


def _outcomes(
    paths: list[Path], options: ReadOptions, workers: int | None, notch_mv: float
) -> Iterator[Measured]:
    """Yield the outcome of each file; with declared rate or unit in this process only."""
    from dyssync.errors import InputError
    from dyssync.formats import ReadOptions, read_ecg
    from dyssync.measurements import measure as measure_ecg
    from dyssync.measurements.batch import Measured, measure_files

    if options == ReadOptions():
        few = len(paths) < FEW_FILES
        n_workers = 1 if workers is None and few else workers
        yield from measure_files(paths, workers=n_workers, notch_mv=notch_mv)
        return
    for path in paths:
        try:
            yield Measured(path, measure_ecg(read_ecg(path, options), notch_mv=notch_mv))
        except InputError as error:
            yield Measured(path, None, str(error))
