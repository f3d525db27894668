"""`dyssync study`."""

from __future__ import annotations

import json
import math
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dyssync.cli.batch import Workers
from dyssync.cli.executors import LOCAL, Address, Executor, GPUShare, handing_out
from dyssync.cli.paths import cache_folder
from dyssync.cli.progress import Bars
from dyssync.cli.terminal import say
from dyssync.inspection.wording import NONE

if TYPE_CHECKING:
    from dyssync.study.results import StudyResults

Optional = typer.Option


def study(
    out: Annotated[Path, Optional("--out", "-o", help="Run folder; made, or gone on with.")],
    cohort: Annotated[
        Path | None,
        Optional(
            help="Table (CSV, Parquet): patient_id, ecg, the two volumes or responder. "
            "Default: 285 simulated patients."
        ),
    ] = None,
    corpus: Annotated[
        Path | None,
        Optional(
            help="Unlabelled ECGs that pretrained models go on with: a table or a folder. "
            "Default: none; they start from the encoders that ship."
        ),
    ] = None,
    models: Annotated[
        str | None, Optional(help="Names with commas between. Default: those of the study.")
    ] = None,
    protocol: Annotated[
        str | None,
        Optional(
            help="cross-fit (folds; every patient is tested) or independent (random splits). "
            "Default: cross-fit."
        ),
    ] = None,
    repeats: Annotated[int | None, Optional(help="Of the folds. Default: 2.")] = None,
    folds: Annotated[int | None, Optional(help="A repeat. Default: 5.")] = None,
    seeds: Annotated[int | None, Optional(help="Independent splits 1 to N. Default: 10.")] = None,
    threshold: Annotated[
        float | None, Optional(help="From which probability one is called a responder. Default: .5")
    ] = None,
    preset: Annotated[
        str | None, Optional(help="paper (224 px, all epochs) or quick (minutes on 2 cores).")
    ] = None,
    config: Annotated[Path | None, Optional(help="TOML file with settings.")] = None,
    settings: Annotated[
        list[str] | None, Optional("--set", help="key=value, such as resnet18.epochs=20.")
    ] = None,
    exclude_bad: Annotated[
        bool, Optional("--exclude-bad", help="Leave out recordings that cannot be used.")
    ] = False,
    workers: Workers = None,
    executor: Executor = LOCAL,
    address: Address = None,
    gpu_share: GPUShare = 1.0,
    force: Annotated[bool, Optional("--force", help="Begin anew in an existing run.")] = False,
    as_json: Annotated[bool, Optional("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Run the published protocol on a cohort: fit, test, compare, explain, report.

    Example: dyssync study --cohort cohort.csv --preset quick --out RUN

    Interrupted at any moment, the same command goes on where it was.
    """
    from dyssync.report import write_report
    from dyssync.study.config import build_config
    from dyssync.study.run import Outcome, run_study
    from dyssync.study.run_folder import finish

    def report_and_finish(outcome: Outcome) -> None:
        write_report(outcome.results, outcome.folder)
        finish(outcome.folder)

    values: dict[str, Any] = {
        "cohort": cohort,
        "corpus": corpus,
        "models": None if models is None else tuple(n.strip() for n in models.split(",")),
        "protocol": protocol,
        "repeats": repeats,
        "folds": folds,
        "seeds": seeds,
        "threshold": threshold,
        "preset": preset,
        "exclude_bad": exclude_bad or None,
    }
    given = {key: value for key, value in values.items() if value is not None}
    chosen = build_config(given, config, settings or [])
    with handing_out(executor, address, workers, gpu_share=gpu_share), Bars() as bars:
        outcome = run_study(
            chosen,
            out,
            bars,
            workers=workers,
            force=force,
            command=_command(),
            cache=cache_folder(),
            then=report_and_finish,
        )
        bars.say(f"report: {out / 'report.html'}\nnext: dyssync predict {out / 'bundle'} ECG-FILE")
    say(_as_json(outcome.results) if as_json else _as_table(outcome.results))


def _command() -> str:
    """Return the call as it can be pasted; folders are left out, a run may be shared."""
    words = []
    for word in sys.argv[1:]:
        before, separator, last = word.rpartition("=")
        words.append(before + separator + (Path(last).name if os.path.isabs(last) else last))
    return shlex.join(["dyssync", *words])


def _as_json(results: StudyResults) -> str:
    """Return the study's table and what the out-of-fold answers are worth; NaN as null."""
    tables = {
        name: [
            {str(k): None if v != v else v for k, v in row.items()}
            for row in results.tables[name].to_dict("records")
        ]
        for name in ("summary", "estimates", "comparisons")
    }
    return json.dumps(tables, indent=2)


def _as_table(results: StudyResults) -> str:
    """Return the main table as text: mean +/- SD over fits, a line a model; and the answers."""
    from dyssync.evaluation.protocol import short_table_columns

    summary, columns = results.tables["summary"], short_table_columns()
    values = summary.set_index(["model", "metric"])
    models = list(dict.fromkeys(summary["model"]))
    width = max(len(name) for name in models)
    lines = [f"{'model':{width}}  " + "  ".join(f"{metric:>15}" for metric in columns)]
    for model in models:
        rows = [values.loc[(model, metric)] for metric in columns]
        cells = "  ".join(f"{_mean_and_sd(row['mean'], row['sd']):>15}" for row in rows)
        lines.append(f"{model:{width}}  {cells}")
    lines.append(
        f"each fit on patients it had not seen, threshold {results.run.threshold:g}; mean +/- SD "
        "over fits, as published"
    )
    return "\n".join([*lines, "", *_worth(results, models, width)])


def _worth(results: StudyResults, models: Sequence[str], width: int) -> list[str]:
    """Return what the answers of the bundle are worth, a line a model."""
    table = results.tables["estimates"]
    plain = table[table["threshold"].isna()]
    rows = {(row["model"], row["metric"]): row for row in plain.to_dict("records")}
    shown = ("auroc", "brier", "calibration_slope", "ici")
    lines = [f"{'answers':{width}}  " + "  ".join(f"{name:>20}" for name in shown)]
    for model in models:
        cells = [_with_interval(rows[model, name]) for name in shown]
        lines.append(f"{model:{width}}  " + "  ".join(f"{cell:>20}" for cell in cells))
    lines.append(
        "the bundle's answer to each patient, by fits that had not seen him or her; 95 % "
        "intervals. All of it: estimates.csv, comparisons.csv"
    )
    return lines


def _with_interval(row: Mapping[Any, Any]) -> str:
    value, low, high = (float(row[name]) for name in ("value", "low", "high"))
    if math.isnan(value):
        return "undefined"
    return f"{value:.3f} ({low:.3f}-{high:.3f})" if math.isfinite(low) else f"{value:.3f}"


def _mean_and_sd(mean: float, sd: float) -> str:
    """Word a metric; one seed has no SD, and some have no metric.

    >>> _mean_and_sd(0.8, 0.05), _mean_and_sd(0.8, float("nan"))
    ('0.800 +/- 0.050', '0.800 +/- -')
    """
    if math.isnan(mean):
        return "undefined"
    return f"{mean:.3f} +/- {NONE if math.isnan(sd) else f'{sd:.3f}'}"
