"""Progress on stderr: bars in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
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

if TYPE_CHECKING:
    from dyssync.study.tasks import Task

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
        self.rows: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def say(self, text: str) -> None:
        """Print a sentence above the bars."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def reading(self, what: str, done: int, total: int) -> None:
        """Show how many recordings are read."""
        if what not in self.rows:
            self.rows[what] = self.bars.add_task(f"reading {what}", total=total, note="")
        self.bars.update(self.rows[what], completed=done, note=f"{done}/{total}")

    def working(self, tasks: list[Task]) -> Callable[[str, float], None]:
        """Show the work of all tasks as one bar, weighted by their cost."""
        costs = {task.key: task.cost for task in tasks}
        total = sum(costs.values())
        row = self.bars.add_task("study", total=total, note=f"0/{len(tasks)} tasks")
        done: dict[str, float] = {}
        began = told = time.monotonic()
        before: float | None = None  # done in an earlier session, if this one goes on
        lock = threading.Lock()

        def on_progress(key: str, fraction: float) -> None:
            nonlocal told, before
            with lock:
                done[key] = max(fraction, done.get(key, 0.0))
                work = sum(costs[k] * f for k, f in done.items())
                finished = sum(f >= 1.0 for f in done.values())
                note = f"{finished}/{len(tasks)} tasks"
                if before is None and 0.0 < fraction < 1.0:
                    before = work
                    self.bars.reset(row, total=total - before)
                self.bars.update(row, completed=work - (before or 0.0), note=note)
                now = time.monotonic()
                if not self.console.is_terminal and now - told > LINE_EVERY_S:
                    told = now
                    left = _left(now - began, work - (before or 0.0), total - work)
                    self.say(f"study: {work / total:.0%}, {note}{left}")

        return on_progress


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
