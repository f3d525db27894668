"""From columns of numbers to a recording; shared by text, array and table files."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import LEADS, LIMB_FROM_I_II, lead_name
from dyssync.errors import FormatError
from dyssync.formats.reading.parsing import called
from dyssync.formats.reading.recording import (
    Person,
    ReadOptions,
    Recording,
    check_sample_count,
    factor_to_millivolt,
    same_unit,
)

# Limb leads are bound by Einthoven and Goldberger. In 60 real records the usual order explains
# 99.9 % of their power and always more than any other order of the six; an export whose leads were
# filtered one by one (Chapman) explains 96 %.
EINTHOVEN_SHARE = 0.9
FEWEST_LEADS = 8  # I, II, V1 to V6 give the others
_NAME_AND_UNIT = re.compile(r"^\s*(?P<name>.*?)\s*[\[(]\s*(?P<unit>[^\])]*)\s*[\])]\s*$")
_LEAD_AND_UNIT = re.compile(r"^\s*(?P<name>.*?)[\s_]+(?P<unit>[mun\u00b5\u03bc]?V)\s*$", re.I)
_TIME = re.compile(
    r"^(?:elapsed )?(?:time|t|zeit)(?: (?P<unit>\w+))?$|^(?P<alone>s|sec|seconds|ms)$"
)
_SECONDS = {
    "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "sekunden": 1.0,
    "ms": 1e-3, "msec": 1e-3, "milliseconds": 1e-3, "us": 1e-6, "\u00b5s": 1e-6,
}  # fmt: skip
SAME_RATE = 0.01  # of stated rate and time column; stamps are rounded


@dataclass(frozen=True)
class Declared:
    """What a table says about itself; None where it says nothing."""

    fs: float | None = None
    unit: str | None = None
    person: Person = field(default_factory=Person)


def recording_from_columns(
    names: Sequence[str] | None, samples: Floats, declared: Declared, options: ReadOptions
) -> Recording:
    """Name, scale and time the columns of a table.

    Args:
        names: header of each column, which may carry a unit ("I (uV)"); None without a header.
        samples: (n, columns), in the file's unit.
        declared: what the file states elsewhere.
        options: what the user states; it is used where the file is silent.

    Raises:
        FormatError: rate, unit or order of the columns is stated nowhere.
    """
    check_sample_count(samples.shape[1], samples.shape[0])
    if names is None:
        names, assumed = _assumed_names(samples, options)
    else:
        assumed = ""
    columns = _leads(names, samples)
    fs = _rate(names, samples, declared, options)
    unit = declared.unit or options.unit
    missing = []
    if fs is None:
        missing.append("no sampling rate; declare it: fs=500 (--fs 500), or a line '# fs: 500'")
    if unit is None and any(own is None for own, _ in columns.values()):
        missing.append("no unit; declare it: unit='mV' (--unit mV), or a line '# unit: mV'")
    if missing:
        raise FormatError(f"states {' and '.join(missing)}")
    owns = [own for own, _ in columns.values() if own is not None]
    if declared.unit is not None and any(not same_unit(own, declared.unit) for own in owns):
        raise FormatError("states one unit for all columns and another in a title; correct it")
    channels = {
        name: column * factor_to_millivolt(own or unit or "", called(name))
        for name, (own, column) in columns.items()
        if not np.isnan(column).all()  # an empty column is no lead
    }
    notes = {"column order": assumed} if assumed else {}
    stated = next(iter(owns), declared.unit)
    return Recording(channels, float(fs or 0.0), declared.person, notes, unit=stated)


def _rate(
    names: Sequence[str], samples: Floats, declared: Declared, options: ReadOptions
) -> float | None:
    """Return the rate, Hz, on which title, time column and option agree; None: none says it.

    Raises:
        FormatError: they contradict each other.
    """
    timed = _rate_from_time(names, samples, declared.fs or options.fs)
    if declared.fs and timed and abs(declared.fs - timed) > SAME_RATE * timed:
        raise FormatError(
            f"the file says {declared.fs:g} Hz, but its time column steps as at {timed:g} Hz; "
            "correct one of them"
        )
    if options.fs and timed and not declared.fs and abs(options.fs - timed) <= SAME_RATE * timed:
        return options.fs  # the stamps are rounded
    return declared.fs or timed or options.fs


def split_unit(text: str) -> tuple[str, str | None]:
    """Split a column title into name and unit.

    >>> split_unit("V1 [uV]"), split_unit("V1_uV"), split_unit("V1")
    (('V1', 'uV'), ('V1', 'uV'), ('V1', None))
    """
    match = _NAME_AND_UNIT.match(text) or _LEAD_AND_UNIT.match(text)
    if match is None or (match.re is _LEAD_AND_UNIT and lead_name(match["name"]) is None):
        return text.strip(), None
    return match["name"], match["unit"] or None


def is_time(name: str) -> bool:
    """Say whether a column title means time."""
    return _time_unit(name) is not None


def _time_unit(title: str) -> str | None:
    """Return the unit of a column of time, "" where the title states none; None: it is no time.

    >>> _time_unit("Time [ms]"), _time_unit("t_s"), _time_unit("time"), _time_unit("V1")
    ('ms', 's', '', None)
    """
    name, unit = split_unit(title)
    match = _TIME.match(re.sub(r"[_\-]+", " ", name.strip(" '\"").lower()))
    if match is None:
        return None
    return (unit or match["unit"] or match["alone"] or "").strip(" '\"").lower()


def _leads(names: Sequence[str], samples: Floats) -> Mapping[str, tuple[str | None, Floats]]:
    columns: dict[str, tuple[str | None, Floats]] = {}
    for index, text in enumerate(names):
        name, unit = split_unit(text)
        if lead_name(name) is None or is_time(text):
            continue
        if name in columns:
            raise FormatError(f"{called(name)} is there twice; one of each is needed")
        columns[name] = (unit, samples[:, index])
    return columns


def _rate_from_time(names: Sequence[str], samples: Floats, stated: float | None) -> float | None:
    """Return the rate that a time column implies, Hz.

    A column without a unit implies none, but must fit the rate that is stated: in s, ms, us or
    numbers of samples.
    """
    for index, text in enumerate(names):
        unit = _time_unit(text)
        if unit is None or len(samples) < 2 or not np.isfinite(samples[:, index]).all():
            continue
        time = samples[:, index]
        step = (time[-1] - time[0]) / (len(time) - 1)
        # Rounded time stamps jitter by less than a step; a missing row is a whole one.
        jitter = np.abs(np.diff(time) - step).max()
        if step <= 0 or jitter > 0.9 * step:
            raise FormatError("the time column has gaps or runs back; equal steps needed")
        if unit in _SECONDS:
            return float(np.round(1.0 / (step * _SECONDS[unit]), 3))
        if stated is None:
            return None
        possible = [1 / (step * seconds) for seconds in (1.0, 1e-3, 1e-6)]
        if step != 1 and all(abs(rate - stated) > SAME_RATE * stated for rate in possible):
            raise FormatError(
                f"the time column steps by {step:.3g}, which is no second, millisecond or number "
                f"of samples at {stated:g} Hz; correct one of them"
            )
    return None


def _assumed_names(samples: Floats, options: ReadOptions) -> tuple[Sequence[str], str]:
    n_columns: int = samples.shape[1]
    if options.leads is not None:
        if len(options.leads) != n_columns:
            raise FormatError(
                f"{n_columns} columns, but the option leads names {len(options.leads)}; name each"
            )
        return options.leads, ""
    need = "Name the columns: leads=('I', 'II', ...), or a header row"
    if n_columns < FEWEST_LEADS:
        raise FormatError(f"{n_columns} columns; 12 leads are needed, or I, II and V1 to V6")
    if n_columns != len(LEADS):
        raise FormatError(f"{n_columns} columns without lead names. {need}")
    shares = einthoven_shares(samples[:, :6])
    if not (shares[0] >= EINTHOVEN_SHARE and shares[0] >= max(shares)):
        raise FormatError(
            f"no lead names, and the columns do not start with the limb leads. {need}"
        )
    return LEADS, "no lead names; usual order I to V6 assumed, the limb leads obey Einthoven in it"


def einthoven_shares(limb: Floats) -> list[float]:
    """Return how well each order of six columns obeys Einthoven and Goldberger.

    Args:
        limb: (n, 6).

    Returns:
        For each of the 720 orders, the given one first, the share of the power of the last four
        leads that I and II explain; 1 is perfect, NaN undefined.
    """
    centred = limb - limb.mean(axis=0)
    gram = centred.T @ centred  # (6, 6)
    # With A = [LIMB_FROM_I_II, -1], the residual power of order p is the trace of A G[p, p] A'.
    weights = np.hstack([LIMB_FROM_I_II, -np.eye(4)])
    form = weights.T @ weights
    shares = []
    for order in itertools.permutations(range(6)):
        ordered = gram[np.ix_(order, order)]
        power = np.trace(ordered[2:, 2:])
        shares.append(1.0 - float((form * ordered).sum() / power) if power > 0 else float("nan"))
    return shares
