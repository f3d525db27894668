"""Time calls by repetition; only the standard library, for it also runs where dyssync is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence


def cpu_seconds(call: Callable[[int], object], runs: int) -> list[float]:
    """Return the processor time of `runs` calls, s, after one that does not count.

    Args:
        call: takes the number of the run.
        runs: how many.
    """
    call(0)
    spent = []
    for run in range(runs):
        start = time.process_time()
        call(run)
        spent.append(time.process_time() - start)
    return spent


def in_turn(calls: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """Return the wall-clock seconds of each call in each round.

    In turn, and backwards in every other round, so that what else the machine does hits all alike.
    """
    spent: list[list[float]] = [[] for _ in calls]
    for number in range(rounds):
        turns = list(enumerate(calls))
        for which, call in turns if number % 2 == 0 else reversed(turns):
            start = time.perf_counter()
            call()
            spent[which].append(time.perf_counter() - start)
    return spent
