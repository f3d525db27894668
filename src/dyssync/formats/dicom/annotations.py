"""Annotations of DICOM waveforms: the recorder's measurements and statements.

References:
    DICOM PS3.3 C.10.10 (waveform annotation module); PS3.16 CID 3689 (global durations).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dyssync.formats.reading.recorder_notes import (
    INTERVALS,
    in_milliseconds,
    joined_statements,
    machine_notes,
)

if TYPE_CHECKING:
    from pydicom import Dataset

CODE_VALUE = 0x00080100
CODE_MEANING = 0x00080104
_MEASUREMENT_UNITS = 0x004008EA
_CONCEPT_NAME = 0x0040A043
_REFERENCED_CHANNELS = 0x0040A0B0
_NUMERIC_VALUE = 0x0040A30A
_FREE_TEXT = 0x00700006
# Meanings without the words of _FILLERS, in any order of words.
_MEASUREMENTS: Mapping[frozenset[str], str] = {
    frozenset(words.split()): key
    for words, key in {
        "heart rate": "rate",
        "ventricular heart rate": "rate",
        "ventricular rate": "rate",
        "pr": "pr",
        "pq": "pr",
        "qrs": "qrs",
        "qt": "qt",
        "qtc": "qtc",
        "qtc bazett": "qtc",
        "qtcb": "qtc",
        "p axis": "p_axis",
        "qrs axis": "qrs_axis",
        "t axis": "t_axis",
    }.items()
}
_FILLERS = {"global", "interval", "duration", "time", "period", "frontal", "mean", "corrected"}


def annotation_notes(dataset: Dataset) -> dict[str, str]:
    """Return the recorder's measurements and statements as notes."""
    found: dict[str, str | None] = {}
    statements: list[str] = []
    for item in dataset.get("WaveformAnnotationSequence") or []:
        concept = first_item(item, _CONCEPT_NAME)
        if concept is None:
            if _FREE_TEXT in item:
                statements.append(str(item[_FREE_TEXT].value))
            continue
        words = set(re.findall("[a-z]+", element_text(concept, CODE_MEANING).lower()))
        key = _MEASUREMENTS.get(frozenset(words - _FILLERS))
        if key is None or _NUMERIC_VALUE not in item or _is_of_one_lead(item):
            continue
        text = element_text(item, _NUMERIC_VALUE)
        unit = first_item(item, _MEASUREMENT_UNITS)
        ms = in_milliseconds(text, element_text(unit, CODE_VALUE) if unit is not None else "")
        found.setdefault(key, ms if key in INTERVALS else text)
    return machine_notes({**found, "statements": joined_statements(statements)})


def _is_of_one_lead(item: Any) -> bool:
    """Say whether an annotation refers to a channel; pairs of group and channel, 0 means all."""
    if _REFERENCED_CHANNELS not in item:
        return False
    referenced = item[_REFERENCED_CHANNELS].value or []
    pairs = [referenced] if isinstance(referenced, int) else list(referenced)
    return any(pairs[1::2])


def element_text(item: Any, tag: int) -> str:
    """Return the text of an ASCII element, "" where it is missing.

    pydicom converts an element when it is first looked at, which takes ten times as long as to look
    at its bytes; an ECG has hundreds.
    """
    element = item.get_item(tag)
    value = element.value if element is not None else None
    if isinstance(value, bytes):
        return value.decode("latin-1").strip(" \0")
    return "" if value is None else str(value)


def first_item(item: Any, tag: int) -> Any:
    """Return the first item of a sequence element, None where there is none."""
    items = item[tag].value if tag in item else None
    return items[0] if items else None
