"""What the process says at its end; every verb means the same by a number."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the command line."""

    # 1 is Python's own, with a traceback: our fault
    DONE = 0
    INPUT = 2  # the input or the call must be changed
    SOME_FAILED = 3  # of a batch; the others are done
    INTERRUPTED = 130  # as shells say it
