"""Progress on stderr: bars in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from dyssync.cli.terminal import harmless

if TYPE_CHECKING:
    from dyssync.study.plan import Task
    from dyssync.workers import OnProgress

LINE_EVERY_S = 30.0  # where there is no terminal


class Bars:
    """Tells a study's progress; a context manager, so that the terminal is left in order."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def say(self, text: str) -> None:
        """Print a sentence above the bars."""
        self.console.print(harmless(text), highlight=False, markup=False, soft_wrap=True)

    def progress(self, what: str) -> OnProgress:
        """Show how many of something are done, as a bar of its own."""
        row: TaskID | None = None

        def show(done: int, of: int) -> None:
            nonlocal row
            if row is None:
                row = self.bars.add_task(what, total=of, note="")
            self.bars.update(row, completed=done, total=of, note=f"{done}/{of}")

        return show

    def passes(self, what: str) -> tuple[OnProgress, Callable[[float], None]]:
        """Show the epochs of one training, with its loss and what is left.

        Returns:
            What takes how many are done, of how many; the first call says how many were already.
            And what takes the mean loss of each, before.
        """
        row: TaskID | None = None
        losses: list[float] = []
        began = told = time.monotonic()
        before = 0

        def count(done: int, of: int) -> None:
            nonlocal row, began, told, before
            now = time.monotonic()
            if row is None:
                row, before, began = self.bars.add_task(what, total=of, note=""), done, now
            note = f"{done}/{of} passes"
            if losses:
                note += f", loss {losses[-1]:.3f}"
                note += _left(now - began, done - before, of - done) if done < of else ""
            self.bars.update(row, completed=done, note=note)
            if not self.console.is_terminal and (now - told > LINE_EVERY_S or done == of):
                told = now
                self.say(f"{what}: {note}")

        return count, losses.append

    def working(self, tasks: list[Task]) -> Callable[[str], OnProgress]:
        """Show the work of all tasks as one bar, weighted by their cost."""
        costs = {task.key: task.cost for task in tasks}
        total = sum(costs.values())
        row = self.bars.add_task("study", total=total, note=f"0/{len(tasks)} tasks")
        share: dict[str, float] = {}
        began = told = time.monotonic()
        before: float | None = None  # done in an earlier session, if this one goes on
        lock = threading.Lock()

        def show(key: str, done: int, of: int) -> None:
            nonlocal told, before
            with lock:
                share[key] = max(done / of, share.get(key, 0.0))
                work = sum(costs[k] * f for k, f in share.items())
                finished = sum(f >= 1.0 for f in share.values())
                note = f"{finished}/{len(tasks)} tasks"
                if before is None and 0 < done < of:
                    before = work
                    self.bars.reset(row, total=total - before)
                self.bars.update(row, completed=work - (before or 0.0), note=note)
                now = time.monotonic()
                if not self.console.is_terminal and now - told > LINE_EVERY_S:
                    told = now
                    left = _left(now - began, work - (before or 0.0), total - work)
                    self.say(f"study: {work / total:.0%}, {note}{left}")

        return lambda key: partial(show, key)


def _left(seconds: float, done: float, rest: float) -> str:
    """Return the expected rest in words; nothing while too little is done to tell."""
    return f", about {seconds * rest / done / 60:.0f} min left" if done > 0.01 * rest else ""


def reading_bar(what: str, *, between_rows: bool = False) -> Progress:
    """Return a progress bar for one batch of files, on stderr.

    Args:
        what: is done to the files.
        between_rows: rows are printed meanwhile; in a terminal they show the progress themselves.
    """
    console = Console(stderr=True)
    return Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal or (between_rows and sys.stdout.isatty()),
        transient=True,
    )
