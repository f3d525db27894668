"""What processes hold in memory, read from outside (Linux)."""

from __future__ import annotations

from pathlib import Path

MB_PER_KB = 1024 / 1e6  # the kB of /proc are 1024 bytes


def resident_mb(pid: int | str = "self") -> float:
    """Return what a process and all that it started hold in memory (VmRSS), MB; 0 when it ended."""
    folder = Path("/proc", str(pid))
    try:
        status = (folder / "status").read_text()
        children = [
            child for task in folder.glob("task/*/children") for child in task.read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    kilobytes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return sum(map(int, kilobytes)) * MB_PER_KB + sum(map(resident_mb, children))
