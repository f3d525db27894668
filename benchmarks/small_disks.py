"""Disks that are soon full: a tmpfs where this is root, else a limit on every file."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from fault_cases import Place, new_place


def may_mount() -> bool:
    """Say whether a small disk can be made."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


@contextmanager
def small_disk(root: Path, size: int) -> Iterator[tuple[Place, Callable[[], None]]]:
    """Yield a place on a disk of `size` bytes, cache and all, and what gives it room."""
    disk = root / "disk"
    disk.mkdir(parents=True, exist_ok=True)
    mount("-t", "tmpfs", "-o", f"size={max(size, 4096)}", "tmpfs", str(disk))
    try:
        yield new_place(disk), partial(mount, "-o", "remount,size=2g", str(disk))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def mount(*words: str) -> None:
    """Call `mount`."""
    subprocess.run(["mount", *words], check=True)


@contextmanager
def limited(root: Path) -> Iterator[tuple[Place, Callable[[], None]]]:
    """Yield a place whose files are limited by the process that writes them."""
    yield new_place(root), lambda: None


def limit_files(most: int) -> None:
    """Let no file grow beyond so many bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
