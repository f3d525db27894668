"""Which mark is the decimal one: "1,234" is 1.234 to some and one thousand to others.

A table tells by all of its numbers together. A signal passes through zero, so decimals are
somewhere written "0,5" or with other than three digits; thousands never are, and stand beside whole
numbers below a thousand that have no mark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dyssync.errors import FormatError

# Marks of thousands that are never decimal: apostrophes, and blanks that do not break.
_PLAIN_THOUSANDS = re.compile("(?<=\\d)['\u2019\u00a0\u2009\u202f](?=\\d{3}(?!\\d))")
NUMERAL = re.compile(
    "^[+-]?(?:\\d+(?:[.,]\\d*)?|[.,]\\d+|\\d{1,3}(?:[.,'\u2019\u00a0\u2009\u202f ]\\d{3})+"
    "(?:[.,]\\d+)?)(?:[eE][+-]?\\d+)?$|^[+-]?nan$",
    re.I,
)
_SPACED = re.compile(r"(?<=\d) (?=\d{3}(?!\d))")


@dataclass(frozen=True)
class Marks:
    """Marks that a table writes its numbers with; "" where it uses none."""

    decimal: str
    thousands: str


def plain_numerals(text: str, *, blanks_divide: bool) -> str:
    """Return rows of numbers with a decimal point and no mark of thousands.

    Args:
        text: rows whose cells are not divided by "," or ".".
        blanks_divide: whether cells are divided by blanks.

    Raises:
        FormatError: it cannot be told whether a mark is one of decimals or of thousands.
    """
    text = _PLAIN_THOUSANDS.sub("", text)
    if not blanks_divide:
        text = _SPACED.sub("", text)
    found = marks(text)
    if found.thousands:
        text = text.replace(found.thousands, "")
    return text.replace(found.decimal, ".") if found.decimal == "," else text


def marks(text: str) -> Marks:
    """Return the marks of decimals and of thousands in a text of numbers.

    Raises:
        FormatError: they cannot be told apart.

    >>> marks("1,234;-345"), marks("1,234;0,345"), marks("1.234,5;-2,0")
    (Marks(decimal='', thousands=','), Marks(decimal=',', thousands=''), \
Marks(decimal=',', thousands='.'))
    """
    for decimal, other in ((",", "."), (".", ",")):
        if re.search(rf"\d{re.escape(other)}\d{{3}}{re.escape(decimal)}\d", text):
            return Marks(decimal, other)
    there = [mark for mark in ".," if mark in text]
    sure = [mark for mark in there if _is_decimal(text, mark)]
    if len(sure) == 2:
        raise FormatError("points and commas both mark decimals; one of them is needed")
    left = [mark for mark in there if mark not in sure]
    if len(left) == 2 or (left and not sure and not _is_thousands(text, left[0])):
        raise FormatError(
            f"'1{left[0]}234' may be one thousand or one and a bit: no number tells which. Write "
            "the table without marks of thousands, and decimals with a point"
        )
    return Marks(sure[0] if sure else "", left[0] if left else "")


def _is_decimal(text: str, mark: str) -> bool:
    """Say whether some number shows that `mark` is one of decimals."""
    m = re.escape(mark)
    zero_or_none = rf"(?<![\d{m}])0*{m}\d"  # 0,345 or ,345
    other_than_three = rf"{m}\d{{0,2}}(?!\d)|{m}\d{{4}}|\d{{4}}{m}|\d[eE]"
    return re.search(f"{zero_or_none}|{other_than_three}", text) is not None


def _is_thousands(text: str, mark: str) -> bool:
    """Say whether numbers below a thousand stand without `mark`, and none above it do."""
    m = re.escape(mark)
    if re.search(rf"\d{m}\d{{3}}{m}\d{{3}}", text):
        return True
    small = re.search(rf"(?<![\d{m}])[1-9]\d{{0,2}}(?![\d{m}])", text)
    large = re.search(rf"(?<![\d{m}])\d{{4,}}(?![\d{m}])", text)
    return small is not None and large is None
