"""Which of several arrays in one file is the ECG: the longest that holds all leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dyssync.errors import FormatError, Vetted, Words
from dyssync.formats.reading.parsing import told

# What recordings and stages of their processing are often called (chosen): such names are said.
# fmt: off
_USUAL_NAMES = frozenset((
    "beat", "clean", "cleaned", "data", "denoised", "ecg", "ecgs", "filtered", "leads", "median",
    "noisy", "original", "p_signal", "raw", "recording", "rhythm", "samples", "signal", "signals",
    "smooth", "smoothed", "unfiltered", "val", "waveform", "x",
))
# fmt: on
LEADS_ACROSS = range(8, 17)  # I, II, V1 to V6 give the others; some files add X, Y, Z or V7 to V9


def the_ecg(
    arrays: Mapping[str, npt.NDArray[np.generic]], usual: Sequence[str], what: Words
) -> str | None:
    """Return the name of the array that is the ECG, None where none has its shape.

    Args:
        arrays: by name, whatever a file holds; anything with `shape` and `dtype`.
        usual: names that mean a signal, in lower case; they decide between arrays of one length.
        what: such arrays are called in this format, in the plural, for the message.

    Raises:
        FormatError: two different ones are equally long; names those that have a usual name.
    """
    able = [name for name, array in arrays.items() if holds_leads(array)]
    if not able:
        return None
    length = {name: max(arrays[name].shape) for name in able}
    longest = [name for name in able if length[name] == max(length.values())]
    named = [name for name in longest if name.lower() in usual]
    left = named or longest
    if any(not _same(arrays[left[0]], arrays[name]) for name in left[1:]):
        raise FormatError(
            f"{what} {', '.join(map(_named, left))} are equally long and differ: which is the ECG "
            "is not said. "
            "Leave one of them in the file"
        )
    return left[0]


def holds_leads(array: Any) -> bool:
    """Say whether an array has two axes of numbers, one of them as long as there are leads."""
    return (
        len(array.shape) == 2
        and array.dtype.kind in "iuf"
        and min(array.shape) in LEADS_ACROSS
        and max(array.shape) > max(LEADS_ACROSS)
    )


def _named(name: str) -> Words:
    """Return what an array is called in a message: a usual name, else nothing of the file's."""
    if name.lower() in _USUAL_NAMES:
        usual: Vetted = name
        return usual
    return f"one of another name ({told(name)})"


def _same(one: Any, other: Any) -> bool:
    return bool(one.shape == other.shape and np.array_equal(one[()], other[()], equal_nan=True))
