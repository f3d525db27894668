"""What the libraries that decode files raise on damaged ones, worded as one line."""

from __future__ import annotations

import logging
import lzma
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from dyssync.errors import FAULTS, FormatError, InputError, Words

# Their logs of a damaged file would reach the terminal where nobody listens to them. What listens,
# a program that uses dyssync, still hears them.
for _library in ("PIL", "pydicom", "pypdfium2"):
    logging.getLogger(_library).addHandler(logging.NullHandler())
# of damaged ZIP archives, beside FAULTS: a member may be packed by LZMA
ZIP_ERRORS = (zipfile.BadZipFile, lzma.LZMAError)


@contextmanager
def refusing_damage(what: Words, *own: type[Exception]) -> Iterator[None]:
    """Turn what a library raises inside the block into a FormatError; ours stay as they are.

    The library's own words are dropped: they quote the file, which may hold anybody's name.

    Args:
        what: is damaged, for the message.
        own: errors of the library's own, beside :data:`~dyssync.errors.FAULTS`.

    Raises:
        FormatError: the library gave up.
    """
    raised = (*FAULTS, *own)
    try:
        yield
    except InputError:
        raise
    except raised as error:
        raise FormatError(
            f"damaged {what} ({type(error).__name__}); copy the file again"
        ) from error
