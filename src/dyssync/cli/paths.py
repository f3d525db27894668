"""What the verbs on files share: which files are meant, where results go."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeAlias
from zlib import crc32

import typer

from dyssync.errors import ConfigError
from dyssync.whole import legible, make_folder, sweep, unwritable

Files: TypeAlias = Annotated[
    list[str], typer.Argument(help="ECG files, folders (with subfolders) or patterns.")
]
Fs: TypeAlias = Annotated[
    float | None, typer.Option("--fs", help="Sampling rate, Hz, where a file does not say.")
]
Unit: TypeAlias = Annotated[
    str | None, typer.Option("--unit", help="Unit (mV, uV, V, nV), where a file does not say.")
]
Force: TypeAlias = Annotated[bool, typer.Option("--force", help="Replace existing files.")]

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")  # WFDB allows no others; no file system minds these
LONGEST = 200  # characters of a stem; file systems take 255 bytes with what comes behind it
SHOWN = 5  # names in a refusal; the count says how many there are


def cache_folder() -> Path:
    """Return the folder for what is computed once and found again."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "dyssync"


def gather(files: Sequence[str]) -> list[Path]:
    """Return the files that are meant, each once, in the order given.

    A file that is named and missing stays in, so that it is reported; the signal and annotation
    files of a WFDB header that is named too (a shell's `*`) are left out.

    Raises:
        FormatError: a folder or pattern holds nothing.
    """
    from dyssync.formats import list_files

    named: list[Path] = []
    found: list[Path] = []
    for text in files:
        path = Path(text)
        # of a name that is too long for any file, these say no, and reading it says why
        named_by = any(mark in text for mark in "*?[") and not os.path.exists(path)
        if os.path.isdir(path) or named_by:
            found += list_files(text)
        else:
            named.append(path)
            found.append(path)
    dropped = _companions(named)
    return [path for path in dict.fromkeys(found) if path not in dropped]


def _companions(paths: Sequence[Path]) -> set[Path]:
    headers = {path.with_suffix("") for path in paths if path.suffix == ".hea"}
    beside = {p for p in paths if p.suffix != ".hea" and p.with_suffix("") in headers}
    if not beside:
        return set()
    from dyssync.formats import FORMATS

    readable = {suffix for name in FORMATS for suffix in FORMATS[name].suffixes} - {".mat"}
    return {path for path in beside if path.suffix.lower() not in readable}


def names_of(paths: Sequence[Path]) -> list[str]:
    """Return the paths as seen from their common folder: short, legible, and no two alike.

    >>> names_of([Path("data/a/1.hea"), Path("data/b/1.hea")])
    ['a/1.hea', 'b/1.hea']
    """
    absolute = [Path(os.path.abspath(path)) for path in paths]
    folders = {str(path.parent) for path in absolute}
    if len({os.path.splitdrive(folder)[0] for folder in folders}) > 1:  # drives of Windows
        return [legible(path.as_posix()) for path in absolute]
    common = os.path.commonpath(folders)
    return [legible(path.relative_to(common).as_posix()) for path in absolute]


def some(names: Sequence[str]) -> str:
    """Word a list of names shortly."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def check_file(out: Path, suffixes: Sequence[str], *, force: bool, inputs: Sequence[Path]) -> Path:
    """Return `out` if a result can be written there.

    Raises:
        ConfigError: another suffix, there already, one of the inputs, or no such folder.
    """
    if out.suffix.lower() not in suffixes:
        raise ConfigError(f"{out}: suffix {out.suffix!r}; {' or '.join(suffixes)} is needed")
    if not os.path.isdir(out.parent):
        raise ConfigError(f"{out}: there is no folder {out.parent}; make it, or name another")
    check_free([out], force=force, inputs=inputs)
    sweep(out.parent)
    return out


@contextmanager
def folder_for_results(out: Path) -> Iterator[None]:
    """Make the folder where it is missing; leave nothing half-made in it, nor what others left.

    Raises:
        InputError: it cannot be made or written to.
    """
    make_folder(out)
    sweep(out)
    try:
        yield
    finally:
        sweep(out)  # of workers that an interruption ended


def check_free(targets: Sequence[Path], *, force: bool, inputs: Sequence[Path]) -> None:
    """Refuse to write over files, before the work starts.

    Raises:
        ConfigError: targets are there already, or are inputs (those are not replaced at all).
    """
    read = {os.path.realpath(path) for path in inputs}
    own = [str(path) for path in targets if os.path.realpath(path) in read]
    if own:
        raise ConfigError(f"{some(own)}: would replace what is read; name another place")
    for path in targets:
        try:
            path.lstat()
        except FileNotFoundError:
            continue
        except OSError as error:  # a name that is too long, a folder that may not be looked into
            raise ConfigError(unwritable(path, error)) from error
    there = [str(path) for path in targets if os.path.lexists(path)]
    if there and not force:
        raise ConfigError(f"{some(there)}: exists already. Name another place, or use --force")


def target_paths(names: Sequence[str], out: Path, suffix: str) -> list[Path]:
    """Return where the result of each input goes: its stem in `out`, in safe letters.

    Where two would become one file, all carry their folders as well, or their suffixes.

    >>> [path.name for path in target_paths(["a/1.xml", "b/1.xml"], Path("out"), ".hea")]
    ['a-1.hea', 'b-1.hea']

    Args:
        names: as :func:`names_of` gives them.
        out: the folder.
        suffix: of the results.

    Raises:
        ConfigError: two inputs would become one file even so.
    """
    plain = [name.removesuffix(".gz") for name in names]
    whole_stems = [str(Path(name).with_suffix("")) for name in plain]
    for made in ([Path(name).name for name in whole_stems], whole_stems, plain):
        stems = [_cut(_UNSAFE.sub("-", stem).strip("-") or "ecg") for stem in made]
        inputs: dict[str, list[str]] = {}
        for stem, name in zip(stems, names, strict=True):
            inputs.setdefault(stem.lower(), []).append(name)  # some file systems ignore case
        double = [" and ".join(several) for several in inputs.values() if len(several) > 1]
        if not double:
            return [out / f"{stem}{suffix}" for stem in stems]
    raise ConfigError(f"{some(double)} would become one file; rename them")


def _cut(stem: str) -> str:
    return stem if len(stem) <= LONGEST else f"{stem[:LONGEST]}-{crc32(stem.encode()):08x}"
