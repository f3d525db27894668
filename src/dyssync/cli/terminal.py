"""The only door to the terminal: nothing that comes from a file controls it.

Names of files, patients and leads may hold escape sequences, which clear screens, rename windows
and, in some terminals, type for the user.
"""

from __future__ import annotations

import re
from typing import TextIO

# Control characters but tab and line end; marks that turn the direction of writing
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def harmless(text: object) -> str:
    """Return a text with a question mark for whatever would control a terminal.

    >>> harmless("P" + chr(27) + "[2J")
    'P?[2J'
    """
    return _CONTROLS.sub("?", str(text))


def say(text: object, *, file: TextIO | None = None, end: str = "\n", flush: bool = False) -> None:
    """Print a text, made harmless, to stdout or to `file`."""
    print(harmless(text), file=file, end=end, flush=flush)
