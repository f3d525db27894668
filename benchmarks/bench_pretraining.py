"""Which choices of a pretraining pay: one encoder a row, each unlike another in one thing.

    make bench-pretraining                                  all rows, some hours; goes on
    python benchmarks/bench_pretraining.py --rows tiles     some

Every encoder learns from small corpora, alike in the number of pictures it draws but where a row
says otherwise. A head on it learns from 228 virtual patients (20 draws, 4,000 others tested), and
from real ECGs whose labels stand in (20 splits), as in `make bench-learning`. The tables stand in
docs/pretraining.md, what was measured in docs/measured/pretraining/.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from dyssync.whole import make_folder, write_text
from dyssync.workers import available_cores
from fit_table import Fit, Score, read_scores
from learners import TUNED
from markdown_rows import head, row
from real_data import data_option

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
MEASURED = DOCS / "measured" / "pretraining"
BEGIN, END = (
    "<!-- choices: python benchmarks/bench_pretraining.py -->\n",
    "<!-- end of choices -->\n",
)
SEED_OF_HEARTS = 20261  # that of the corpus of the shipped encoders
HEARTS, ALONE = "sim-resnet18", "ssl-resnet18"
COHORTS = ("crt", "foreign", "cohort_lvh", "cohort_mi", "ptbxl500_lvh")
FITS_TUNED = 5  # draws of a head that trains all weights, minutes each


@dataclass(frozen=True)
class Row:
    """An encoder, and what is fitted on it.

    Attributes:
        said: what sets it apart, in the table.
        options: of `dyssync pretrain`, in place of those of the first row.
        hearts: of the corpus.
        model: that starts from it.
        encoder: name of the row whose encoder it takes; "" makes its own.
    """

    said: str
    options: Mapping[str, str]
    hearts: int = 3000
    model: str = HEARTS
    encoder: str = ""


BASE: dict[str, str] = {
    "method": "hearts", "passes": "8", "seed": "1", "height": "128", "width": "160",
    "papers": "mixed", "wear": "2",
}  # fmt: skip
CLEAN: dict[str, str] = {"papers": "plain", "wear": "0"}
BEATS: dict[str, str] = {"layout": "tiles", "training-layouts": "same", **CLEAN}
ROWS: Mapping[str, Row] = {
    "base": Row("targets of `hearts`, 3,000 hearts, 8 passes, worn pages of 160 x 128 px", {}),
    "measurements": Row("targets of `measurements`", {"method": "measurements"}, model=ALONE),
    "waveform": Row("targets of `waveform`", {"method": "waveform"}, model=ALONE),
    "simclr": Row("`simclr`", {"method": "simclr"}, model=ALONE),
    "vicreg": Row("`vicreg`", {"method": "vicreg"}, model=ALONE),
    "hearts-512": Row("512 hearts, as many pictures (47 passes)", {"passes": "47"}, hearts=512),
    "passes-2": Row("2 passes", {"passes": "2"}),
    "passes-24": Row("24 passes", {"passes": "24"}),
    "224": Row("224 x 224 px", {"height": "224", "width": "224"}),
    "clean": Row("clean paper, no wear", CLEAN),
    "tiles": Row("tiles of the median beat, half of them of QRS alone", {"layout": "tiles"}),
    "tiles-clean": Row("these on clean paper", {"layout": "tiles", **CLEAN}),
    "tiles-same": Row("no tiles of QRS alone, clean paper", BEATS),
    "tiles-measurements": Row(
        "the same, targets of `measurements`", {**BEATS, "method": "measurements"}, model=ALONE
    ),
    "tuned": Row("all weights tuned (head `tuned`)", {}, model=HEARTS + TUNED, encoder="base"),
}


def main() -> None:
    """Make the encoders that are missing, fit what is missing, write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--rows", default=",".join(ROWS), help="names with commas between")
    add("--folder", type=Path, default=Path("build/bench-pretraining"))
    add("--workers", type=int, default=available_cores())
    add("--tables-only", action="store_true", help="write the table of what is measured")
    data_option(parser)
    options = parser.parse_args()
    names = options.rows.split(",")
    if unknown := sorted(set(names) - set(ROWS)):
        parser.error(f"--rows {', '.join(unknown)}: not known; there are {', '.join(ROWS)}")
    if not options.tables_only:
        _measure(names, options.folder, options.data, options.workers)
    page = DOCS / "pretraining.md"
    write_text(page, with_table(page.read_text(encoding="utf-8")))


