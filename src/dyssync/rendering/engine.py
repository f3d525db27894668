"""Which loops draw: NumPy's for the first pictures of a process, then the compiled ones."""

from __future__ import annotations

from itertools import count
from types import ModuleType

FEW = 200  # calls; by then compiled loops, which take half the time, would have been worth loading
_calls = count()


def engine() -> ModuleType:
    """Return :mod:`~dyssync.rendering.few` or :mod:`~dyssync.rendering.loops`: the same bits."""
    if next(_calls) < FEW:
        from dyssync.rendering import few

        return few
    from dyssync.rendering import loops

    return loops
