"""What the libraries that decode files raise on damaged ones, worded as one line."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from dyssync.errors import FormatError

# Found by fuzzing pydicom, Pillow, scipy and h5py, beside errors of their own: they trust the file.
_RAISED: tuple[type[Exception], ...] = (
    ArithmeticError,
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


@contextmanager
def refusing_damage(what: str, *own: type[Exception]) -> Iterator[None]:
    """Turn what a library raises inside the block into a FormatError; ours stay as they are.

    Args:
        what: is damaged, for the message.
        own: errors of the library's own.

    Raises:
        FormatError: the library gave up.
    """
    raised = (*_RAISED, *own)
    try:
        yield
    except FormatError:
        raise
    except raised as error:
        # What the library says may quote the file, and with it a patient.
        raise FormatError(
            f"damaged {what} ({type(error).__name__}); copy the file again"
        ) from error
