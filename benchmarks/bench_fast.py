"""PR and QT from 40 to 220 beats a minute against their truth: `make bench-fast`.

Prints by rate and by conduction, for drawn ECGs and for virtual hearts: how often PR and QT are
given, their error, and how many are off by more than the limits below. A thing that is not known
is no error; a QT longer than RR always is.
"""

# ruff: noqa: E402 - the libraries of NumPy read the number of threads when they are imported
from __future__ import annotations

from dyssync.workers import use_one_thread

use_one_thread()

import argparse
import sys
from collections.abc import Callable

import numpy as np

from dyssync.arrays import Floats
from dyssync.measurements import measure
from fast_hearts import CONDUCTIONS, MadeECG, drawn, of_a_virtual_heart

RATES = (40, 60, 80, 90, 100, 110, 120, 130, 140, 150, 160, 170, 180, 200, 220)
FASTEST_HEART = 200  # of the simulator
PR_LIMIT_MS, QT_LIMIT_MS, RATE_LIMIT = 12.0, 25.0, 0.05
Maker = Callable[[np.random.Generator, float, str], MadeECG]
HEADER = (
    f"{'':16s} {'n':>4s} {'rate off':>8s}   "
    f"{'PR given':>8s} {'median':>7s} {'SD':>6s} {'off':>4s}   "
    f"{'QT given':>8s} {'median':>7s} {'SD':>6s} {'off':>4s} {'>RR':>4s}"
)


def errors(made: MadeECG) -> tuple[float, float, float, float]:
    """Return ours - truth of PR and QT, ms, NaN where not given; QT - RR; ours / true rate."""
    found = measure(made.ecg)
    pr, qt = found["pr_ms"] - made.pr_ms, found["qt_ms"] - made.qt_ms
    rate = found["heart_rate_bpm"]
    return pr, qt, found["qt_ms"] - 60_000 / rate, rate / made.rate


def row(title: str, table: Floats) -> str:
    """Return one line; `table` is (n, 4), of :func:`errors`."""
    wrong = int((np.abs(table[:, 3] - 1) > RATE_LIMIT).sum())
    words = [f"{title:16s} {len(table):4d} {wrong:8d}"]
    for column, limit in ((0, PR_LIMIT_MS), (1, QT_LIMIT_MS)):
        e = table[np.isfinite(table[:, column]), column]
        middle, sd = (np.median(e), e.std()) if len(e) else (np.nan, np.nan)
        off = int((np.abs(e) > limit).sum())
        words.append(f"{len(e) / len(table):8.0%} {middle:7.1f} {sd:6.1f} {off:4d}")
    return "   ".join(words) + f" {int((table[:, 2] > 0).sum()):4d}"


def show(title: str, maker: Maker, rates: tuple[int, ...], count: int) -> None:
    """Print one maker's ECGs by rate, then by conduction."""
    rows = [
        (rate, conduction, *errors(maker(np.random.default_rng([rate, k, c]), rate, conduction)))
        for rate in rates
        for c, conduction in enumerate(CONDUCTIONS)
        for k in range(count)
    ]
    table = np.array([r[2:] for r in rows])
    print(
        f"\n{title}: ours - truth, ms; off: by more than {PR_LIMIT_MS:g} (PR), {QT_LIMIT_MS:g} (QT)"
    )
    print(HEADER)
    for rate in rates:
        print(row(f"{rate}/min", table[[r[0] == rate for r in rows]]))
    for conduction in CONDUCTIONS:
        print(row(conduction, table[[r[1] == conduction for r in rows]]))


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=12, help="ECGs a rate and conduction")
    parser.add_argument("--hearts", type=int, default=6, help="virtual hearts, the same")
    options = parser.parse_args()
    show("drawn", drawn, RATES, options.count)
    slow_enough = tuple(rate for rate in RATES if rate <= FASTEST_HEART)
    show("virtual hearts", of_a_virtual_heart, slow_enough, options.hearts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
