"""One thread a worker: what the numerical libraries read, and how many cores there are."""

from __future__ import annotations

import os

# What the libraries read when they are first imported: OpenMP (LightGBM, torch, Arrow), the BLAS
# of NumPy and SciPy, MKL, OpenCV.
THREAD_SETTINGS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)


def available_cores() -> int:
    """Return how many cores this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):  # Linux; a container may get fewer than there are
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def use_one_thread() -> None:
    """Let this process, and those it starts, compute with one thread, unless the user said else.

    Must be called before NumPy is imported: its libraries read the variables then.
    """
    for name in THREAD_SETTINGS:
        os.environ.setdefault(name, "1")
