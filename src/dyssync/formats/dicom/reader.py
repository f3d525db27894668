"""DICOM waveforms: 12-lead, general and ambulatory ECG.

References:
    DICOM PS3.3 A.34 (waveform IODs), C.10.9 (waveform module), C.10.10 (annotations).
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dyssync.arrays import Floats
from dyssync.errors import FormatError, Vetted
from dyssync.formats.dicom.annotations import annotation_notes
from dyssync.formats.dicom.elements import without_marks
from dyssync.formats.dicom.groups import Group, group_samples, is_beat
from dyssync.formats.reading.beat import read_beat
from dyssync.formats.reading.damage import refusing_damage
from dyssync.formats.reading.demographics import age_between, parse_age, parse_datetime
from dyssync.formats.reading.recording import (
    InputFile,
    Person,
    ReadOptions,
    Recording,
    check_simultaneous,
)
from dyssync.formats.reading.sexes import parse_sex
from dyssync.signals.plausibility.together import EXPORT

if TYPE_CHECKING:
    from pydicom import Dataset

_TAGS = [
    "SOPClassUID",
    "SpecificCharacterSet",
    "PatientID",
    "PatientAge",
    "PatientSex",
    "PatientBirthDate",
    "AcquisitionDateTime",
    "StudyDate",
    "StudyTime",
    "WaveformSequence",
    "WaveformAnnotationSequence",
]
_DEFLATED = "1.2.840.10008.1.2.1.99"


def parse(data: bytes) -> Recording:
    """Read the original multiplex groups of a waveform object.

    Raises:
        FormatError: no waveform, samples missing, an unknown lead, unit or sample type.
    """
    from pydicom.errors import BytesLengthException

    with warnings.catch_warnings(), refusing_damage("DICOM data", BytesLengthException):
        warnings.simplefilter("ignore")  # pydicom warns of odd values that are not used here
        return _recording(_read_dataset(data))


def _read_dataset(data: bytes) -> Dataset:
    import pydicom
    from pydicom.errors import InvalidDicomError

    if _transfer_syntax(data) == _DEFLATED:
        raise FormatError("deflated transfer syntax; store it explicit little endian (dcmconv)")
    try:
        return pydicom.dcmread(
            io.BytesIO(without_marks(data)), force=data[128:132] != b"DICM", specific_tags=_TAGS
        )
    except InvalidDicomError as error:
        raise FormatError("is no DICOM file") from error


def _transfer_syntax(data: bytes) -> str | None:
    """Return the transfer syntax without letting pydicom inflate anything first."""
    at = data.find(b"\x02\x00\x10\x00UI", 0, 4096)
    if at < 0:
        return None
    length = int.from_bytes(data[at + 6 : at + 8], "little")
    return data[at + 8 : at + 8 + length].decode("latin-1").strip("\0 ")


def _recording(dataset: Dataset) -> Recording:
    items = list(dataset.get("WaveformSequence") or [])
    if not items:
        kind = _kind(dataset.get("SOPClassUID"))
        raise FormatError(
            f"holds no waveform ({kind}); a DICOM ECG is needed, not a picture of one"
        )
    group_samples(items[-1])  # pydicom does not see that the file ends within the last group
    groups = [Group(item, place) for place, item in enumerate(items, start=1)]
    beats = [group for group in groups if is_beat(group)]
    rhythms = [group for group in groups if group not in beats]
    original = [group for group in rhythms if not group.is_derived]
    chosen = _chosen(original or rhythms or groups)
    leads = {name: lead for group in chosen for name, lead in group.leads.items()}
    notes = annotation_notes(dataset)
    left = [group for group in original if group not in chosen]
    if left:
        notes["other groups"] = ", ".join(f"{g.place} ({g.seconds:.1f} s)" for g in left)
    beat = read_beat(lambda: _beat(beats[0]) if beats else None, notes)
    return Recording(
        {name: lead.samples for name, lead in leads.items()},
        chosen[0].fs,
        _person(dataset),
        notes,
        beat,
        {name: lead.step for name, lead in leads.items()},
        next((lead.unit for lead in leads.values()), None),
    )


def _kind(sop_class: Any) -> Vetted:
    """Return what an object says it is, in a word of the standard's dictionary where it has one."""
    name = str(getattr(sop_class, "name", ""))
    if not name:
        return "no SOP class"
    return name if name != str(sop_class) else "unknown SOP class"


def _beat(group: Group) -> tuple[dict[str, Floats], float]:
    return {name: lead.samples for name, lead in group.leads.items()}, group.fs


def _chosen(groups: Sequence[Group]) -> list[Group]:
    """Return the group that is the ECG, or those that hold its leads between them.

    Raises:
        FormatError: two are equally long, there is no lead, or the leads were not recorded
            together.
    """
    complete = [group for group in groups if group.is_complete]
    if complete:
        longest = max(group.seconds for group in complete)
        equal = [group for group in complete if group.seconds > longest - 1 / group.fs]
        if any(not _same(equal[0], group) for group in equal[1:]):
            places = " and ".join(f"{group.place:d}" for group in equal)
            raise FormatError(
                f"groups {places} are different ECGs of {longest:.1f} s; which is meant is not "
                "said. Export one of them"
            )
        return equal[:1]
    found: list[Group] = []
    for group in groups:
        if any(group.names & other.names for other in found):
            break  # a further recording: the first is the ECG
        found += [group] if group.names else []
    if not found:
        raise FormatError("no group holds a standard lead; a 12-lead ECG is needed")
    rates = len({group.fs for group in found})
    if rates > 1:
        raise FormatError(f"leads have {rates} different sampling rates; one is needed")
    starts = {group.start_ms for group in found}
    check_simultaneous(starts)
    if len(found) > 1 and None in starts:
        raise FormatError(
            f"leads in {len(found)} groups without time offsets: it is not said that they were "
            f"recorded together. {EXPORT}"
        )
    return found


def _same(one: Group, other: Group) -> bool:
    return one.leads.keys() == other.leads.keys() and all(
        np.array_equal(lead.samples, other.leads[name].samples, equal_nan=True)
        for name, lead in one.leads.items()
    )


def _person(dataset: Dataset) -> Person:
    moment = str(dataset.get("AcquisitionDateTime") or "")
    moment = moment or f"{dataset.get('StudyDate') or ''}{dataset.get('StudyTime') or ''}"
    recorded = parse_datetime(moment[:8], moment[8:14])
    birth = parse_datetime(str(dataset.get("PatientBirthDate") or ""))
    age = parse_age(str(dataset.get("PatientAge") or ""))
    return Person(
        patient_id=str(dataset.get("PatientID") or "") or None,
        age=age if age is not None else age_between(birth.date() if birth else None, recorded),
        sex=parse_sex(str(dataset.get("PatientSex") or "")),
        recorded_at=recorded,
    )


def sniff(head: bytes, path: Path) -> bool:
    """Say whether `head` has the DICOM mark, or starts with a data set without preamble."""
    # Without preamble, the first element is of group 0002 or 0008 with a two-letter type.
    return head[128:132] == b"DICM" or (
        head[:4] in (b"\x02\x00\x00\x00", b"\x08\x00\x05\x00", b"\x08\x00\x16\x00")
        and head[4:6] in (b"UL", b"CS", b"UI")
    )


def read(file: InputFile, options: ReadOptions) -> Recording:
    """Read a DICOM ECG; see :func:`parse`."""
    return parse(file.data)
