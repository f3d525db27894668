"""One small table class for everything that can be extended: formats, models, methods, metrics.

An entry is either the object itself or where to find it (``"package.module:NAME"``). The second
form is imported on first use, so listing the models imports no torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import Generic, TypeVar, cast

from dyssync.errors import check_choice

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to things of one kind; entry points of the group ``dyssync.<kind>s`` are added.

    Args:
        kind: what an entry is, in the singular ("model"); used in messages and entry points.
        entries: the built-in entries, in the order in which they are listed.
    """

    def __init__(self, kind: str, entries: Mapping[str, T | str]) -> None:
        self.kind = kind
        self._entries: dict[str, T | str] = dict(entries)
        self._plugins_seen = False

    def names(self) -> list[str]:
        """Return all names, built-in ones first."""
        self._add_plugins()
        return list(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def __getitem__(self, name: str) -> T:
        """Return the entry called `name`; importing it if need be.

        Raises:
            ConfigError: there is none; the message lists the names.
        """
        check_choice(self.kind, name, self.names())
        entry = self._entries[name]
        if isinstance(entry, str):
            module, _, attribute = entry.partition(":")
            entry = cast(T, getattr(importlib.import_module(module), attribute))
            self._entries[name] = entry
        return entry

    def _add_plugins(self) -> None:
        if self._plugins_seen:
            return
        self._plugins_seen = True
        for point in entry_points(group=f"dyssync.{self.kind}s"):
            self._entries.setdefault(point.name, f"{point.module}:{point.attr}")
