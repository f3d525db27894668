"""The typical beat of a recording before its waves are named: found once for all who measure."""

from __future__ import annotations

from dyssync.ecg import ECG
from dyssync.errors import InputError
from dyssync.keeping import kept
from dyssync.signals.delineation import TypicalBeat, typical_beat


@kept(most=4)  # for one recording that is measured, checked and shown; a study asks for it once
def typical_of(ecg: ECG) -> TypicalBeat | None:
    """Return the typical beat of a recording; None where no beat was found."""
    try:
        return typical_beat(ecg.signal, ecg.fs)
    except InputError:
        return None
