"""The errors a user can cause, and the checks and counts that word them.

Every message has the same four parts: subject (file, column, option), what was found, what is
needed, what to do next. Only :class:`InputError` and its children reach a user without a traceback.
"""

from __future__ import annotations

import difflib
import struct
import traceback
import zlib
from collections.abc import Iterable, Sequence
from typing import TypeAlias, TypeVar

T = TypeVar("T")
N = TypeVar("N", int, float)


# What a reader says of a file quotes nothing of it: a damaged one can hold anybody's name anywhere.
# `Words` are made of literals, numbers, lengths and other `Words`; `tools/wording.py` follows them
# through the readers, and lists what it cannot follow.
Words: TypeAlias = str
# A text that may be shown though that cannot be seen from how it is made: the name by which the
# user gave a file, a word of somebody's dictionary. The reason stands where it is made.
Vetted: TypeAlias = str


class InputError(ValueError):
    """The user's input cannot be used; the text says what to change."""


class FormatError(InputError):
    """A file does not hold a usable ECG."""


class UnknownFormat(FormatError):  # noqa: N818 - what was found
    """A file is of no format that is known."""


class TooLarge(FormatError):  # noqa: N818 - what was found
    """A file is larger than an ECG can be, as it stands or unpacked."""


class CohortError(InputError):
    """A cohort or corpus table cannot be analysed."""


class ConfigError(InputError):
    """A setting, option or name is unknown or out of range."""


class ModelError(InputError):
    """A model or bundle cannot do what is asked of it."""


# What a file may raise on its way to a result beside errors of ours: libraries trust what they read
# (found by fuzzing pydicom, Pillow, scipy, h5py, LightGBM), and so may a computation of ours. One
# file that does is told of, and never costs another its result. Anything else ends the program.
FAULTS: tuple[type[Exception], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    SystemError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def told_fault(error: BaseException) -> str:
    """Return where a fault of ours is, in one line that quotes nothing of a file."""
    place = ""
    for frame in traceback.extract_tb(error.__traceback__):
        _, name, inside = frame.filename.replace("\\", "/").rpartition("/dyssync/")
        if name:
            place = f" in {inside}, line {frame.lineno}"
    return f"dyssync itself failed on it ({type(error).__name__}{place}); please report that"


def one_line(text: str, most: int = 500) -> str:
    """Return a text as one printable line of at most `most` characters.

    Messages hold names and cells, and those may hold anything.

    >>> one_line("P" + chr(10) + "1" + chr(27) + "[2J")
    'P 1?[2J'
    """
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else "?" for c in line)[:most]


def counted(n: int, word: str, many: str = "") -> Words:
    """Say how many there are of something, in the singular where it is one.

    Args:
        n: how many.
        word: for one.
        many: for others, where it is not `word` with an s.

    >>> counted(1, "shard"), counted(0, "shard"), counted(2, "pass", "passes")
    ('1 shard', '0 shards', '2 passes')
    """
    return f"{n} {word if n == 1 else many or f'{word}s'}"


def join_problems(problems: Sequence[str], subject: str) -> str:
    """Word several findings as one message, a line each, the count first."""
    problems = [one_line(problem) for problem in problems]
    if len(problems) == 1:
        return f"{subject}: {problems[0]}"
    return "\n".join([f"{subject}: {len(problems)} problems", *(f"  {p}" for p in problems)])


def check_choice(name: str, value: str, choices: Iterable[str]) -> str:
    """Return `value` if it is one of `choices`.

    Raises:
        ConfigError: it is not; the message lists all choices and the nearest one.
    """
    known = sorted(choices)
    if value in known:
        return value
    near = difflib.get_close_matches(value, known, n=1, cutoff=0.3)
    hint = f" Nearest: {near[0]}." if near else ""
    raise ConfigError(f"unknown {name} {value!r}. Choices: {', '.join(known)}.{hint}")


def check_range(name: str, value: N, low: float, high: float, unit: str = "") -> N:
    """Return `value` if `low <= value <= high` (NaN is outside).

    Raises:
        ConfigError: it is outside; the message gives the range and the unit.
    """
    if low <= value <= high:
        return value
    suffix = f" {unit}" if unit else ""
    raise ConfigError(
        f"{name} is {value:g}{suffix}; {low:g} to {high:g}{suffix} is needed. Change {name}."
    )
