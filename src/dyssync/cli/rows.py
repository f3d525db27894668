"""Results of a batch, written row by row as they come: nothing is held until the end."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Generic, Self, TextIO, TypeVar

from dyssync.cli.batch import Failure, Job
from dyssync.cli.terminal import say

T = TypeVar("T")


class Table(AbstractContextManager["Table[T]"], Generic[T]):
    """Takes rows one after the other; none of them stays in memory."""

    @abstractmethod
    def add(self, name: str, found: T) -> None:
        """Write the row of one file."""

    def fail(self, failed: Failure) -> None:
        """Write that a file gave nothing, where the table says so."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the table."""


class JSONTable(Table[T]):
    """A list of objects in the order of the files; what failed is among them.

    Args:
        file: where it is written.
        facts: makes JSON-able values of what was found.
    """

    def __init__(self, file: TextIO, facts: Callable[[T], Mapping[str, object]]) -> None:
        self.file = file
        self.facts = facts
        self.before = "[\n"

    def add(self, name: str, found: T) -> None:
        """Write an object."""
        self._write({"file": name, **self.facts(found)})

    def fail(self, failed: Failure) -> None:
        """Write an object with the reason."""
        self._write({"file": failed.name, "error": failed.problem})

    def _write(self, row: Mapping[str, object]) -> None:
        say(self.before + json.dumps(row), end="", file=self.file, flush=True)
        self.before = ",\n"

    def __exit__(self, *_: object) -> None:
        self.file.write("[]\n" if self.before == "[\n" else "\n]\n")


def write_rows(
    table: Table[T], jobs: Sequence[Job], found: Iterable[T | Failure]
) -> tuple[int, list[Failure]]:
    """Give the table what each job gave, as it comes; return how many are done and what failed."""
    done, failed = 0, list[Failure]()
    for job, one in zip(jobs, found, strict=True):
        if isinstance(one, Failure):
            failed.append(one)
            table.fail(one)
        else:
            done += 1
            table.add(job.name, one)
    return done, failed
