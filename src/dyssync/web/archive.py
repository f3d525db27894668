"""Several files as one upload: a record of header and samples, side by side or as a ZIP archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath

from dyssync.errors import FormatError, TooLarge
from dyssync.formats import FORMATS
from dyssync.formats.reading.damage import ZIP_ERRORS, refusing_damage

MAX_MEMBERS = 20  # of an archive; a record has two or three
MAX_UNPACKED_BYTES = 64_000_000  # as of a single file, see dyssync.formats.reading.recording
HEADER = ".hea"
LOCKED = 0x1  # flag of a member that needs a password
ZIP, ARRAY = b"PK\x03\x04", ".npy"


def plain_name(name: str) -> str:
    r"""Return a client's file name without folders, whichever slashes it has.

    >>> plain_name("../../etc/passwd"), plain_name("C:\\ecgs\\a.hea")
    ('passwd', 'a.hea')
    """
    return PureWindowsPath(PurePosixPath(name).name).name


def unpacked(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return the files themselves where a single ZIP archive of them was sent.

    Raises:
        FormatError: the archive is damaged, locked, or holds too much.
    """
    if len(files) != 1:
        return files
    (data,) = files.values()
    if data[:4] != ZIP:
        return files
    with (
        refusing_damage("ZIP archive", *ZIP_ERRORS),
        zipfile.ZipFile(io.BytesIO(data)) as archive,
    ):
        members = [one for one in archive.infolist() if not _aside(one)]
        if members and all(one.filename.endswith(ARRAY) for one in members):
            return files  # that is a format of its own
        return _read_all(archive, members)


def _aside(member: zipfile.ZipInfo) -> bool:
    """Whether it is a folder, or what a system puts beside the files."""
    hidden = PurePosixPath(member.filename).name.startswith(".")
    return member.is_dir() or hidden or "__MACOSX" in member.filename


def _read_all(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> dict[str, bytes]:
    if len(members) > MAX_MEMBERS:
        raise TooLarge(f"{len(members)} files in the archive; at most {MAX_MEMBERS} are read")
    found: dict[str, bytes] = {}
    left = MAX_UNPACKED_BYTES
    for member in members:
        name = plain_name(member.filename)
        if member.flag_bits & LOCKED:
            raise FormatError("locked ZIP archive; pack it again without password")
        if name in found:
            raise FormatError("two files of one name in the archive; pack one recording")
        with archive.open(member) as stream:
            found[name] = stream.read(left + 1)  # what the archive claims is no limit
        left -= len(found[name])
        if left < 0:
            raise TooLarge(f"unpacks to more than {MAX_UNPACKED_BYTES / 1e6:.0f} MB; too large")
    return found


def main_file(files: Mapping[str, bytes]) -> str:
    """Return the file to open: the only one, or the only header.

    Raises:
        FormatError: none, or several recordings.
    """
    headers = [name for name in files if name.lower().endswith(HEADER)]
    candidates = headers or list(files)
    if len(candidates) != 1:
        raise FormatError(
            f"{len(candidates)} recordings in one upload; exactly 1 is needed: one file, or a "
            "WFDB header (.hea) with its samples"
        )
    return candidates[0]


def neutral_name(name: str) -> str:
    """Return a name for a client's file that says its kind at most.

    >>> neutral_name("Meier, Anna.XML"), neutral_name("a.edf.gz"), neutral_name("note.doc")
    ('upload.xml', 'upload.edf.gz', 'upload')
    """
    known = {suffix for one in FORMATS for suffix in FORMATS[one].suffixes} | {".gz"}
    kept = [part.lower() for part in PurePosixPath(name).suffixes[-2:] if part.lower() in known]
    return "upload" + "".join(kept)
