"""`dyssync predict`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyssync.cli.progress import reading_bar
from dyssync.inspection.wording import NONE

if TYPE_CHECKING:
    from dyssync.prediction.predictor import Prediction

SHOWN_REASONS = 5


def predict(
    bundle: Annotated[Path, typer.Argument(help="Bundle, or the run folder that holds it.")],
    files: Annotated[list[Path], typer.Argument(help="ECG files, or pictures of ECG pages.")],
    models: Annotated[str | None, typer.Option(help="Names with commas between.")] = None,
    fs: Annotated[
        float | None, typer.Option(help="Sampling rate, Hz, where a file does not say.")
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="Unit (mV, uV, V), where a file does not say.")
    ] = None,
    clinical: Annotated[
        Path | None,
        typer.Option(help="Table with column ecg (file name) and age, sex, lvef, nyha, ..."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, a list.")] = False,
) -> int:
    """Print the probability of response for each ECG, a row a file.

    Example: dyssync predict RUN/bundle ecg1.hea ecg2.hea

    Below each row stand the five measurements that moved lightgbm and logistic most (log-odds), and
    what a rule says. --clinical gives the models what a cohort table would: age, sex, ischaemic,
    lvef, nyha, af; without it they go by the ECG alone.

    Exit code 0: all scored; 3: some files failed (listed, the others are scored); 2: none.
    """
    from dyssync.cohort.clinical import with_clinical
    from dyssync.cohort.clinical_table import check_facts, read_facts
    from dyssync.ecg import ECG
    from dyssync.errors import InputError, check_choice
    from dyssync.formats import ReadOptions, read_input
    from dyssync.prediction.bundle import load_bundle
    from dyssync.prediction.predictor import Predictor

    opened = load_bundle(bundle)
    names = None if models is None else [n.strip() for n in models.split(",")]
    for name in names or ():
        check_choice("model of this bundle", name, opened.members)
    predictor = Predictor(opened, names)
    facts = {} if clinical is None else read_facts(clinical)
    check_facts(facts, [path.name for path in files])
    done: list[Prediction] = []
    failed: list[tuple[str, str]] = []
    with reading_bar("scoring") as bar:
        for path in bar.track(files):
            try:
                ecg = read_input(path, ReadOptions(fs=fs, unit=unit))
                if isinstance(ecg, ECG):
                    ecg = with_clinical(ecg, facts.get(path.name, {}))
                done.append(predictor.predict(ecg))
            except InputError as error:
                failed.append((path.name, str(error)))
    if as_json:
        rows = [p.to_dict() for p in done] + [{"file": n, "error": e} for n, e in failed]
        print(json.dumps(rows, indent=2))
    elif done:
        print(_table(done))
    for _, text in failed:
        print(f"error: {text}", file=sys.stderr)
    return 0 if not failed else 3 if done else 2


def _table(predictions: list[Prediction]) -> str:
    names = list(dict.fromkeys(name for p in predictions for name in p.models))
    width = max(4, *(len(p.file) for p in predictions))
    head = f"{'file':{width}}  " + "  ".join(f"{name:>24}" for name in names)
    lines = [head + "  base rate"]
    for p in predictions:
        cells = []
        for m in (p.models.get(name) for name in names):
            if m is None:  # a picture, and the model needs a signal
                cells.append("-")
                continue
            spread = "" if m.seeds_low is None else f" ({m.seeds_low:.2f}-{m.seeds_high:.2f})"
            cells.append(f"{m.probability:.2f}{spread}")
        lines.append(
            f"{p.file:{width}}  " + "  ".join(f"{c:>24}" for c in cells) + f"  {p.base_rate:9.2f}"
        )
        lines += [f"{'':{width}}  {text}" for text in _reasons(p)]
        lines += [f"{'':{width}}  caution: {text}" for text in p.cautions]
    lines.append("probability of response (range over the seeds' models). Research use only.")
    return "\n".join(lines)


def _reasons(prediction: Prediction) -> list[str]:
    lines = []
    for name, m in prediction.models.items():
        if m.contributions:
            parts = [
                f"{c.feature} {NONE if c.value is None else f'{c.value:.4g}'} ({c.log_odds:+.2f})"
                for c in m.contributions[:SHOWN_REASONS]
            ]
            lines.append(f"{name}: {', '.join(parts)}")
        if m.statement is not None:
            lines.append(f"{name}: {m.statement}")
    return lines
