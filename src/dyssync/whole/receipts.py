"""Receipts: the sha256 of what was made; by it a later process knows it again, or makes it anew."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from dyssync.whole.files import write_text

RECEIPT = "receipt.json"


def write_receipt(
    root: Path, of: str = "", *, files: Sequence[Path] | None = None, at: Path | None = None
) -> None:
    """Write what a folder, or some files of it, hold.

    Args:
        root: the folder.
        of: what it was made from, such as a digest of settings; compared, not read.
        files: below `root`; None for all that there are.
        at: the receipt; None for `receipt.json` in `root`.

    Raises:
        InputError: it cannot be written.
    """
    at = root / RECEIPT if at is None else at
    if files is None:
        files = sorted(path for path in root.rglob("*") if path.is_file() and path != at)
    digests = {file.relative_to(root).as_posix(): _digest(file) for file in files}
    write_text(at, json.dumps({"of": of, "files": digests}, indent=1) + "\n")


def is_whole(root: Path, of: str | None = "", *, at: Path | None = None) -> bool:
    """Say whether all files of a receipt are there as they were; without one, nothing is.

    Args:
        root: the folder.
        of: what it was to be made from; None for whatever it was.
        at: the receipt; None for `receipt.json` in `root`.
    """
    try:
        said = json.loads((root / RECEIPT if at is None else at).read_bytes())
        if of is not None and said["of"] != of:
            return False
        return all(_digest(root / name) == digest for name, digest in said["files"].items())
    # no receipt, a cut one, one of another kind, a file that it names is gone
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
