"""The recorder's own measurements: one wording for all formats, shown beside ours, never used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

_STATEMENT_WITH_NAME = re.compile(r"confirmed by|referred by|reviewed by|overread|signed", re.I)

# Our word, with its unit; readers map their vendor's names to the keys.
LABELS: Mapping[str, str] = {
    "rate": "machine heart rate (/min)",
    "pr": "machine PR (ms)",
    "qrs": "machine QRSd (ms)",
    "qt": "machine QT (ms)",
    "qtc": "machine QTc (ms)",
    "p_axis": "machine P axis (deg)",
    "qrs_axis": "machine QRS axis (deg)",
    "t_axis": "machine T axis (deg)",
    "statements": "machine statements",
}


# A recorder writes 0 for an interval that it could not measure; an axis of 0 degrees exists.
_NEVER_ZERO = {"rate", "pr", "qrs", "qt", "qtc"}


_MS_PER = {"": 1.0, "ms": 1.0, "s": 1000.0, "us": 1e-3}  # recorders that leave it out mean ms
INTERVALS = {"pr", "qrs", "qt", "qtc"}


def in_milliseconds(text: str | None, unit: str | None) -> str | None:
    """Return an interval as text in ms, None where it is no number or the unit is unknown.

    >>> in_milliseconds("0.096", "s"), in_milliseconds("96", "ms"), in_milliseconds("96", "mm")
    ('96', '96', None)
    """
    per = _MS_PER.get((unit or "").strip().lower())
    try:
        return None if per is None else f"{float(text or '') * per:.10g}"
    except ValueError:
        return None


def machine_notes(found: Mapping[str, str | None]) -> dict[str, str]:
    """Return notes for the measurements that a file holds.

    Args:
        found: keys of :data:`LABELS` to the file's text; None, empty and "0 ms" are left out.

    >>> machine_notes({"qrs": "96", "pr": None})
    {'machine QRSd (ms)': '96'}
    """
    kept = {key: text.strip() for key, text in found.items() if text and text.strip()}
    return {
        LABELS[key]: text
        for key, text in kept.items()
        if key not in _NEVER_ZERO or text.strip("0.") != ""
    }


def joined_statements(texts: Sequence[str | None] | Iterator[str | None]) -> str:
    """Join the machine's statements, leaving out those that name a person."""
    kept = [" ".join(text.split()) for text in texts if text and text.strip()]
    return "; ".join(text for text in kept if not _STATEMENT_WITH_NAME.search(text))
