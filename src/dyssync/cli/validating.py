"""`dyssync validate`."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dyssync.cli.batch import Workers
from dyssync.cli.progress import Bars
from dyssync.cli.terminal import say

if TYPE_CHECKING:
    from dyssync.validation.results import Validation

Optional = typer.Option
SHOWN = ("observed_to_expected", "calibration_in_the_large", "calibration_slope", "ici", "auroc",
         "scaled_brier")  # fmt: skip
KIND = "validation"  # of a folder, for `--force`
HEADS = ("O/E", "in the large", "slope", "ICI", "AUROC", "scaled Brier")


def validate(
    bundle: Annotated[Path, typer.Argument(help="Bundle, or the run folder that holds it.")],
    cohort: Annotated[Path, typer.Argument(help="Table of a cohort that it has not seen.")],
    out: Annotated[Path, Optional("--out", "-o", help="Folder for tables and report; made.")],
    models: Annotated[
        str | None, Optional(help="Names with commas between. Default: all of the bundle.")
    ] = None,
    update: Annotated[
        bool, Optional("--update", help="Write the bundle with the updates that are asked for.")
    ] = False,
    exclude_bad: Annotated[
        bool, Optional("--exclude-bad", help="Leave out recordings that cannot be used.")
    ] = False,
    workers: Workers = None,
    force: Annotated[bool, Optional("--force", help="Replace an earlier validation.")] = False,
) -> None:
    """Grade a bundle on patients of another place, whom it has not seen.

    Example: dyssync validate RUN/bundle elsewhere.csv --out VALIDATION

    Of every model: O/E, calibration, AUROC, Brier score, net benefit, conformal coverage, with 95 %
    intervals; subgroups; comparison with QRS area and with no model; and by a closed test whether
    it needs another intercept or slope here. --update writes OUT/bundle, which answers with them.
    """
    from dyssync.prediction.bundle import load_bundle
    from dyssync.report.validation_page import write_validation_page
    from dyssync.study.grid import default_workers
    from dyssync.validation.run import Asked
    from dyssync.validation.run import validate as grade_bundle
    from dyssync.whole import check_replaceable, one_maker, whole_folder

    check_replaceable(out, KIND, force=force)
    opened = load_bundle(bundle)
    names = None if models is None else tuple(n.strip() for n in models.split(","))
    asked = Asked(names, update, exclude_bad, _command())
    many = workers or default_workers()
    with one_maker(out), Bars() as bars:
        found = grade_bundle(opened, cohort, asked, workers=many, progress=bars.progress)
        with whole_folder(out, kind=KIND, force=force) as part:
            found.write(part)
            write_validation_page(found, part)
        bars.say(f"report: {out / 'report.html'}\n{_next(found, out)}")
    say(as_text(found))


def _command() -> str:
    """Return the call as it can be pasted; folders are left out, the record may be shared."""
    import shlex

    words = [Path(word).name if "/" in word else word for word in sys.argv[1:]]
    return shlex.join(["dyssync", *words])


def _next(found: Validation, out: Path) -> str:
    if found.record.updated:
        return f"next: dyssync predict {out / 'bundle'} ECG-FILE"
    return "no model is updated"


def as_text(found: Validation) -> str:
    """Return who was graded, a line a model, and what can be said of calibration."""
    record, flow = found.record, found.record.flow
    kind = "simulated " if record.bundle.simulated else ""
    lines = [
        f"bundle {record.bundle.digest[:16]}: developed on {record.bundle.n_patients} {kind}"
        f"patients, {record.bundle.base_rate:.1%} responders",
        f"{record.cohort}: {flow.patients} patients, {flow.responders} responders "
        f"({flow.share:.1%}); {flow.excluded} rows excluded, {flow.died} died, {flow.lost} lost",
        "",
    ]
    table = found.tables["estimates"]
    plain = table[table["threshold"].isna()]
    rows = {(row["model"], row["metric"]): row for row in plain.to_dict("records")}
    width = max(5, *(len(name) for name in record.models))
    lines.append(f"{'model':{width}}  " + "  ".join(f"{head:>21}" for head in HEADS))
    for name in record.models:
        cells = [_with_interval(rows[name, metric]) for metric in SHOWN]
        lines.append(f"{name:{width}}  " + "  ".join(f"{cell:>21}" for cell in cells))
    lines += ["", "calibration"]
    lines += [f"{n:{width}}  {said}" for n in record.models for said in record.verdicts[n]]
    return "\n".join([*lines, "", *record.cautions])


def _with_interval(row: Mapping[Any, Any]) -> str:
    value, low, high = (float(row[name]) for name in ("value", "low", "high"))
    if math.isnan(value):
        return "undefined"
    return f"{value:.3f} ({low:.3f}, {high:.3f})" if math.isfinite(low) else f"{value:.3f}"
