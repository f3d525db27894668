"""Many files at once: find them, read them one after the other, keep what went wrong."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dyssync.ecg import ECG
from dyssync.errors import FormatError, InputError
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

    Hidden files and the companions of a WFDB header (signals, annotations) are left out.

    Raises:
        FormatError: nothing is there.
    """
    if not isinstance(where, (str, Path)):
        return [Path(path) for path in where]
    if Path(where).is_dir():
        found = sorted(path for path in Path(where).rglob("*") if path.is_file())
    else:
        found = sorted(Path(path) for path in glob.glob(str(where), recursive=True))
        found = [path for path in found if path.is_file()]
    headers = {path.with_suffix(""): path for path in found if path.suffix == ".hea"}
    kept = [
        path
        for path in found
        if not path.name.startswith(".")
        and not _is_companion(path, headers.get(path.with_suffix("")))
    ]
    if not kept:
        raise FormatError(f"{where}: no files; a folder or pattern with ECG files is needed")
    return kept


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
