"""How much models learn from few patients: learning curves, limits and stability.

    make bench-learning                             all of it, hours; goes on where it was stopped
    python benchmarks/bench_learning.py             the quick models on both virtual populations
    python benchmarks/bench_learning.py --models resnet18 --draws-resnet 5 --sizes-resnet 70,228
    python benchmarks/bench_learning.py --shuffled  negative control: labels dealt out anew
    python benchmarks/bench_learning.py --executor ray --address head:6379     on many machines
    python benchmarks/bench_learning.py --real [--encoder-ssl FOLDER] [--encoder-sim FOLDER]

Draws of virtual patients from a pool of 2,000, each model fitted once to each, and every fit tested
on the same 4,000 others: of the population whose simulator encoders learn from (crt), and of one
that follows other choices (foreign). Beside them QRS area, who knows all of the heart (bayes), and
what 6,000 patients teach. Tables and curves of it: benchmarks/learning_tables.py.
"""

# ruff: noqa: E402 - the libraries of NumPy read the number of threads when they are imported
from __future__ import annotations

from dyssync.workers import use_one_thread

use_one_thread()  # as a study fits

import argparse
import sys
from functools import partial
from pathlib import Path

import real_learning
import virtual_learning
from dyssync.cli.executors import LOCAL, RAY, handing_out
from dyssync.errors import InputError, check_choice
from dyssync.workers import OnProgress, available_cores
from fit_table import use_one_torch_thread
from learners import QUICK, Named
from real_data import data_option
from virtual_learning import OWN, SHUFFLED, Draws

CONTROL = (228,)  # patients that teach the negative control: what a study of 285 fits to


def main() -> None:
    """Fit, test and keep."""
    options = _options()
    use_one_torch_thread()
    try:
        with handing_out(options.executor, options.address, options.workers):
            (_real if options.real else _virtual)(options)
    except InputError as error:
        raise SystemExit(str(error)) from error


def _real(options: argparse.Namespace) -> None:
    named = _named(options, real_learning.MODELS)
    for name in _among(options.cohorts, real_learning.COHORTS):
        real_learning.learn(
            named,
            name,
            _labels(options),
            options.data,
            options.folder,
            options.keep,
            workers=options.workers,
            on_progress=_progress(name),
        )


def _virtual(options: argparse.Namespace) -> None:
    named = _named(options, QUICK)
    draws = Draws(
        models=named.names,
        sizes=options.sizes or (CONTROL if options.shuffled else Draws.sizes),
        count=options.draws,
        slow_sizes=options.sizes_resnet or (CONTROL if options.shuffled else Draws.slow_sizes),
        slow_count=options.draws_resnet,
        limit=options.limit,
        beside=not options.no_limits,
        people=options.people,
        pool=options.pool,
    )
    for cohort in _among(options.cohorts, tuple(virtual_learning.COHORTS)):
        virtual_learning.learn(
            draws,
            named,
            cohort,
            _labels(options),
            options.people_folder,
            options.keep,
            workers=options.workers,
            on_progress=_progress(cohort),
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--models", help="names with commas between; +facts adds clinical facts")
    add("--cohorts", help="names with commas between; default all")
    add("--sizes", type=_numbers, help="patients that teach, with commas between")
    add("--draws", type=int, default=Draws.count)
    add("--sizes-resnet", type=_numbers, help="of resnet18, a fit of which takes minutes")
    add("--draws-resnet", type=int, default=Draws.slow_count)
    add("--limit", type=int, default=Draws.limit, help="patients that teach the limit; 0 for none")
    add("--no-limits", action="store_true", help="neither Bayes nor who is told the heart")
    add("--people", type=int, default=Draws.people, help="virtual patients of a population")
    add("--pool", type=int, default=Draws.pool, help="of them are drawn from")
    add("--shuffled", action="store_true", help="labels dealt out anew")
    add("--real", action="store_true", help="real ECGs that stand in")
    add("--encoder-ssl", type=Path, help="folder; default the one that is shipped")
    add("--encoder-sim", type=Path, help="folder; default the one that is shipped")
    add("--folder", type=Path, default=Path("build/bench-learning"))
    add("--people-folder", type=Path, default=Path("build/bench-intervals"), help="shared")
    add("--keep", type=Path, default=Path("build/bench-learning/learning.csv"))
    add("--workers", type=int, default=available_cores())
    add("--executor", choices=(LOCAL, RAY), default=LOCAL)
    add("--address", help="of a Ray cluster; default: started here")
    data_option(parser)
    return parser.parse_args()


def _named(options: argparse.Namespace, names: str) -> Named:
    chosen = tuple((options.models or names).split(","))
    return Named(chosen, options.encoder_ssl, options.encoder_sim)


def _numbers(words: str) -> tuple[int, ...]:
    return tuple(map(int, words.split(",")))


def _labels(options: argparse.Namespace) -> str:
    return SHUFFLED if options.shuffled else OWN


def _among(words: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    chosen = tuple(words.split(",")) if words else known
    for name in chosen:
        check_choice("cohorts", name, known)
    return chosen


def _progress(name: str) -> OnProgress:
    return partial(_show, name)


def _show(name: str, done: int, of: int) -> None:
    print(f"\r{name}: {done} of {of}", end="\n" if done == of else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
