"""Any ECG file in. `ls` is the list of formats; `reading` holds what they share."""

from dyssync.formats.reading.entrance import (
    parse_ecg,
    parse_input,
    read_ecg,
    read_input,
    read_recording,
    writable_formats,
    write_ecg,
)
from dyssync.formats.reading.folder import Outcome, files_in, list_files, read_ecgs
from dyssync.formats.reading.known import FORMATS
from dyssync.formats.reading.recording import Format, ReadOptions, Recording

__all__ = [
    "FORMATS",
    "Format",
    "Outcome",
    "ReadOptions",
    "Recording",
    "files_in",
    "list_files",
    "parse_ecg",
    "parse_input",
    "read_ecg",
    "read_ecgs",
    "read_input",
    "read_recording",
    "writable_formats",
    "write_ecg",
]
