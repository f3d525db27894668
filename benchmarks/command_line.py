"""Start `dyssync` as a user does, and inputs for it: real recordings under other names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

from dyssync.workers import THREAD_SETTINGS

# a lone `python -P` does not see the folder it is called from
DYSSYNC = (sys.executable, "-P", "-m", "dyssync")
# a user sets no variable about threads
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in THREAD_SETTINGS}


def run(*words: str | Path) -> float:
    """Run one command; return its wall-clock seconds.

    Raises:
        SystemExit: it failed; with what it said.
    """
    start = time.perf_counter()
    done = subprocess.run(
        [*DYSSYNC, *map(str, words)], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"dyssync {' '.join(map(str, words))}\n{done.stderr[-2000:]}")
    return seconds


def copy_records(headers: Sequence[Path], n: int, folder: Path) -> list[str]:
    """Write `n` copies of WFDB records under the names r00001, ...; return these names.

    Args:
        headers: of records whose signals lie in one file of the same stem; used over and over.
        n: how many.
        folder: is made.
    """
    folder.mkdir(parents=True)
    names = [f"r{k:05d}" for k in range(1, n + 1)]
    for name, header in zip(names, islice(cycle(headers), n), strict=True):
        lines = header.read_text(encoding="utf-8").splitlines()
        head = [f"{name} {lines[0].split(maxsplit=1)[1]}"]
        rest = [line.replace(f"{header.stem}.dat ", f"{name}.dat ", 1) for line in lines[1:]]
        text = "\n".join([*head, *rest]) + "\n"
        (folder / f"{name}.hea").write_text(text, encoding="utf-8")
        shutil.copyfile(header.with_suffix(".dat"), folder / f"{name}.dat")
    return names
