"""Which recordings an epoch draws, and in which order, where a corpus has several sources."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dyssync.arrays import Floats, Ints


def epoch_order(source: Ints, shares: Sequence[float], rng: np.random.Generator) -> Ints:
    """Return len(source) row numbers, shuffled, of each source as many as its share asks for.

    A source gives none of its recordings twice before it has given all of them once.

    Args:
        source: (n,) number of the source of each row; each source of a share above 0 has rows.
        shares: one a source; empty draws every row once.
        rng: draws everything.
    """
    n = len(source)
    if not shares:
        return rng.permutation(n)
    drawn = []
    for k, count in enumerate(counts_of(n, shares)):
        rows = np.flatnonzero(source == k)
        whole, rest = divmod(count, len(rows)) if count else (0, 0)
        drawn += [rows] * whole + [rng.permutation(rows)[:rest]]
    return rng.permutation(np.concatenate(drawn))


def counts_of(n: int, shares: Sequence[float]) -> list[int]:
    """Return n in whole parts as near to the shares as can be (largest remainders).

    >>> counts_of(10, (0.66, 0.34))
    [7, 3]
    """
    parts: Floats = np.asarray(shares, dtype=np.float64)
    exact = n * parts / parts.sum()
    counts = np.floor(exact).astype(np.int64)
    largest = np.argsort(-(exact - counts), kind="stable")[: n - int(counts.sum())]
    counts[largest] += 1
    return [int(count) for count in counts]
