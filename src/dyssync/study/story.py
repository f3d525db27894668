"""Who is told how a study goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from dyssync.study.tasks import Task


class Story(Protocol):
    """Takes what there is to tell; the command line shows bars."""

    def say(self, text: str) -> None:
        """Take a sentence."""

    def reading(self, what: str, done: int, total: int) -> None:
        """Take how many rows of the cohort or corpus are read."""

    def working(self, tasks: list[Task]) -> Callable[[str, float], None]:
        """Take the tasks; return what is called with a task's key and its finished fraction."""