def _measure(names: Sequence[str], folder: Path, data: Path, workers: int) -> None:
    make_folder(folder)
    taught = list(dict.fromkeys(ROWS[name].encoder or name for name in names))
    for count in sorted({ROWS[name].hearts for name in taught}):
        _simulate(count, folder)
    # what all share is made by the first: a corpus is prepared, patients are simulated
    first = {ROWS[name].hearts: name for name in reversed(taught)}
    _each(partial(_pretrain, folder), list(first.values()), 1)
    _each(partial(_pretrain, folder), taught, workers)
    _each(partial(_fit, folder, data=data), names[:1], 1)
    _each(partial(_fit, folder, data=data), names[1:], workers)


def _each(step: Callable[[str], None], names: Sequence[str], workers: int) -> None:
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(step, names))


def _simulate(count: int, folder: Path) -> None:
    corpus = folder / f"wide-{count}"
    if not corpus.is_dir():
        run = ("simulate", "--unlabelled", "--patients", str(count), "--seed", str(SEED_OF_HEARTS))
        _dyssync(*run, "--out", str(corpus))


def _home(folder: Path, name: str) -> Path:
    """Return where the encoder of a row lies; that of other options lies elsewhere."""
    held = json.dumps([BASE, ROWS[name].options, ROWS[name].hearts])
    return folder / f"{name}-{hashlib.sha256(held.encode()).hexdigest()[:8]}"


def _pretrain(folder: Path, name: str) -> None:
    asked, out = ROWS[name], _home(folder, name)
    if out.is_dir():
        return
    options = [
        text for key, value in {**BASE, **asked.options}.items() for text in (f"--{key}", value)
    ]
    corpus = str(folder / f"wide-{asked.hearts}")
    _dyssync("pretrain", corpus, *options, "--workers", "1", "--out", str(out))


def _fit(folder: Path, name: str, data: Path) -> None:
    """Fit heads on the encoder of a row; each row has a table of its own."""
    asked = ROWS[name]
    option = "--encoder-ssl" if asked.model == ALONE else "--encoder-sim"
    encoder, table = _home(folder, asked.encoder or name), MEASURED / f"{name}.csv"
    fit = [sys.executable, str(HERE / "bench_learning.py"), "--models", asked.model]
    fit += [option, str(encoder), "--keep", str(table), "--workers", "1"]
    few = ["--draws", str(FITS_TUNED)] if TUNED in asked.model else []
    subprocess.run([*fit, "--sizes", "228", "--limit", "0", "--no-limits", *few], check=True)
    if not few:
        subprocess.run([*fit, "--real", "--data", str(data)], check=True)


def _dyssync(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "dyssync", *words], check=True)


def with_table(page: str) -> str:
    """Return the page with the table as it is now; other text stays."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def table() -> str:
    """AUROC of the head on each encoder that was measured, mean (SD)."""
    lines = [head("AUROC, mean (SD)", *COHORTS)]
    for name, asked in ROWS.items():
        path = MEASURED / f"{name}.csv"
        if path.is_file():
            encoder = _home(Path(), asked.encoder or name).name
            held = {f: s for f, s in read_scores(path).items() if f.encoder == encoder}
            lines.append(row(asked.said, *(_cell(held, cohort) for cohort in COHORTS)))
    return "\n".join(lines) + "\n"


def _cell(held: Mapping[Fit, Score], cohort: str) -> str:
    found = [score.auroc for fit, score in held.items() if fit.cohort == cohort]
    if not found:
        return ""
    return f"{np.mean(found):.3f} ({np.std(found, ddof=1):.3f})"


if __name__ == "__main__":
    main()
