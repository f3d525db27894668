"""SCP-ECG: rhythm data, Huffman-coded, differenced, with the reference beat subtracted or not.

References:
    EN 1064:2005+A1:2007 (SCP-ECG), sections 0 to 8.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import LEADS, Sex, lead_name
from dyssync.errors import FormatError, Words
from dyssync.formats.reading.beat import read_beat
from dyssync.formats.reading.checksum import swapped
from dyssync.formats.reading.demographics import age_between, parse_age
from dyssync.formats.reading.parsing import called
from dyssync.formats.reading.recorder_notes import joined_statements, machine_notes
from dyssync.formats.reading.recording import (
    InputFile,
    Person,
    ReadOptions,
    Recording,
    check_sample_count,
    check_simultaneous,
)
from dyssync.formats.scp_ecg.huffman import Node, decode, integrate, parse_tables

_LEAD_NAMES: Mapping[int, str] = {
    1: "I",
    2: "II",
    **{n: f"V{n - 2}" for n in range(3, 9)},
    **{61 + i: lead for i, lead in enumerate(LEADS[2:6])},
    65: "-aVR",
}
_SEXES: Mapping[int, Sex] = {1: "M", 2: "F"}
_AGE_UNITS: Mapping[int, str] = {1: "years", 2: "months", 3: "weeks", 4: "days"}
_UNDEFINED = {29999, 0x7FFF, 0xFFFF, 999}  # "not computed", section 7
_NO_CRC = {0, 0xFFFF}


@dataclass(frozen=True)
class Lead:
    """A lead of section 3: name, number of its first sample (from 1), number of samples."""

    name: str
    start: int
    n_samples: int


@dataclass(frozen=True)
class Beat:
    """Where a reference beat was subtracted; sample numbers start at 1."""

    kind: int
    start: int
    fiducial: int
    end: int


def parse(data: bytes) -> Recording:
    """Read the rhythm data of section 6.

    Raises:
        FormatError: a pointer out of the file, a wrong checksum, a code that does not exist,
            bimodal compression, or leads that differ in length.
    """
    sections = _sections(data)
    for needed in (3, 6):
        if needed not in sections:
            raise FormatError(f"section {needed} is missing; lead definition and rhythm are needed")
    tables = parse_tables(sections[2]) if 2 in sections else None
    leads, beat_subtracted = _leads(sections[3])
    if min(lead.start for lead in leads) == 0:
        if beat_subtracted:
            raise FormatError(
                "samples are counted from 0 and a reference beat was subtracted: where is not "
                "certain. Export it without (SCP-ECG compliance level I)"
            )
        leads = _counted_from_1(leads, sections[6], coded=tables is not None)
    rhythm, fs = _data_section(sections[6], tables, leads, None, "section 6")
    notes = _notes(sections)
    if beat_subtracted:
        if 4 not in sections or 5 not in sections:
            raise FormatError(
                "a reference beat was subtracted, but section 4 or 5 is missing; truncated?"
            )
        shapes, beat_fs = _reference_beat(sections, tables, leads)
        if beat_fs != fs:
            raise FormatError(
                f"reference beat at {beat_fs:g} Hz, rhythm at {fs:g} Hz; equal rates are needed"
            )
        rhythm = _add_reference_beats(rhythm, sections[4], shapes, leads)
    channels = _common_span(leads, rhythm)

    def beat() -> tuple[dict[str, Floats], float] | None:
        if 4 not in sections or 5 not in sections:
            return None
        shapes, rate = _reference_beat(sections, tables, leads)
        return {lead.name: shape for lead, shape in zip(leads, shapes, strict=True)}, rate

    found = read_beat(beat, notes)
    return Recording(channels, fs, _person(sections.get(1, b"")), notes, found, unit="nV")


def _sections(data: bytes) -> dict[int, bytes]:
    """Return the bodies (without their 16-byte headers) of the sections by number."""
    if len(data) < 32:
        raise FormatError(f"{len(data)} bytes; an SCP-ECG file has more than 150. Truncated?")
    crc, size = struct.unpack_from("<HI", data)
    if size > len(data):
        raise FormatError(f"holds {len(data)} bytes, {size:d} are claimed; truncated?")
    right = binascii.crc_hqx(data[2:size], 0xFFFF)
    if crc not in _NO_CRC and crc not in (right, swapped(right)):
        raise FormatError("the checksum of the file is wrong; it was changed or damaged")
    length = int.from_bytes(data[10:14], "little")
    found: dict[int, bytes] = {}
    for at in range(22, min(6 + length, len(data) - 9), 10):
        number, size, start = struct.unpack_from("<HII", data, at)
        if number == 0 or size <= 16:
            continue
        if start < 1 or start - 1 + size > len(data):
            raise FormatError(f"section {number:d} lies beyond the end of the file; truncated?")
        there = int.from_bytes(data[start + 1 : start + 3], "little")
        if there != number and number <= 11:  # those above are the makers' own
            raise FormatError(
                f"section {there:d} lies where section {number:d} should be; damaged?"
            )
        found[number] = data[start - 1 + 16 : start - 1 + size]
    return found


def _leads(body: bytes) -> tuple[list[Lead], bool]:
    """Return the leads of section 3 and whether a reference beat was subtracted."""
    if len(body) < 2 or len(body) < 2 + 9 * body[0] or body[0] == 0:
        raise FormatError("section 3 is cut short; no lead is defined. Truncated?")
    leads: list[Lead] = []
    for i in range(body[0]):
        start, end, code = struct.unpack_from("<IIB", body, 2 + 9 * i)
        name = _LEAD_NAMES.get(code, f"SCP lead {code}")
        if lead_name(name) is not None and lead_name(name) in {lead_name(x.name) for x in leads}:
            raise FormatError(f"{called(name)} is there twice; one of each is needed")
        leads.append(Lead(name, start, end - start + 1))
        check_sample_count(1, end - start + 1)
    check_sample_count(len(leads), max(lead.n_samples for lead in leads))
    return leads, bool(body[1] & 1)


def _counted_from_1(leads: list[Lead], section_6: bytes, *, coded: bool) -> list[Lead]:
    """Return leads of a writer that counts from 0, counted from 1 as the standard does.

    The last number of such writers is that of the last sample, or one more. Plain samples say
    which by their bytes; of coded ones the rounder count is taken.
    """
    counted = []
    for k, lead in enumerate(leads):
        inclusive, exclusive = lead.n_samples, lead.n_samples - 1
        if coded:
            fits = inclusive % 10 == 0 or exclusive % 10 != 0
        else:
            fits = 2 * inclusive <= int.from_bytes(section_6[6 + 2 * k : 8 + 2 * k], "little")
        counted.append(Lead(lead.name, lead.start + 1, inclusive if fits else exclusive))
    return counted


def _common_span(leads: list[Lead], rhythm: list[Floats]) -> dict[str, Floats]:
    """Return the leads where all of them were recorded: sample numbers are those of one clock."""
    first = max(lead.start for lead in leads)
    last = min(lead.start + lead.n_samples for lead in leads)
    if last <= first:
        check_simultaneous({lead.start for lead in leads})
    return {
        lead.name: samples[first - lead.start : last - lead.start]
        for lead, samples in zip(leads, rhythm, strict=True)
    }


def _data_section(
    body: bytes, tables: list[Node] | None, leads: list[Lead], n_samples: int | None, what: Words
) -> tuple[list[Floats], float]:
    """Return the leads of section 5 or 6, mV, and their rate, Hz.

    Args:
        body: of the section.
        tables: Huffman tables; None: 16-bit integers.
        leads: of section 3, in order.
        n_samples: of each lead; None: as many as the lead says.
        what: the section, for messages.
    """
    head = 6 + 2 * len(leads)
    if len(body) < head:
        raise FormatError(f"{what} is cut short; truncated?")
    nanovolt, interval, order, bimodal = struct.unpack_from("<HHBB", body)
    if nanovolt == 0 or interval == 0:
        raise FormatError(
            f"{what} states {nanovolt:d} nV a step, {interval:d} us a sample; both needed"
        )
    if what == "section 6" and bimodal:
        raise FormatError("bimodal compression; export it without (SCP-ECG compliance level I)")
    sizes = struct.unpack_from(f"<{len(leads)}H", body, 6)
    decoded = []
    at = head
    for lead, size in zip(leads, sizes, strict=True):
        part = body[at : at + size]
        at += size
        count = lead.n_samples if n_samples is None else n_samples
        where = f"{what}, {called(lead.name)}"
        if tables is not None:
            values = decode(part, tables, count, where)
        elif len(part) < 2 * count:
            raise FormatError(f"{where} ends after {len(part) // 2} of {count:d} samples")
        else:
            values = np.frombuffer(part, "<i2", count).astype(np.float64)
        decoded.append(integrate(values, order, where) * (nanovolt * 1e-6))
    return decoded, 1e6 / interval


def _reference_beat(
    sections: Mapping[int, bytes], tables: list[Node] | None, leads: list[Lead]
) -> tuple[list[Floats], float]:
    """Return the reference beat of section 5, a lead each, mV, and its rate, Hz."""
    milliseconds, _, _ = _beats(sections[4])
    interval = int.from_bytes(sections[5][2:4], "little")
    n_samples = round(milliseconds * 1000 / interval) if interval else 0
    check_sample_count(len(leads), n_samples)
    return _data_section(sections[5], tables, leads, n_samples, "section 5")


def _add_reference_beats(
    rhythm: list[Floats], section_4: bytes, reference: list[Floats], leads: list[Lead]
) -> list[Floats]:
    """Add the reference beat wherever section 4 says that it was subtracted."""
    _, anchor, beats = _beats(section_4)
    n_reference = len(reference[0])
    added = []
    for lead, samples, shape in zip(leads, rhythm, reference, strict=True):
        whole = samples.copy()
        for beat in beats:
            last = min(beat.end, lead.start + lead.n_samples - 1)
            if beat.kind != 0 or beat.start < lead.start or beat.start > last:
                continue
            at = np.arange(beat.start, last + 1)
            source = at - beat.fiducial + anchor  # both from 1, aligned at the fiducial point
            inside = (source >= 1) & (source <= n_reference)
            whole[at[inside] - lead.start] += shape[source[inside] - 1]
        added.append(whole)
    return added


def _beats(body: bytes) -> tuple[int, int, list[Beat]]:
    """Return length of the reference beat, ms, its fiducial sample and the beats of section 4."""
    if len(body) < 6:
        raise FormatError("section 4 is cut short; truncated?")
    milliseconds, anchor, count = struct.unpack_from("<HHH", body)
    if len(body) < 6 + 14 * count:
        raise FormatError(f"section 4 claims {count:d} beats, it is cut short; truncated?")
    beats = [Beat(*struct.unpack_from("<HIII", body, 6 + 14 * i)) for i in range(count)]
    return milliseconds, anchor, beats


def _person(body: bytes) -> Person:
    tags = dict(_tags(body))
    birth = _day(tags.get(5, b""))
    taken = _day(tags.get(25, b""))
    clock = tags.get(26, b"")
    recorded = None
    if taken is not None:
        valid = len(clock) >= 3 and clock[0] < 24 and clock[1] < 60 and clock[2] < 60
        recorded = datetime(taken.year, taken.month, taken.day, *(clock[:3] if valid else ()))
    age = None
    if len(tags.get(4, b"")) >= 3:
        value, unit = struct.unpack_from("<HB", tags[4])
        age = parse_age(str(value), _AGE_UNITS[unit]) if unit in _AGE_UNITS else None
    return Person(
        patient_id=tags.get(2, b"").decode("latin-1").strip(" \0") or None,
        age=age if age is not None else age_between(birth, recorded),
        sex=_SEXES.get(tags.get(8, b"\0")[:1][0]) if tags.get(8) else None,
        recorded_at=recorded,
    )


def _tags(body: bytes) -> list[tuple[int, bytes]]:
    """Return tag number and value of section 1."""
    tags = []
    at = 0
    while at + 3 <= len(body) and body[at] != 255:
        size = int.from_bytes(body[at + 1 : at + 3], "little")
        tags.append((body[at], body[at + 3 : at + 3 + size]))
        at += 3 + size
    return tags


def _day(value: bytes) -> date | None:
    if len(value) < 4:
        return None
    try:
        return date(*struct.unpack_from("<HBB", value))
    except ValueError:
        return None


def _notes(sections: Mapping[int, bytes]) -> dict[str, str]:
    """Return the global measurements of section 7 and the statements of section 8."""
    found: dict[str, str | None] = {}
    body = sections.get(7, b"")
    if len(body) >= 22 and body[0] > 0:
        rr = struct.unpack_from("<H", body, 2)[0]
        p_on, _, qrs_on, qrs_off, t_off = struct.unpack_from("<5H", body, 6)
        axes = struct.unpack_from("<3h", body, 16)
        if rr not in _UNDEFINED and rr > 0:
            found["rate"] = f"{60000 / rr:.0f}"
        for key, start, end in (
            ("pr", p_on, qrs_on),
            ("qrs", qrs_on, qrs_off),
            ("qt", qrs_on, t_off),
        ):
            if not {start, end} & _UNDEFINED and end > start:
                found[key] = str(end - start)
        for key, axis in zip(("p_axis", "qrs_axis", "t_axis"), axes, strict=True):
            found[key] = str(axis) if axis not in _UNDEFINED else None
    body = sections.get(8, b"")
    lines = []
    at = 9
    for _ in range(body[8] if len(body) > 9 else 0):
        size = int.from_bytes(body[at + 1 : at + 3], "little")
        lines.append(body[at + 3 : at + 3 + size].decode("latin-1").strip(" \0"))
        at += 3 + size
    return machine_notes({**found, "statements": joined_statements(lines)})


def sniff(head: bytes, path: Path) -> bool:
    """Say whether `head` has the mark of section 0, or its pointer to itself (older files)."""
    if head[8:10] != b"\0\0" or len(head) < 32:
        return False
    # The first pointer is that of section 0: same length as in its header, start at byte 7.
    first = head[22:24] == b"\0\0" and head[24:28] == head[10:14] and head[28:32] == b"\7\0\0\0"
    return head[16:22] == b"SCPECG" or first


def read(file: InputFile, options: ReadOptions) -> Recording:
    """Read an SCP-ECG file; see :func:`parse`."""
    return parse(file.data)
