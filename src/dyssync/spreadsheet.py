"""Text in CSV cells that no spreadsheet takes for a formula.

An id or a file name that begins with "=" would be run by whoever opens the table: it may fetch what
an attacker names. An apostrophe before it makes it text again (OWASP, CSV injection).
"""

from __future__ import annotations

MARK = "'"
BEGIN = ("=", "+", "-", "@", "\t", "\r", "\n", MARK)


def guarded(text: str) -> str:
    """Return a cell's text with a mark before it where a spreadsheet might run it.

    >>> guarded("=1+1"), guarded("P01")
    ("'=1+1", 'P01')
    """
    return f"{MARK}{text}" if text.startswith(BEGIN) else text


def unguarded(cell: str) -> str:
    """Return the text that :func:`guarded` made a cell of.

    >>> unguarded(guarded("=1+1")), unguarded(guarded("'=1"))
    ('=1+1', "'=1")
    """
    return cell.removeprefix(MARK)
