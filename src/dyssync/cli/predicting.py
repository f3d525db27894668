"""`dyssync predict`."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from dyssync.cli.batch import Job, outcomes, report_failures
from dyssync.cli.paths import Files, Fs, Unit, gather, names_of, some
from dyssync.cli.progress import reading_bar
from dyssync.cli.rows import JSONTable, Table, write_rows
from dyssync.errors import CohortError, ConfigError
from dyssync.inspection.wording import NONE

if TYPE_CHECKING:
    from dyssync.formats import ReadOptions
    from dyssync.prediction.predictor import ModelPrediction, Prediction, Predictor

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
    fs: Fs = None,
    unit: Unit = None,
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
    opened = load_bundle(bundle, check_all=False)
    asked = None if models is None else [n.strip() for n in models.split(",")]
    for name in asked or ():
        check_choice("model of this bundle", name, opened.members)
    options = ReadOptions(fs=fs, unit=unit)
    # the table may lie among the ECGs
    paths = [path for path in gather(files) if clinical is None or not _same(path, clinical)]
    facts = {} if clinical is None else _facts_of(clinical, paths)
    names = names_of(paths)
    jobs = [Job(path, name) for path, name in zip(paths, names, strict=True)]
    # without one answer (a bundle of rules alone) all models are shown
    short = not (every or as_json or asked) and bool(opened.about.best_first)
    predictor = Predictor(opened, asked, lazy=short)
    work = partial(_scored, predictor=predictor, options=options, facts=facts, short=short)
    stdout = sys.stdout  # while a bar is shown, rich redirects sys.stdout to stderr
    with ExitStack() as stack:
        table: Table[Prediction] = (
            JSONTable(stdout, Prediction.to_dict)
            if as_json
            else AnswerTable(stdout)
            if short
            else ScoreTable(stdout, predictor.names)
        )
        stack.enter_context(table)
        bar = stack.enter_context(reading_bar("scoring", between_rows=True))
        # one process: in each of several the models would be loaded anew
        found = bar.track(outcomes(work, jobs, workers=1), total=len(jobs))
        done, failed = write_rows(table, jobs, found)
    return report_failures(done, failed, "scored")


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
    from dyssync.cohort.clinical import with_clinical
    from dyssync.ecg import ECG
    from dyssync.formats import read_input

    read = read_input(job.path, options)
    if isinstance(read, ECG):
        read = with_clinical(read, facts.get(job.path.name, {}))
    answer = predictor.answering(read) if short else None
    found = predictor.predict(read, None if answer is None else [answer])
    return replace(found, file=job.name)


HEADS = ("probability", "calibration", "fits", "at 80 %", "at 90 %", "goes by")
WIDTHS = (11, 11, 5, 13, 13)
FOOT = (
    "probability of response: mean of all fits, each graded on patients that it had not seen. "
    "calibration: range\nof two ways to calibrate it, logistic and Venn-Abers; no confidence "
    "interval. fits: SD between them. At 80 and\n90 %: so many of each class keep their outcome, "
    "not so many of those called so are right. defer: both outcomes\nstay possible. "
    "Research use only."
)


class AnswerTable(Table["Prediction"]):
    """A block a file for people: the one answer."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.written = False

    def add(self, name: str, found: Prediction) -> None:
        """Write a block."""
        from dyssync.inspection.answer import beside, decision, headline, rests_on
        from dyssync.prediction.short import short_answer

        answer = short_answer(found)
        assert answer is not None
        lines = [""] if self.written else []
        self.written = True
        lines += [f"{name}: {headline(answer)}", f"  {decision(answer)}"]
        lines.append(f"  rests on: {rests_on(answer)}")
        lines += [f"  {text}" for text in beside(answer)]
        lines += [f"  caution: {text}" for text in answer.cautions]
        print("\n".join(lines), file=self.file, flush=True)

    def __exit__(self, *_: object) -> None:
        if self.written:
            print(f"\n{ANSWER_FOOT}", file=self.file)


ANSWER_FOOT = (
    "In brackets: range of two ways to calibrate, no confidence interval. At 80 and 90 %: so many "
    "of each class keep\ntheir outcome, not so many of those called so are right. All models: "
    "--all. Research use only."
)


class ScoreTable(Table["Prediction"]):
    """A block a file for people: a line a model, with reasons and cautions below."""

    def __init__(self, file: TextIO, models: Sequence[str]) -> None:
        self.file = file
        self.width = max(5, *(len(name) for name in models))
        self.written = False

    def add(self, name: str, found: Prediction) -> None:
        """Write a block."""
        lines = [""] if self.written else []
        self.written = True
        lines.append(f"{name}: base rate {found.base_rate:.2f}")
        lines.append(f"  {'model':{self.width}}  {_line(HEADS)}")
        lines += [
            f"  {model:{self.width}}  {_line(_cells(said))}" for model, said in found.models.items()
        ]
        lines += [f"  {text}" for text in _reasons(found)]
        lines += [f"  caution: {text}" for text in found.cautions]
        print("\n".join(lines), file=self.file, flush=True)

    def __exit__(self, *_: object) -> None:
        if self.written:
            print(f"\n{FOOT}", file=self.file)


def _line(cells: Sequence[str]) -> str:
    *first, last = cells
    return "  ".join([*(f"{c:{w}}" for c, w in zip(first, WIDTHS, strict=True)), last])


def _cells(said: ModelPrediction) -> tuple[str, ...]:
    from dyssync.prediction.short import calibration_range

    (low, high), sd = calibration_range(said), said.members_sd
    interval = NONE if low is None or high is None else f"{low:.2f}-{high:.2f}"
    spread = NONE if sd is None else f"{sd:.2f}"
    return (
        f"{said.probability:.2f}", interval, spread, said.set_80, said.set_90, said.basis,
    )  # fmt: skip


def _reasons(prediction: Prediction) -> list[str]:
    from dyssync.inspection.answer import SHOWN_REASONS, reason

    lines = []
    for name, m in prediction.models.items():
        if m.contributions:
            lines.append(f"{name}: {', '.join(map(reason, m.contributions[:SHOWN_REASONS]))}")
        if m.statement is not None:
            lines.append(f"{name}: {m.statement}")
        if name in prediction.encoders:
            lines.append(f"{name}: its network was first {prediction.encoders[name]}")
    return lines
