"""`dyssync predict`."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyssync.cli.archiving import score_into
from dyssync.cli.batch import Job, Workers, outcomes, report_failures
from dyssync.cli.executors import LOCAL, Address, Executor, handing_out
from dyssync.cli.exits import Exit
from dyssync.cli.exporting import write_exports
from dyssync.cli.paths import (
    Files,
    Force,
    Fs,
    Unit,
    gather,
    names_of,
    some,
)
from dyssync.cli.progress import reading_bar
from dyssync.cli.rows import JSONTable, Table, write_rows
from dyssync.cli.scores import AnswerTable, ScoreTable
from dyssync.errors import CohortError, ConfigError

if TYPE_CHECKING:
    from dyssync.formats import ReadOptions
    from dyssync.image import Input
    from dyssync.prediction.predictor import Prediction, Predictor

    Facts = Mapping[str, Mapping[str, object]]


def predict(
    bundle: Annotated[Path, typer.Argument(help="Bundle, or the run folder that holds it.")],
    files: Files,
    models: Annotated[
        str | None, typer.Option(help="Names with commas between; a row for each.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="All models, a row each, instead of the one answer.")
    ] = False,
    clinical: Annotated[
        Path | None,
        typer.Option(help="Table with column ecg (file name) and age, sex, lvef, nyha, ..."),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="Write files instead: fhir, pdf or dicom.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for the files of --to, or scores of an archive."),
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option("--id", help="Of an archive of Parquet shards: column that names each ECG."),
    ] = None,
    workers: Workers = None,
    executor: Executor = LOCAL,
    address: Address = None,
    fs: Fs = None,
    unit: Unit = None,
    force: Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, a list.")] = False,
) -> int:
    """Print the answer to each ECG or picture of a page: how many of 100 such patients responded.

    Example: dyssync predict RUN/bundle ecg1.hea ecg2.hea

    It is that of the model with the best graded answers, or "defer" where both outcomes stay
    possible, with what it rests on, the guideline's class and QRS area beside it, and cautions.

    --all prints all models, a row each. Beside a probability stand what calibration leaves open
    (Venn-Abers), how far the fits of the model differ (SD), and the outcome that is left where the
    other is excluded at 80 and 90 % in its class: responder, non-responder, or defer. It is no
    probability: see docs/predicting.md. Below: the five measurements that moved a model most
    (log-odds), and what a rule says. --json always holds all models.
    --to writes the one answer to a folder (--out), a file for each ECG: fhir, an R4 Bundle; pdf,
    one page A4 with the tracing true to scale; dicom, that page as encapsulated PDF. The page
    shows the name of the file; no other identifier stands in them.
    --out without --to scores an archive, however large (a folder of files, or Parquet shards), to
    Parquet shards, a row an ECG: docs/archives.md. --workers, --executor, --address and --id are
    for that. Interrupted, the same command goes on.
    --clinical gives the models what a cohort table would: age, sex, ischaemic, lvef, nyha, af;
    without it they go by the ECG alone.

    Exit code 0: all scored; 3: some files failed (listed, the others are scored); 2: none.
    """
    from dyssync.errors import check_choice
    from dyssync.formats import ReadOptions
    from dyssync.prediction.bundle import load_bundle
    from dyssync.prediction.predictor import Prediction, Predictor

    if every and models is not None:
        raise ConfigError("--all and --models: each says which models to ask; leave one out")
    of_archive = out is not None and to is None
    if to and (out is None or every or models or as_json):
        raise ConfigError("--to needs --out, and goes without --all, --models and --json")
    _check_options(
        of_archive=of_archive,
        only_archives={
            "--id": id_column is not None,
            "--workers": workers is not None,
            "--executor ray": executor != LOCAL,
            "--address": address is not None,
        },
        no_archives={"--json": as_json, "--clinical": clinical is not None},
    )
    opened = load_bundle(bundle, check_all=False)
    asked = None if models is None else [n.strip() for n in models.split(",")]
    for name in asked or ():
        check_choice("model of this bundle", name, opened.members)
    options = ReadOptions(fs=fs, unit=unit)
    if of_archive and out is not None:
        from dyssync.scoring import Asked

        own = tuple(opened.members) if every or not opened.best_first else tuple(asked or ())
        wanted = Asked(opened, own, options, id_column)
        with handing_out(executor, address, workers):
            return score_into(files, out, wanted, workers=workers, force=force)
    # the table may lie among the ECGs
    paths = [path for path in gather(files) if clinical is None or not _same(path, clinical)]
    facts = {} if clinical is None else _facts_of(clinical, paths)
    names = names_of(paths)
    jobs = [Job(path, name) for path, name in zip(paths, names, strict=True)]
    # without one answer (a bundle of rules alone) all models are shown
    short = not (every or as_json or asked) and bool(opened.best_first)
    predictor = Predictor(opened, asked, lazy=short, once=len(jobs) == 1)
    if to is not None and out is not None:
        ask = partial(_predicted, predictor=predictor, options=options, facts=facts, short=True)
        return write_exports(ask, opened, jobs, to, out, force=force)
    work = partial(_scored, predictor=predictor, options=options, facts=facts, short=short)
    stdout = sys.stdout  # while a bar is shown, rich redirects sys.stdout to stderr
    table: Table[Prediction] = (
        JSONTable(stdout, Prediction.to_dict)
        if as_json
        else AnswerTable(stdout)
        if short
        else ScoreTable(stdout, predictor.names)
    )
    return _printed(work, jobs, table)


def _printed(
    work: Callable[[Job], Prediction], jobs: Sequence[Job], table: Table[Prediction]
) -> Exit:
    with table, reading_bar("scoring", between_rows=True) as bar:
        # one process: in each of several the models would be loaded anew
        found = bar.track(outcomes(work, jobs, workers=1), total=len(jobs))
        done, failed = write_rows(table, jobs, found)
    return report_failures(done, failed, "scored")


def _check_options(
    *, of_archive: bool, only_archives: Mapping[str, bool], no_archives: Mapping[str, bool]
) -> None:
    """Refuse options that say nothing where they stand."""
    others = no_archives if of_archive else only_archives
    if wrong := [name for name, given in others.items() if given]:
        what = "not of an archive" if of_archive else "of an archive, which --out scores"
        raise ConfigError(f"{', '.join(wrong)}: {what}; leave it out")


def _same(path: Path, other: Path) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)


def _facts_of(clinical: Path, paths: Sequence[Path]) -> Facts:
    """Return the clinical facts of each file by its name.

    Raises:
        CohortError: the table cannot be used, lacks a file, or two files have one name.
    """
    from dyssync.cohort.clinical_table import check_facts, read_facts

    facts = read_facts(clinical)
    files = [path.name for path in paths]
    check_facts(facts, files)
    alike = [name for name, times in Counter(files).items() if times > 1]
    if alike:
        raise CohortError(
            f"{clinical.name}: tells files by name alone, and several are called {some(alike)}; "
            "score them one folder at a time"
        )
    return facts


def _scored(
    job: Job, predictor: Predictor, options: ReadOptions, facts: Facts, short: bool
) -> Prediction:
    _, found = _predicted(job, predictor, options, facts, short)
    return replace(found, file=job.name)


def _predicted(
    job: Job, predictor: Predictor, options: ReadOptions, facts: Facts, short: bool
) -> tuple[Input, Prediction]:
    from dyssync.cohort.clinical import with_clinical
    from dyssync.formats import read_input
    from dyssync.image import ECGImage
    from dyssync.pages.reading_off import read_off

    read = read_input(job.path, options)
    if isinstance(read, ECGImage):
        read = read_off(read)
    read = with_clinical(read, facts.get(job.path.name, {}))
    answer = predictor.answering(read) if short else None
    return read, predictor.predict(read, None if answer is None else [answer])
