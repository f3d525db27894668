"""Reads one upload; runs apart (`python -m dyssync.web.reader`), a fork a file."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from dyssync.cohort.clinical import with_clinical
from dyssync.ecg import ECG
from dyssync.errors import InputError, TooLarge, UnknownFormat
from dyssync.formats import FORMATS, ReadOptions, parse_input
from dyssync.formats.reading.apart import Limits, Made, serve
from dyssync.image import Input
from dyssync.web.archive import HEADER, main_file, neutral_name, unpacked
from dyssync.web.hook_call import call_of
from dyssync.web.hook_facts import check_same_sex, facts_of_call
from dyssync.web.hook_files import files_of_call
from dyssync.web.refusals import Refused, without_content
from dyssync.web.wire import Asked, Read, pack_input, packed, unpack_asked

# A file of 64 MB is read within 3 s; a page of a PDF within 2, with fonts of the system. Memory:
# what a file may take elsewhere, and the upload itself beside what it was unpacked to.
LIMITS = Limits(cpu_s=10, memory_bytes=500_000_000, opens_files=True)
MAX_SECONDS = 300.0  # an ECG has 10; measuring and predicting 300 takes some 2 s
# Imported once, so that no file pays for them; what is not installed is not read.
LIBRARIES = (
    "PIL.Image", "PIL.ImageOps", "PIL.TiffImagePlugin", "PIL.WebPImagePlugin", "pydicom",
    "scipy.io.matlab", "h5py", "pypdfium2", "pandas", "pyarrow.parquet", "defusedxml.ElementTree",
)  # fmt: skip


def convert(data: bytes) -> Made:
    """Return what :mod:`wire` makes of the recording in an upload, or of the refusal."""
    asked, files = unpack_asked(data)
    try:
        options = ReadOptions(fs=asked.fs, unit=asked.unit, page=asked.page)
        if asked.hook:
            (body,) = files.values()
            return pack_input(_called(body, options))
        return pack_input(_read(files, options))
    except InputError as error:
        return packed(Read(_status(error), without_content(str(error))))


def _read(files: Mapping[str, bytes], options: ReadOptions) -> Input:
    held = unpacked(files)
    name = main_file(held)
    beside = {other: text for other, text in held.items() if other != name}
    return _short(parse_input(neutral_name(name), held[name], options, beside))


def _called(body: bytes, options: ReadOptions) -> Input:
    """Return the ECG in a call of CDS Hooks, with what the record knows of the patient."""
    call = call_of(body)
    found = _best_of(files_of_call(call), options)
    when = found.recorded_at if isinstance(found, ECG) else None
    facts = facts_of_call(call, (when or datetime.now(UTC)).date())
    check_same_sex(found, facts)
    return with_clinical(found, facts)


def _best_of(files: Mapping[str, bytes], options: ReadOptions) -> Input:
    """Return the ECG that several files hold: one record, or the same in several formats.

    A signal counts for more than a picture of it.
    """
    if len(files) == 1 or any(name.lower().endswith(HEADER) for name in files):
        return _read(files, options)
    pictures: list[Input] = []
    problems: list[InputError] = []
    for name, data in files.items():
        try:
            found = _read({name: data}, options)
        except InputError as error:
            problems.append(error)
            continue
        if isinstance(found, ECG):
            return found
        pictures.append(found)
    if not pictures:
        raise problems[0]
    return pictures[0]


def _short(read: Input) -> Input:
    """Refuse what is no single ECG, however well it can be read: the server measures in its turn.

    Raises:
        TooLarge: it lasts longer than :data:`MAX_SECONDS`.
    """
    if isinstance(read, ECG) and read.seconds > MAX_SECONDS:
        raise TooLarge(
            f"{read.seconds:.0f} s of signal; at most {MAX_SECONDS:.0f} s are taken here. Cut the "
            "ECG out of the long recording first"
        )
    return read


def _status(error: InputError) -> int:
    if isinstance(error, Refused):
        return error.status
    if isinstance(error, TooLarge):
        return 413
    return 415 if isinstance(error, UnknownFormat) else 422


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module.partition(".")[0]) is not None


def main() -> int:
    """Serve until the input is closed; return the exit code."""
    for name in FORMATS:
        assert FORMATS[name].name == name  # imports it
    # what is built at first use is built here, so that no file pays for it
    without_content("words 'of our own'")
    Asked.from_json(Asked((), (), None, None, 1).to_json(), "asked")
    return serve(convert, [one for one in LIBRARIES if _installed(one)], LIMITS)


if __name__ == "__main__":
    sys.exit(main())
