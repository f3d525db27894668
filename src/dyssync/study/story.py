"""Who is told how a study goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from dyssync.study.plan import Task
from dyssync.workers import OnProgress


class Story(Protocol):
    """Takes what there is to tell; the command line shows bars."""

    def say(self, text: str) -> None:
        """Take a sentence."""

    def progress(self, what: str) -> OnProgress:
        """Return what takes how much of something (rows of a table, virtual patients) is done."""

    def working(self, tasks: list[Task]) -> Callable[[str], OnProgress]:
        """Take the tasks; return what gives, for a task's key, what takes how far it is."""
