"""What every reader gets and returns: an opened file, the options, a calibrated recording."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, TypeAlias

from dyssync.arrays import AnyFloats
from dyssync.ecg import ECG, FS_RANGE, LEADS, Doubt, RepresentativeBeat, Sex, Source, assemble_leads
from dyssync.errors import FormatError, TooLarge, Vetted, Words, check_choice, check_range
from dyssync.formats.reading.gate import passed
from dyssync.formats.reading.parsing import told
from dyssync.regular import IrregularError, read_regular
from dyssync.signals.plausibility.together import EXPORT

if TYPE_CHECKING:
    from dyssync.image import ECGImage


# A 12-lead ECG of 10 s is 0.1-0.5 MB, a scan or a DICOM file a few MB. Larger files are Holters,
# volumes or bombs; the limits keep one reading under 500 MB of memory.
MAX_FILE_BYTES = 64_000_000
MAX_SAMPLES = 16_000_000  # all leads together; 44 minutes of 12 leads at 500 Hz

MILLIVOLT: Mapping[str, float] = {"mv": 1.0, "uv": 1e-3, "v": 1e3, "nv": 1e-6}
UNITS = ("mV", "uV", "V", "nV")
_UNITS_BY_WORD: Mapping[str, str] = {
    **{unit.lower(): unit for unit in UNITS},
    **{
        f"{word}volt{plural}": unit
        for word, unit in (("milli", "mV"), ("micro", "uV"), ("", "V"), ("nano", "nV"))
        for plural in ("", "s")
    },
}
HEAD_BYTES = 4096  # as much of a file as a sniffer sees


@dataclass(frozen=True)
class ReadOptions:
    """What the user knows about a file and the file may not say.

    Attributes:
        format: name of the format; None sniffs the content.
        fs: Hz. Needed where the file states no rate; an error where it states another one.
        unit: "mV", "uV", "V" or "nV" of samples whose file states no unit.
        leads: names of the columns, for tables without a header row.
        keep_identifiers: keep the patient's id; without it no reader returns it.
        page: page of a PDF or of a multi-page TIFF, from 1.
    """

    format: str | None = None
    fs: float | None = None
    unit: str | None = None
    leads: tuple[str, ...] | None = None
    keep_identifiers: bool = False
    page: int = 1

    def __post_init__(self) -> None:
        if self.fs is not None:
            check_range("fs", self.fs, *FS_RANGE, unit="Hz")
        if self.unit is not None:
            check_choice("unit", self.unit, UNITS)
        check_range("page", self.page, 1, 10_000)


AS_STATED = ReadOptions()  # the file says all that is needed


@dataclass(frozen=True)
class Person:
    """Who was recorded, when, and as whom; all optional."""

    patient_id: str | None = None
    age: float | None = None
    sex: Sex | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, eq=False)
class Recording:
    """Calibrated channels of any number and naming, as a reader finds them.

    Attributes:
        channels: name to (n,) float, mV.
        fs: Hz.
        person: id, age, sex, time.
        notes: what the file says beside the samples; text only, no identifiers.
        beat: the recorder's representative beat; see :mod:`dyssync.formats.reading.beat`.
        steps: mV of one stored step, signed, by channel; empty where the file states none.
        unit: in which the file states its samples; None where the option was needed.
        doubts: what the reader holds against the file; the gate adds its own.
    """

    channels: Mapping[str, AnyFloats]
    fs: float
    person: Person = field(default_factory=Person)
    notes: Mapping[str, str] = field(default_factory=dict)
    beat: RepresentativeBeat | None = None
    steps: Mapping[str, float] = field(default_factory=dict)
    unit: str | None = None
    doubts: tuple[Doubt, ...] = ()

    def ecg(self, source: Source, options: ReadOptions) -> ECG:
        """Return the 12-lead ECG; limb leads are derived where need be, and that is noted.

        Raises:
            FormatError: the file contradicts an option, leads are missing, the signal breaks an
                invariant of :class:`ECG`, or :mod:`.gate` refuses it.
        """
        _check_options(self, options)
        signal, derived = assemble_leads(self.channels)
        stored = tuple(lead for lead in LEADS if lead not in derived)
        signal, doubts = passed(signal, self.fs, stored, self.steps, self.beat)
        notes = dict(self.notes)
        if derived:
            notes["derived leads"] = ", ".join(derived)
        return ECG(
            signal=signal,
            fs=self.fs,
            patient_id=self.person.patient_id if options.keep_identifiers else None,
            recorded_at=self.person.recorded_at,
            age=self.person.age,
            sex=self.person.sex,
            source=source,
            notes=notes,
            beat=self.beat,
            doubts=(*self.doubts, *doubts),
        )


def _check_options(recording: Recording, options: ReadOptions) -> None:
    """Refuse options that the file contradicts.

    Raises:
        FormatError: with all of them.
    """
    said = []
    if options.fs is not None and abs(options.fs - recording.fs) > 1e-6 * recording.fs:
        said.append(f"the file says {recording.fs:g} Hz, the option fs says {options.fs:g} Hz")
    unit = recording.unit
    if options.unit is not None and unit is not None and not same_unit(options.unit, unit):
        said.append(
            f"the file says {plain_unit(unit)}, the option unit says {plain_unit(options.unit)}"
        )
    if said:
        raise FormatError(f"{'; '.join(said)}; drop the option or correct the file")


class InputFile:
    """The bytes of one file, and the only door to the files beside it.

    Args:
        name: file name without folders.
        data: its bytes, already within :data:`MAX_FILE_BYTES`.
        fetch: returns the bytes of a file of the same folder, or None if there is none.
    """

    def __init__(
        self, name: str, data: bytes, fetch: Callable[[str], bytes | None] = lambda other: None
    ) -> None:
        self.name = name
        self.data = data
        self._fetch = fetch
        self._digest = hashlib.sha256(data)

    @property
    def suffix(self) -> str:
        """Lower-case suffix, with its dot."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def sha256(self) -> str:
        """Digest of all bytes read so far: this file, then its neighbours in order of reading."""
        return self._digest.hexdigest()

    def neighbour(self, name: str) -> bytes | None:
        """Return the bytes of the file `name` of the same folder, None where it is missing.

        Raises:
            FormatError: `name` leads out of the folder.
        """
        if name in {"", ".", ".."} or {PurePosixPath(name).name, PureWindowsPath(name).name} != {
            name
        }:
            raise FormatError(
                "refers to a file elsewhere; only a file of the same folder is opened"
            )
        data = self._fetch(name)
        if data is not None:
            self._digest.update(data)
        return data


