"""`dyssync simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dyssync.cli.batch import Workers
from dyssync.cli.executors import LOCAL, Address, Executor, handing_out
from dyssync.cli.progress import reading_bar
from dyssync.cli.terminal import say


def simulate(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to make.")],
    patients: Annotated[int, typer.Option(help="How many.")] = 285,
    seed: Annotated[int, typer.Option(help="Same seed, same patients.")] = 1,
    unlabelled: Annotated[
        bool,
        typer.Option("--unlabelled", help="A corpus to pretrain on, without responses."),
    ] = False,
    population: Annotated[
        str | None,
        typer.Option(
            help="crt, or foreign (another simulator); with --unlabelled wide, or archive."
        ),
    ] = None,
    workers: Workers = None,
    executor: Executor = LOCAL,
    address: Address = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a simulated folder.")] = False,
) -> None:
    """Make virtual patients: ECG and response to pacing from the same heart, with a known truth.

    Example: dyssync simulate --patients 500 --seed 7 --out virtual

    Interrupted at any moment, the same command goes on where it was.
    """
    from dyssync.errors import check_choice
    from dyssync.simulation.cohort import simulate_cohort
    from dyssync.simulation.corpus import simulate_corpus
    from dyssync.simulation.population import POPULATIONS, Population
    from dyssync.workers import all_workers

    make = simulate_corpus if unlabelled else simulate_cohort
    known: dict[str, Population] = {name: name for name in POPULATIONS}
    usual = "wide" if unlabelled else "crt"
    drawn = known[check_choice("population", population or usual, tuple(known))]
    with handing_out(executor, address, workers), reading_bar("simulating") as bar:
        many = workers or all_workers()
        row = bar.add_task("simulating", total=patients)
        make(
            patients, seed, out, population=drawn, workers=many, force=force,
            on_progress=lambda done, n: bar.update(row, completed=done, total=n),
        )  # fmt: skip
    say(out if unlabelled else out / "cohort.csv")
