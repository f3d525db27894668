"""Ctrl-C, `kill`, a closed terminal: everything is put in order, one line is told, no traceback."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from dyssync.cli.exits import Exit
from dyssync.cli.terminal import say
from dyssync.endings import SENT_TO_ALL

# verbs that find what an interrupted call has done
RESUMED = ("study", "simulate", "corpus", "pretrain")


class Heard:
    """What this process was told to end by."""

    def __init__(self) -> None:
        self.number: int | None = None

    def hear(self, number: int, frame: FrameType | None) -> None:
        """Take a signal: the main thread ends its work as after Ctrl-C."""
        del frame
        self.number = number
        raise KeyboardInterrupt

    def ended(self, words: Sequence[str]) -> int:
        """Tell in one line that the call was ended, and how to go on; return the exit code.

        Args:
            words: of the call.
        """
        for number in SENT_TO_ALL:  # what is left takes no time
            if signal.getsignal(number) == self.hear:
                signal.signal(number, signal.SIG_IGN)
        # Python remembers an interruption that ended a run of source text (dataclasses are made by
        # such), and would end by SIGINT though it was caught; the next such run makes it forget
        exec("")
        with suppress(OSError):  # the terminal may be gone
            say(how_to_go_on(words), file=sys.stderr, flush=True)
        return Exit.INTERRUPTED if self.number is None else 128 + self.number


def how_to_go_on(words: Sequence[str]) -> str:
    """Word that a call was ended.

    >>> how_to_go_on(["simulate", "--out", "virtual"])
    'interrupted; the same command goes on'
    >>> how_to_go_on(["predict", "RUN/bundle", "ecgs", "--to", "pdf", "--out", "pages"])
    'interrupted'
    >>> how_to_go_on(["predict", "RUN/bundle", "ecgs", "--out=scores"])
    'interrupted; the same command goes on'
    >>> how_to_go_on(["predict", "RUN/bundle", "ecgs", "--to=pdf", "--out", "pages"])
    'interrupted'
    """
    scores = bool(words) and _scores_archive(words)
    if not ((words and words[0] in RESUMED) or scores):
        return "interrupted"
    if words[0] == "study" and "--force" in words:  # it would begin anew again
        return "interrupted; the same command without --force goes on"
    return "interrupted; the same command goes on"


def _scores_archive(words: Sequence[str]) -> bool:
    options = {word.partition("=")[0] for word in words[1:]}
    return words[0] == "predict" and "--to" not in options and bool(options & {"--out", "-o"})


@contextmanager
def listening() -> Iterator[Heard]:
    """Let the signals that end a process raise KeyboardInterrupt in this block.

    What the process was started to ignore (`nohup`) stays ignored. Only the main thread hears.
    """
    heard, before = Heard(), {}
    if threading.current_thread() is threading.main_thread():
        usual = (signal.SIG_DFL, signal.default_int_handler)
        before = {n: held for n in SENT_TO_ALL if (held := signal.getsignal(n)) in usual}
    try:
        for number in before:
            signal.signal(number, heard.hear)
        yield heard
    finally:
        for number, held in before.items():
            signal.signal(number, held)