Write: TypeAlias = Callable[[ECG, Path, str], Path]
Read: TypeAlias = "Callable[[InputFile, ReadOptions], Recording | ECGImage]"


@dataclass(frozen=True)
class Format:
    """One file format.

    Attributes:
        name: the word for `--format` and for messages.
        description: one line for `dyssync list formats`.
        suffixes: usual suffixes, lower case with dot; a hint for the order of sniffing only.
        sniff: says from the first bytes and the name whether a file is of this format.
        read: returns the recording or picture, or raises FormatError.
        write: writes an ECG into a folder under a name and returns the path; None: not written.
    """

    name: str
    description: str
    suffixes: tuple[str, ...]
    sniff: Callable[[bytes, Path], bool]
    read: Read
    write: Write | None = None


def open_file(path: Path) -> InputFile:
    """Read a file into memory; gzip is unpacked.

    Raises:
        FormatError: missing, a folder, unreadable, empty or too large; names the file.
    """
    name: Vetted = path.name or str(path)  # both as the user gave them
    folder: Vetted = str(path.parent)
    data = _bytes_of(path, name)
    if data is None:
        raise FormatError(f"{name}: no such file in {folder}. Check the path")
    # by what name the file asks for another is the file's business, and not repeated
    return unpacked(
        name, data, lambda other: _bytes_of(path.parent / other, "a file that it names")
    )


