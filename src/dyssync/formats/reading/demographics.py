"""Age and dates as files write them."""

from __future__ import annotations

import re
from datetime import date, datetime

_AGE = re.compile(r"^\s*(\d{1,3}(?:\.\d+)?)\s*([A-Za-z]*)\s*$")
_YEARS_PER = {
    "": 1.0,
    "y": 1.0,
    "yr": 1.0,
    "yrs": 1.0,
    "a": 1.0,
    "year": 1.0,
    "years": 1.0,
    "m": 1 / 12,
    "mo": 1 / 12,
    "month": 1 / 12,
    "months": 1 / 12,
    "w": 7 / 365.25,
    "wk": 7 / 365.25,
    "week": 7 / 365.25,
    "weeks": 7 / 365.25,
    "d": 1 / 365.25,
    "day": 1 / 365.25,
    "days": 1 / 365.25,
}
_DATES = ("%d/%m/%Y", "%d-%b-%Y", "%Y-%m-%d", "%d.%m.%Y", "%Y%m%d")
_TIMES = ("%H:%M:%S.%f", "%H:%M:%S", "%H:%M", "%H%M%S.%f", "%H%M%S")
OLDEST = 130.0  # years; PTB-XL writes 300 for "over 89", which is no age


def parse_age(text: str | None, unit: str = "") -> float | None:
    """Return the age in years, None where none that is possible is stated.

    >>> parse_age("51"), parse_age("051Y"), parse_age("6", "months"), parse_age("NaN")
    (51.0, 51.0, 0.5, None)
    """
    match = _AGE.match(text or "")
    if match is None:
        return None
    per = _YEARS_PER.get((match[2] or unit).lower())
    if per is None:
        return None
    age = float(match[1]) * per
    return age if age <= OLDEST else None


def parse_datetime(day: str | None, time: str | None = None) -> datetime | None:
    """Return date and time of recording, None where the date is not readable.

    >>> parse_datetime("12-May-2020", "12:33:59")
    datetime.datetime(2020, 5, 12, 12, 33, 59)
    """
    parsed = _first(day, _DATES)
    if parsed is None:
        return None
    clock = _first(time, _TIMES)
    return datetime.combine(parsed.date(), clock.time()) if clock else parsed


def age_between(birth: date | None, recorded: datetime | None) -> float | None:
    """Return full years from birth to recording, None where either is unknown or order is wrong."""
    if birth is None or recorded is None or birth > recorded.date():
        return None
    day = recorded.date()
    years = day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
    return float(years) if years <= OLDEST else None


def _first(text: str | None, patterns: tuple[str, ...]) -> datetime | None:
    for pattern in patterns:
        try:
            return datetime.strptime((text or "").strip(), pattern)
        except ValueError:
            continue
    return None
