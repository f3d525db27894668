"""Networks are opened in one way, which keeps nothing of what they are asked."""

import ctypes
import sys

import numpy as np
import pytest

from dyssync.pages.digitising.spotter import spot_names
from dyssync.web.memory import give_back

LEFT_MB = 40.0  # a session that keeps its memory keeps 250 of this page


def resident_mb() -> float:
    """What this process holds in memory."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096 / 1e6


@pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is read from /proc")
def test_a_large_page_leaves_no_memory_behind() -> None:
    if not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("another C library than glibc gives back as it likes")
    small, large = np.zeros((80, 80), np.float32), np.zeros((1600, 2400), np.float32)
    spot_names(small, (5.0, 5.0))
    give_back()
    before = resident_mb()
    spot_names(large, (5.0, 5.0))
    give_back()
    assert resident_mb() - before < LEFT_MB