def unpacked(
    name: Vetted, data: bytes, fetch: Callable[[str], bytes | None] = lambda other: None
) -> InputFile:
    """Return `data` as an input file, gunzipped where it is gzip.

    Raises:
        FormatError: empty, or too large before or after unpacking.
    """
    if not data:
        raise FormatError(f"{name}: the file is empty (0 bytes); an ECG file is needed")
    if len(data) > MAX_FILE_BYTES:
        raise TooLarge(_too_large(name, len(data)))
    if data[:2] == b"\x1f\x8b":
        return InputFile(name.removesuffix(".gz"), _gunzip(name, data), fetch)
    return InputFile(name, data, fetch)


def _gunzip(name: Vetted, data: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain = inflater.decompress(data, MAX_FILE_BYTES + 1)
    except zlib.error as error:
        raise FormatError(f"{name}: broken gzip data; copy the file again") from error
    if len(plain) > MAX_FILE_BYTES:
        raise TooLarge(_too_large(name, None))
    if not inflater.eof:
        raise FormatError(f"{name}: the gzip data end too early; copy the file again")
    if not plain:
        raise FormatError(f"{name}: the gzip file holds 0 bytes; an ECG file is needed")
    return plain


def _too_large(name: Vetted, size: int | None) -> Words:
    found = f"{size / 1e6:.0f} MB" if size else f"more than {MAX_FILE_BYTES / 1e6:.0f} MB unpacked"
    return (
        f"{name}: {found}; at most {MAX_FILE_BYTES / 1e6:.0f} MB are read. Cut the ECG out of the "
        "long recording first"
    )


def _bytes_of(path: Path, called: Vetted) -> bytes | None:
    try:
        return read_regular(path, MAX_FILE_BYTES)
    except FileNotFoundError:
        return None
    except IrregularError as found:
        raise FormatError(f"{called}: {found}. {_advice(path)}") from found
    except OSError as error:
        reason: Vetted = os.strerror(error.errno or 0)
        raise FormatError(f"{called}: cannot be opened ({reason})") from error


def _advice(path: Path) -> Words:
    if path.is_dir():
        return "Name a file inside it"
    return "Name an ECG file; of a long recording, cut the ECG out first"


def factor_to_millivolt(unit: str, subject: Words) -> float:
    """Return mV per `unit`.

    Raises:
        FormatError: the unit is no voltage that is known; `subject` says where it stands.

    >>> factor_to_millivolt("uV", "lead I"), factor_to_millivolt("mV", "lead I")
    (0.001, 1.0)
    """
    known = plain_unit(unit)
    if known is None:
        raise FormatError(f"{subject}: unknown unit ({told(unit)}); mV, uV, V or nV is needed")
    return MILLIVOLT[known.lower()]


def plain_unit(unit: str) -> Vetted | None:
    """Return "mV", "uV", "V" or "nV" as it is written in any usual way, else None.

    >>> plain_unit("MICROVOLTS"), plain_unit("\u00b5V"), plain_unit("mmHg")
    ('uV', 'uV', None)
    """
    # Both micro signs (U+00B5, U+03BC) are in use.
    key = unit.strip().lower().replace("\u00b5", "u").replace("\u03bc", "u")
    return _UNITS_BY_WORD.get(key)


def same_unit(one: str, other: str) -> bool:
    """Say whether two texts mean the same unit."""
    return plain_unit(one) == plain_unit(other)


def check_sample_count(n_leads: int, n_samples: int) -> None:
    """Refuse claimed sizes that are absurd, before anything is allocated for them.

    Raises:
        FormatError: none, or more than :data:`MAX_SAMPLES`.
    """
    if n_leads <= 0 or n_samples <= 0:
        raise FormatError(f"claims {n_leads} leads of {n_samples} samples; an ECG is needed")
    if n_leads * n_samples > MAX_SAMPLES:
        raise TooLarge(
            f"claims {n_leads} leads of {n_samples} samples; at most {MAX_SAMPLES // 12} samples "
            "of 12 leads are read. Cut the ECG out of the long recording first"
        )


def check_simultaneous(starts: Collection[object]) -> None:
    """Refuse leads that were recorded one after the other: side by side they are no ECG.

    Args:
        starts: when each lead starts, in whatever the file uses.

    Raises:
        FormatError: the starts differ.
    """
    if len(set(starts)) > 1:
        raise FormatError(
            "leads were recorded one after the other (their starts differ); simultaneous leads are "
            f"needed. {EXPORT}"
        )
