"""How processes end that others started: with their parent, and not by what is sent to all.

Ctrl-C, a closed terminal and a system that shuts down reach every process of a command. The one
that the user started decides what becomes of the others.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SENT_TO_ALL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@contextmanager
def deaf_children() -> Iterator[None]:
    """Let processes started in this block not hear of an interruption before they can ignore it.

    This process hears of it at the end of the block: a child that is half started would complain.
    """
    heard: list[int] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {n: held for n in SENT_TO_ALL if callable(held := signal.getsignal(n))}
    for number in handlers:
        signal.signal(number, lambda number, _: heard.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SENT_TO_ALL)  # children inherit it
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for missed in heard:
            signal.raise_signal(missed)


def ignore_what_is_sent_to_all() -> None:
    """Let this worker leave it to its parent what an interruption means."""
    for number in SENT_TO_ALL:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SENT_TO_ALL)


def end_with_parent() -> None:
    """Let this worker end when the process that started it does, as soon as a thread may run.

    A killed run must not leave processes behind that go on writing.
    """
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    from multiprocessing import parent_process  # not before the command listens for Ctrl-C

    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def killed_with_parent() -> None:
    """Let the system kill this process, whatever it is computing, when its parent ends; on Linux.

    More exactly, when the thread ends that started it.
    """
    import ctypes

    with suppress(OSError, AttributeError):  # another system's C library knows no prctl
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
