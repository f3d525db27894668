"""Memory of a server that runs for months: shared by its threads, given back after large requests.

By glibc's own means; elsewhere nothing happens.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import lru_cache

M_ARENA_MAX, ARENAS = -8, 2  # of mallopt(3); a core each


def share_memory() -> None:
    """Let all threads take their memory from the same few places.

    Else each of the threads that requests come in keeps what the largest picture took in it.
    """
    if mallopt := _function("mallopt"):
        mallopt(M_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Give the system what is free, also where something that stays lies behind it.

    A picture takes hundreds of megabytes in large pieces, and leaves holes between the small ones.
    Takes some milliseconds, so it is no matter beside a picture, but beside a signal.
    """
    if trim := _function("malloc_trim"):
        trim(0)


@lru_cache
def _function(name: str) -> Callable[..., object] | None:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
