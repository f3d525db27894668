"""Many files at once: find them, read them one after the other, keep what went wrong."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dyssync.ecg import ECG
from dyssync.errors import FormatError, InputError, Vetted
from dyssync.formats.reading.entrance import read_input
from dyssync.formats.reading.known import FORMATS
from dyssync.formats.reading.recording import AS_STATED, MAX_FILE_BYTES, ReadOptions
from dyssync.image import ECGImage
from dyssync.regular import read_regular


@dataclass(frozen=True)
class Outcome:
    """What became of one file: `ecg`, or `problem` in one line."""

    path: Path
    ecg: ECG | ECGImage | None
    problem: str | None


def list_files(where: Path | str | Iterable[Path | str]) -> list[Path]:
    """Return the ECG files of a folder (with its subfolders), a glob, or a list, sorted.

    Hidden files and folders and the companions of a WFDB header (signals, annotations) are left
    out. A subfolder that may not be looked into is among the files, so that reading it says so.

    Raises:
        FormatError: nothing is there.
    """
    if not isinstance(where, (str, Path)):
        return [Path(path) for path in where]
    if os.path.isdir(where):
        found = files_in(Path(where))
    else:
        found = sorted(Path(path) for path in glob.glob(str(where), recursive=True))
        found = [path for path in found if _may_be_file(path)]
    kept = _without_companions([path for path in found if not path.name.startswith(".")])
    if not kept:
        asked: Vetted = str(where)  # by the user
        raise FormatError(f"{asked}: no files; a folder or pattern with ECG files is needed")
    return kept


def walk_files(folder: Path) -> Iterator[Path]:
    """Yield the files that :func:`list_files` lists of a folder, one subfolder in memory at a time.

    They come folder by folder, sorted in each; those of subfolders come after its own.
    """
    closed: list[Path] = []
    walk = os.walk(folder, onerror=lambda error: closed.append(Path(error.filename)))
    for here, folders, names in walk:
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = [Path(here, name) for name in sorted(names) if not name.startswith(".")]
        yield from _without_companions([path for path in paths if _may_be_file(path)])
        yield from closed
        closed.clear()
    yield from closed


def _without_companions(found: list[Path]) -> list[Path]:
    headers = {path.with_suffix(""): path for path in found if path.suffix == ".hea"}
    return [p for p in found if not _is_companion(p, headers.get(p.with_suffix("")))]


def files_in(folder: Path) -> list[Path]:
    """Return the files of a folder and its subfolders, sorted, but hidden ones.

    What a killed process left half-made is hidden. A folder that may not be looked into stands for
    what it holds.
    """
    closed: list[Path] = []
    found: list[Path] = []
    walk = os.walk(folder, onerror=lambda error: closed.append(Path(error.filename)))
    for here, folders, names in walk:
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = [Path(here, name) for name in names if not name.startswith(".")]
        found += [path for path in paths if _may_be_file(path)]
    return sorted(found + closed)


def _may_be_file(path: Path) -> bool:
    """Say whether a path leads to a regular file, as far as may be known."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:  # a link to nowhere
        return False
    except OSError:  # reading it will tell
        return True


def _is_companion(path: Path, header: Path | None) -> bool:
    """Say whether `path` belongs to the WFDB header of the same stem: signals or annotations."""
    if header is None or path == header:
        return False
    own = {suffix for name in FORMATS for suffix in FORMATS[name].suffixes}
    if path.suffix.lower() not in own:
        return True
    try:
        return os.fsencode(path.name) in read_regular(header, MAX_FILE_BYTES)
    except (InputError, OSError):  # reading the header itself will tell
        return False


def read_ecgs(
    where: Path | str | Iterable[Path | str], options: ReadOptions = AS_STATED
) -> Iterator[Outcome]:
    """Yield an outcome a file, reading each only when it is asked for.

    A file that cannot be read does not stop the others: its outcome carries the problem.

    Raises:
        FormatError: nothing is there at all.
    """
    for path in list_files(where):
        try:
            yield Outcome(path, read_input(path, options), None)
        except InputError as error:
            yield Outcome(path, None, str(error))
