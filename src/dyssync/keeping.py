"""What was computed of a recording, kept as long as somebody owns it and no longer.

A study asks ten times for the measurements and pictures of one recording, and the members of a
bundle share one picture. A cache of the whole process would serve both, but would hold patients'
ECGs as long as a server runs. So nothing is kept by itself: who wants it kept opens
:func:`keeping`, and all is dropped where that block ends.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

_Results = OrderedDict[Hashable, object]
# By function; None where nobody keeps. A context variable: threads of a server do not share it.
_kept: ContextVar[dict[object, _Results] | None] = ContextVar("_kept", default=None)


@contextmanager
def keeping() -> Iterator[None]:
    """Keep the results of :func:`kept` functions inside the block; inner blocks share the outer.

    >>> @kept(most=2)
    ... def square(n: int) -> int:
    ...     print("computed")
    ...     return n * n
    >>> with keeping():
    ...     print(square(3), square(3))
    computed
    9 9
    """
    if _kept.get() is not None:
        yield
        return
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def kept(most: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let the last `most` results of a function be kept where somebody does.

    The arguments must be hashable; an ECG or a picture is known by its identity. The results are
    shared, so they must not be changed.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def inner(*args: P.args, **kwargs: P.kwargs) -> R:
            owned = _kept.get()
            if owned is None:
                return function(*args, **kwargs)
            results = owned.setdefault(inner, OrderedDict())
            key = (args, tuple(sorted(kwargs.items())))
            if key in results:
                results.move_to_end(key)
            else:
                results[key] = function(*args, **kwargs)
                if len(results) > most:
                    results.popitem(last=False)
            return cast(R, results[key])

        return inner

    return decorate
