"""`--force`: what may be replaced. Only a folder that dyssync made, with nothing else in it.

Every such folder says in a file of its own which kind it is of and what it held when it was
finished. A mistyped name must not cost somebody's folder, nor a run the notes that lie in it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from dyssync.errors import InputError
from dyssync.whole.files import write_text
from dyssync.whole.owner import LOCK
from dyssync.whole.parts import PART

MARKER = "dyssync.json"
MADE_BY = "dyssync"
# what file managers leave in every folder that is looked at
UNASKED = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", MARKER, LOCK})
SHOWN = 3  # names in a refusal


@dataclass(frozen=True)
class Mark:
    """What a folder says of itself.

    Attributes:
        kind: of folder, such as "study".
        holds: its files when it was finished, relative to it; None while it is being made.
    """

    kind: str
    holds: frozenset[str] | None


def mark(folder: Path, kind: str, *, finished: bool) -> None:
    """Write that dyssync made a folder.

    Args:
        folder: it.
        kind: such as "study".
        finished: list what it holds.

    Raises:
        InputError: it cannot be written.
    """
    holds = sorted(_files(folder)) if finished else None
    said = {"made_by": MADE_BY, "kind": kind, "holds": holds}
    write_text(folder / MARKER, json.dumps(said, indent=1) + "\n")


def mark_of(folder: Path) -> Mark | None:
    """Return what a folder says of itself; None if dyssync did not make it."""
    try:
        said = json.loads((folder / MARKER).read_bytes())
        if said["made_by"] != MADE_BY or not isinstance(said["kind"], str):
            return None
        holds = said["holds"]
        return Mark(said["kind"], None if holds is None else frozenset(map(str, holds)))
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def check_replaceable(
    path: Path, kind: str, *, force: bool, begun: Collection[str] | None = None
) -> None:
    """Refuse a place for a new folder where something is that may not be replaced.

    Args:
        path: where the folder is to be.
        kind: of folder.
        force: replace a folder of this kind.
        begun: what such a folder may hold, at its top, while it is being made; None if one that is
            not finished is never seen there.

    Raises:
        InputError: something is there, and `force` is not set, or it is not only of our making.
    """
    if not os.path.lexists(path):
        return
    if not force:
        advice = ", or use --force" if mark_of(path) is not None else ""
        raise InputError(f"{path}: exists already; a new folder is needed. Name another{advice}")
    if reason := _irreplaceable(path, kind, begun):
        raise InputError(f"{path}: {reason}, so --force does not replace it. Name another folder")


def _irreplaceable(path: Path, kind: str, begun: Collection[str] | None) -> str:
    """Return why a folder may not be replaced; "" if it may."""
    if path.is_symlink():
        return "is a link"
    if not path.is_dir():
        return "is no folder"
    if _is_stood_in(path):
        return "is the folder that this was called from, or holds it"
    made = mark_of(path)
    if made is None:
        return f"holds no {MARKER}, as every folder has that dyssync made"
    if made.kind != kind:
        return f"is of kind {made.kind}, not {kind}"
    if others := strangers(path, made, begun or ()):
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        return f"holds what dyssync did not put there ({', '.join(others[:SHOWN])}{more})"
    return ""


def _is_stood_in(path: Path) -> bool:
    try:
        here = Path.cwd().resolve()
    except FileNotFoundError:  # somebody has removed it
        return False
    return here.is_relative_to(path.resolve())


def strangers(folder: Path, made: Mark, begun: Collection[str]) -> list[str]:
    """Return the files in a folder that dyssync did not put there, sorted.

    Args:
        folder: that dyssync made.
        made: what it says of itself.
        begun: what it may hold, at its top, while it is being made.
    """
    if made.holds is not None:
        return sorted(_files(folder) - made.holds)
    found = {name.partition("/")[0] for name in _files(folder)}
    return sorted(found - set(begun))


def _files(folder: Path) -> set[str]:
    return set(_found(folder, ""))


def _found(folder: Path, before: str) -> Iterator[str]:
    """Yield files and links below a folder, but what is half-made or nobody's, as `a/b`."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name in UNASKED or PART.fullmatch(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _found(Path(entry.path), f"{before}{entry.name}/")
            else:
                yield before + entry.name
