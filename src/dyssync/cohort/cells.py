"""One cell of a table, read strictly: a value, nothing, or a problem in a sentence.

Every table of patients is read by these functions: those of `study`, `check`, `validate` and
`predict`. Nothing is guessed, and nothing that is written is passed over: a cell is empty, says
that a thing is not known, or can be read.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from dyssync.ecg import Sex
from dyssync.errors import CohortError
from dyssync.formats.reading.sexes import parse_sex

# What people write where they do not know.
NOT_KNOWN = frozenset(
    (
        *("", "-", "--", "?", "na", "n/a", "n.a.", "nan", "none", "null", "nil", "<na>", "nd"),
        *("unknown", "not known", "unk", "missing", "not available", "not stated", "k.a."),
    )
)
OTHER_SEX = frozenset(("other", "divers", "diverse", "non-binary", "intersex", "unspecified"))
OLDEST = 120.0  # years; nobody with a device was older
_NUMBER = re.compile(r"[+-]?(\d+|\d*[.]\d+|\d+[.]\d*|\d+,\d{1,2})$")
_YEARS = """
y yr yrs year years a j jahr jahre jahren an ans año años ano anos anni jaar år vuotta aasta gadi
lat lata let év ani години лет года год років godina leta ετών yaş 歳 才 岁 歲 세 살
"""
_PER_YEAR = {"m": 12, "mo": 12, "month": 12, "months": 12, "w": 365.25 / 7, "d": 365.25}
_AGE = re.compile(r"([\d.,]+)\s*([^\d\s.,+-]*)\.?$")
# ">89", "90+", "90 or older": how ages are written that would tell who it is (HIPAA Safe Harbor,
# 45 CFR 164.514(b)(2)(i)(C): all over 89 are one class).
_OVER = re.compile(r"(?:>|over|above|older than|more than)\s*(\d{2,3})$")
_FROM = re.compile(
    r"(?:(?:>=|≥|⩾)\s*(\d{2,3})"
    r"|(\d{2,3})\s*(?:\+|(?:years )?(?:and|or) (?:older|over|above|more)))$"
)
LEAST_TOP = 75.0  # years; what is cut off lower is no age but a class


@dataclass(frozen=True)
class Age:
    """An age in years, and what is to be said of it ("" for nothing)."""

    years: float
    caution: str = ""


def shown(cell: object) -> str:
    """Return a cell as a problem quotes it: short and printable."""
    text = "".join(c if c.isprintable() else "?" for c in str(cell))
    return text if len(text) <= 30 else f"{text[:27]}..."


def text_of(cell: object) -> str:
    """Return a cell as text to compare: half width, lower case, "" where nothing is known."""
    text = " ".join(unicodedata.normalize("NFKC", str(cell)).split()).casefold()
    return "" if text in NOT_KNOWN else text


def number_of(text: str) -> float | None:
    """Return a number as people write it, with a point or a decimal comma; None for others.

    A comma before three digits may be a thousands mark: that is no number here.

    >>> number_of("25"), number_of("63,5"), number_of("1,234"), number_of("1e3"), number_of("inf")
    (25.0, 63.5, None, None, None)
    """
    return float(text.replace(",", ".")) if _NUMBER.match(text) else None


def age_of(cell: object) -> Age | None:
    """Return the age that a cell states, None where it is empty.

    >>> age_of("63,5"), age_of("071Y"), age_of("  ")
    (Age(years=63.5, caution=''), Age(years=71.0, caution=''), None)
    >>> age_of(">89").years
    90.0

    Raises:
        CohortError: it is no age.
    """
    text = text_of(cell)
    if not text:
        return None
    if top := _top_of(text):
        return Age(top, f"age is {shown(cell)}: {top:g} is taken, for who is older is not told")
    years = _years_of(text)
    if years is None or not 0 < years <= OLDEST:
        raise CohortError(
            f"age is {shown(cell)}; years above 0 and up to {OLDEST:g} are needed, or nothing"
        )
    return Age(years)


def _top_of(text: str) -> float | None:
    text = text.removesuffix(" years").removesuffix(" y")
    over, least = _OVER.match(text), _FROM.match(text)
    if over:
        top = float(over[1]) + 1
    elif least:
        top = float(least[1] or least[2])
    else:
        return None
    return top if LEAST_TOP <= top <= OLDEST else None


def _years_of(text: str) -> float | None:
    if (number := number_of(text)) is not None:
        return number
    match = _AGE.match(text)
    number = number_of(match[1]) if match else None
    if match is None or number is None:
        return None
    if match[2] in _YEARS.split():
        return number
    return number / _PER_YEAR[match[2]] if match[2] in _PER_YEAR else None


def sex_of(cell: object, *, letters: bool = True) -> Sex | None:
    """Return the sex that a cell states, None where it is empty or neither.

    Args:
        cell: a word of :mod:`dyssync.formats.reading.sexes`, or one of its letters.
        letters: whether letters of the column are codes; where others stand beside them, M is
            mujer in Spanish and moteris in Lithuanian.

    Raises:
        CohortError: it does not say which.
    """
    text = text_of(cell)
    if not text or text in OTHER_SEX:
        return None
    found = parse_sex(text)
    if found is not None and (letters or len(text) > 1 or not text.isascii()):
        return found
    if len(text) == 1 and text.isalpha():
        why = "; a letter alone means different things in different languages"
    elif number_of(text) is not None:
        why = "; a number does not say which is which"
    else:
        why = ""
    raise CohortError(
        f"sex is {shown(cell)}; F, M or a word (female, Mann, mujer) is needed, or nothing{why}"
    )
