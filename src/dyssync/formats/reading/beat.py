"""The recorder's representative beat: kept where it can be read, else a note says why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dyssync.arrays import Floats
from dyssync.ecg import RepresentativeBeat, assemble_leads
from dyssync.errors import FormatError
from dyssync.signals.plausibility.stretches import without_tail

NOTE = "representative beat"


def read_beat(
    read: Callable[[], tuple[Mapping[str, Floats], float] | None], notes: dict[str, str]
) -> RepresentativeBeat | None:
    """Return the beat that `read` finds, None where there is none.

    A file whose rhythm is sound is not refused for the sake of its beat: a beat that cannot be
    read, or does not hold 12 leads, leaves a line in `notes` instead.

    Args:
        read: returns the leads by name, (n,) mV, and their rate, Hz; None where the file has none.
        notes: of the recording.
    """
    try:
        found = read()
        if found is None:
            return None
        channels, fs = found
        signal, _ = assemble_leads(channels)
        return RepresentativeBeat(without_tail(signal, fs), fs)
    except FormatError as error:
        notes[NOTE] = f"not read: {error}"
        return None
