"""What the machine offers."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Return how many cores this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):  # Linux; a container may get fewer than there are
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
