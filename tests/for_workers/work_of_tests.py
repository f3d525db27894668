"""What tests hand out to workers, who must find it in a file: pytest names test modules its way."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from dyssync.errors import ConfigError

_begun: list[tuple[Any, ...]] = []


def begin(*given: Any) -> None:
    _begun.append(given)


def begun(item: object) -> tuple[int, list[tuple[Any, ...]]]:
    """Return which process works, and what it was begun with."""
    time.sleep(0.1)
    return os.getpid(), list(_begun)


def slow_first(item: int) -> int:
    time.sleep(0.3 if item == 0 else 0.0)
    return item


def refuse(item: object) -> NoReturn:
    raise ConfigError(f"item {item}: no")


def die(item: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_of_three(item: int) -> int:
    if item == 3:
        die(item)
    return item


def die_once(path: Path) -> str:
    if not path.exists():
        path.touch()
        die(path)
    return path.name


def threads(item: object) -> dict[str, int]:
    """Return with how many threads each library computes."""
    import cv2
    import lightgbm  # noqa: F401 - loads OpenMP
    import scipy.linalg  # noqa: F401 - loads a BLAS
    import torch
    from threadpoolctl import threadpool_info

    libraries = {library["filepath"]: library["num_threads"] for library in threadpool_info()}
    return {"cv2": cv2.getNumThreads(), "torch": torch.get_num_threads(), **libraries}


def place(item: object) -> tuple[str, str | None]:
    return os.getcwd(), os.environ.get("CUDA_VISIBLE_DEVICES")


def report(tell: Callable[[Any], None], item: int) -> int:
    for done in range(3):
        tell((item, done))
    return item


def tell_much(times: int) -> None:
    """Tell by what this worker was begun with."""
    for k in range(times):
        _begun[-1][0](k)


def wait_but_first(item: int) -> None:
    time.sleep(120 if item else 0)


def compute_for_long(folder: Path) -> None:
    """Say in `folder` who begins, and compute for two minutes."""
    (folder / str(os.getpid())).touch()
    end = time.monotonic() + 120
    while time.monotonic() < end:
        sum(range(10**6))
